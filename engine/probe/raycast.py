"""Ray casting on the CPU with NVIDIA Warp: which triangle does each pixel see, and is it in shadow?

Warp comes with anny, needs no GPU, no display and no system packages. Import this module lazily.
Its kernels are in Warp's own language, which mypy cannot follow.
"""
# mypy: ignore-errors

from __future__ import annotations

import numpy as np
import warp as wp


@wp.kernel
def _first_hit(
    mesh: wp.uint64,
    origins: wp.array(dtype=wp.vec3),
    directions: wp.array(dtype=wp.vec3),
    reach: float,
    face: wp.array(dtype=int),
    bary: wp.array(dtype=wp.vec3),
) -> None:
    """face[i] = index of the first triangle that ray i meets within reach, or -1; bary[i] = where on it."""
    i = wp.tid()
    hit = wp.mesh_query_ray(mesh, origins[i], directions[i], reach)
    if hit.result:
        face[i] = hit.face
        bary[i] = wp.vec3(hit.u, hit.v, 1.0 - hit.u - hit.v)
    else:
        face[i] = -1


class Scene:
    """Triangles that rays can be cast at. vertices: (V, 3) float32 metres; faces: (F, 3) int32."""

    def __init__(self, vertices: np.ndarray, faces: np.ndarray) -> None:
        wp.config.quiet = True
        wp.init()
        self.mesh = wp.Mesh(
            points=wp.array(np.ascontiguousarray(vertices, np.float32), dtype=wp.vec3, device="cpu"),
            indices=wp.array(np.ascontiguousarray(faces, np.int32).ravel(), dtype=int, device="cpu"),
        )

    def first_hit(
        self, origins: np.ndarray, directions: np.ndarray, reach: float = 100.0
    ) -> tuple[np.ndarray, np.ndarray]:
        """Cast N rays. origins, directions: (N, 3); reach in metres.

        Returns the triangle of each first hit (N,) int32, -1 for a miss, and its barycentric
        coordinates (N, 3), weights of the triangle's three corners.
        """
        n = len(origins)
        face = wp.empty(n, dtype=int, device="cpu")
        bary = wp.zeros(n, dtype=wp.vec3, device="cpu")
        rays = [np.ascontiguousarray(a, np.float32) for a in (origins, directions)]
        rays = [wp.array(a, dtype=wp.vec3, device="cpu") for a in rays]
        wp.launch(_first_hit, dim=n, inputs=[self.mesh.id, *rays, reach, face, bary], device="cpu")
        return face.numpy(), bary.numpy()

    def blocked(self, origins: np.ndarray, directions: np.ndarray, reach: float = 100.0) -> np.ndarray:
        """(N,) bool: does anything lie within reach along each ray?"""
        return self.first_hit(origins, directions, reach)[0] >= 0
