"""From a head, a camera and a light set-up to a photograph-like image: one ray per sample, shaded in NumPy.

Coordinates are anny's: metres, x to the image's right, y away from the camera, z up. What does not depend on
tone or light is computed once per head pose and reused, so images of a sweep differ by their factor alone.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from engine.probe.design import MONK, Identity, Scene, Shot, shots
from engine.probe.geometry import TEETH, Head
from engine.probe.paint import Paint, linear, noise, paint
from engine.probe.recipes import facial_actions

if TYPE_CHECKING:
    from engine.probe.geometry import HeadModel
    from engine.probe.raycast import Scene as Rays

SIZE = 112  # pixels, the side of a stored image
SAMPLES = 3  # rays per pixel along each axis
_DISTANCE = 0.80  # metres from the camera to the face
_PIVOT_DEPTH = 0.04  # metres behind the face of the axis the head turns about: it stays in the frame


@dataclass(frozen=True)
class Light:
    """A lamp. towards: from the face to the lamp; colour: (3,) linear irradiance; size: its radius, tangent."""

    towards: tuple[float, float, float]
    colour: tuple[float, float, float]
    size: float


# Key and fill lamps, then the ambient light (3,), as a photographer would set them up.
SETUPS: dict[str, tuple[tuple[Light, ...], tuple[float, float, float]]] = {
    "front": (
        (Light((0.40, -1.0, 0.60), (0.74, 0.73, 0.71), 0.35), Light((-0.7, -1.0, 0.1), (0.15, 0.15, 0.16), 0.5)),
        (0.20, 0.20, 0.21),
    ),
    "side": (
        (Light((-1.0, -0.35, 0.30), (1.00, 0.96, 0.90), 0.25), Light((0.6, -1.0, 0.1), (0.09, 0.10, 0.11), 0.5)),
        (0.12, 0.12, 0.13),
    ),
    "overhead": (
        (Light((0.15, -0.50, 1.0), (0.55, 0.53, 0.48), 0.30),),
        (0.15, 0.15, 0.16),
    ),
}


@dataclass(frozen=True)
class Pixels:
    """What a camera sees of a head: N of the samples hit it.

    hit: (S*S,) bool, S samples a side; position, normal, view: (N, 3), view points to the camera; open: (N,)
    share of the sky that is not hidden; thin: (N,) bool, too thin to cast a shadow on itself.
    """

    hit: np.ndarray
    position: np.ndarray
    normal: np.ndarray
    view: np.ndarray
    open: np.ndarray
    floor: np.ndarray
    paint: Paint
    rays: Rays


@dataclass(frozen=True)
class Frame:
    """Where the camera looks. target: (3,) metres; side: metres of the square frame at the target."""

    target: np.ndarray
    side: float


def frame_face(vertices: np.ndarray, neutral: np.ndarray, template: np.ndarray) -> Frame:
    """A tight face crop as in FER: hairline to just below the chin. All three: (V, 3), same vertices."""

    def at(*place: float) -> int:
        return int(np.argmin(((template - np.array(place)) ** 2).sum(1)))

    top, chin = neutral[at(0, -0.135, 0.806)], vertices[at(0, -0.135, 0.619)]
    chin_rest = neutral[at(0, -0.135, 0.619)]
    low = 0.5 * chin[2] + 0.5 * chin_rest[2]  # a detector follows a dropped jaw only in part
    side = 1.00 * (top[2] - low)
    middle = neutral[at(0, -0.150, 0.70)]
    return Frame(np.array([middle[0], middle[1] + 0.03, low + 0.47 * side]), float(side))


def turned(head: Head, yaw: float, pivot: np.ndarray) -> Head:
    """The head turned by yaw degrees about an upright axis; positive turns it to the image's right."""
    a = np.deg2rad(yaw)
    rotation = np.array([[np.cos(a), -np.sin(a), 0], [np.sin(a), np.cos(a), 0], [0, 0, 1]], np.float32)
    points = (head.vertices - pivot) @ rotation.T + pivot
    return Head(points.astype(np.float32), head.template, head.normals @ rotation.T, head.faces, head.material)


def sky(head: Head, rays: Rays, samples: int = 40, reach: float = 0.07) -> np.ndarray:
    """(V,) ambient openness: the share of cosine-weighted directions with nothing within reach (metres)."""
    rng = np.random.default_rng(11)
    u, turn = rng.random(samples), 2 * np.pi * rng.random(samples)
    flat = np.sqrt(1 - (1 - 2 * u) ** 2)
    ball = np.stack([flat * np.cos(turn), flat * np.sin(turn), 1 - 2 * u], 1)
    ways = head.normals[:, None] + 0.98 * ball[None]  # cosine-weighted hemisphere: normal plus a point on the sphere
    ways /= np.linalg.norm(ways, axis=2, keepdims=True)
    starts = np.repeat((head.vertices + 0.0015 * head.normals)[:, None], samples, 1)
    blocked = rays.blocked(starts.reshape(-1, 3), ways.reshape(-1, 3), reach)
    share: np.ndarray = 1 - blocked.reshape(-1, samples).mean(1)
    return share


def look(
    head: Head, openness: np.ndarray, frame: Frame, scene: Scene, person: Identity, actions: dict[str, float]
) -> Pixels:
    """Cast the camera's rays at a turned head. openness: (V,) from sky()."""
    from engine.probe.raycast import Scene as Rays

    rays = Rays(head.vertices, head.faces)
    origins, ways = _camera(frame, scene)
    face, bary = rays.first_hit(origins, ways)
    hit = face >= 0
    corners, bary = head.faces[face[hit]], bary[hit]

    def blend(values: np.ndarray) -> np.ndarray:
        out: np.ndarray = np.einsum("nk,nk...->n...", bary, values[corners])
        return out

    normal = blend(head.normals)
    normal /= np.maximum(np.linalg.norm(normal, axis=1, keepdims=True), 1e-9)
    view = -ways[hit]
    normal *= np.where((normal * view).sum(1) < -0.2, -1.0, 1.0)[:, None]  # thin sheets have two sides
    material = head.material[face[hit]]
    coat = paint(blend(head.template), material, person, actions)
    # Teeth and eyes are bright and wet: lit a little more than the openings they sit in would allow.
    sky_share = np.maximum(blend(openness), np.choose(material, [0.0, 0.75, 0.0, 0.5, 0.3, 0.0, 0.0]))
    floor = np.where(material == TEETH, 0.36, 0.0)  # the mesh of the teeth is too rough to shade
    return Pixels(hit, blend(head.vertices), normal, view, sky_share, floor, coat, rays)


def _camera(frame: Frame, scene: Scene) -> tuple[np.ndarray, np.ndarray]:
    """Origins and unit directions (n, 3) of the camera's rays, row by row from the top left."""
    n = SIZE * SAMPLES
    pitch, roll = np.deg2rad(scene.pitch), np.deg2rad(scene.roll)
    forward = np.array([0, np.cos(pitch), -np.sin(pitch)])
    right0, up0 = np.array([1.0, 0, 0]), np.array([0, np.sin(pitch), np.cos(pitch)])
    right = np.cos(roll) * right0 + np.sin(roll) * up0
    up = -np.sin(roll) * right0 + np.cos(roll) * up0
    side = frame.side * scene.zoom
    target = frame.target + side * (scene.shift[0] * right + scene.shift[1] * up)
    grid = ((np.arange(n) + 0.5) / n - 0.5) * side
    across, down = np.meshgrid(grid, -grid)
    ways = _DISTANCE * forward + across.reshape(-1, 1) * right + down.reshape(-1, 1) * up
    ways /= np.linalg.norm(ways, axis=1, keepdims=True)
    return np.broadcast_to(target - _DISTANCE * forward, ways.shape), ways


@dataclass(frozen=True)
class Lit:
    """Light that reaches N samples. diffuse: (N, 3) to multiply the albedo; shine: (N, 3) to add."""

    diffuse: np.ndarray
    shine: np.ndarray


def light(pixels: Pixels, setup: str) -> Lit:
    """The light of a set-up at every sample: soft shadows, light bleeding through skin, a little gloss."""
    lamps, ambient = SETUPS[setup]
    n, normal, view = len(pixels.normal), pixels.normal, pixels.view
    rng = np.random.default_rng(5)
    openness = np.maximum(pixels.open, 0.3)[:, None]  # hair lets some light through
    diffuse = np.array(ambient) * openness**1.3 * (0.8 + 0.2 * normal[:, 2:3])
    shine = np.zeros((n, 3))
    bleed = np.array([0.22, 0.10, 0.06]) * pixels.paint.weight[:, None]  # red travels furthest under skin
    start = pixels.position + 0.0025 * normal
    for lamp in lamps:
        towards = np.array(lamp.towards) / np.linalg.norm(lamp.towards)
        ways = towards + lamp.size * (rng.random((3, n, 3)) - 0.5)
        ways /= np.linalg.norm(ways, axis=2, keepdims=True)
        free = 1 - np.mean([pixels.rays.blocked(start, way) for way in ways], axis=0)[:, None]
        facing = (normal @ towards)[:, None]
        wrapped = np.clip((facing + bleed) / (1 + bleed), 0, 1)
        reach = np.maximum(wrapped * free, pixels.floor[:, None])
        diffuse = diffuse + np.array(lamp.colour) * reach * (0.55 + 0.45 * openness)
        half = towards + view
        half /= np.linalg.norm(half, axis=1, keepdims=True)
        sharp = np.where(pixels.paint.gloss > 1, 300.0, 16.0)
        peak = np.where(pixels.paint.gloss > 1, 6.0, 0.55) * pixels.paint.gloss
        lobe = peak * np.clip((normal * half).sum(1), 0, 1) ** sharp * (facing[:, 0] > 0)
        shine += np.array(lamp.colour) * lobe[:, None] * free * 0.35
    return Lit(diffuse, shine)


def background(scene: Scene) -> np.ndarray:
    """(S*S, 3) linear RGB: a soft, blurred room, the same for every image of a scene."""
    rng = np.random.default_rng((7, scene.index))
    n = SIZE * SAMPLES
    u, v = np.meshgrid(np.linspace(0, 1, n), np.linspace(0, 1, n))
    points = np.stack([u * rng.uniform(1, 4), v * rng.uniform(1, 4), 0 * u], -1).reshape(-1, 3)
    a, b = rng.uniform(0.05, 0.65, 3), rng.uniform(0.05, 0.65, 3)
    a, b = (0.6 * c.mean() + 0.4 * c for c in (a, b))  # mostly grey
    mix = noise(points, scene.index)[:, None]
    out: np.ndarray = a * mix + b * (1 - mix)
    return out


def develop(pixels: Pixels, lit: Lit, room: np.ndarray, setup: str, tone: int) -> np.ndarray:
    """(112, 112, 3) uint8 sRGB image of a skin tone 1..10 under the light already computed. room: background()."""
    out = room * {"front": 1.0, "side": 0.55, "overhead": 0.5}[setup]
    out[pixels.hit] = pixels.paint.albedo(linear(MONK[tone - 1])) * lit.diffuse + lit.shine
    small = out.reshape(SIZE, SAMPLES, SIZE, SAMPLES, 3).mean((1, 3))
    small = np.where(small < 0.7, small, 0.7 + 0.3 * np.tanh((small - 0.7) / 0.3))  # roll highlights off
    curve = np.where(small <= 0.0031308, small * 12.92, 1.055 * np.maximum(small, 1e-9) ** (1 / 2.4) - 0.055)
    image: np.ndarray = (np.clip(curve, 0, 1) * 255 + 0.5).astype(np.uint8)
    return image


def render_scene(model: HeadModel, person: Identity, scene: Scene) -> list[tuple[Shot, np.ndarray]]:
    """The 16 images of a scene, in the order of design.shots: pairs of a shot and a (112, 112, 3) uint8 image."""
    from engine.probe.raycast import Scene as Rays

    actions = facial_actions(scene.truth, person.strength)
    posed = model.vertices(person.phenotype, person.shape, actions)
    neutral = model.vertices(person.phenotype, person.shape, {})
    head, frame = model.head(posed, person.hair), frame_face(posed, neutral, model.template)
    openness, room = sky(head, Rays(head.vertices, head.faces)), background(scene)
    pivot = np.array([frame.target[0], frame.target[1] + _PIVOT_DEPTH, 0.0])
    images: dict[Shot, np.ndarray] = {}
    todo = shots(scene)
    for yaw in sorted({shot.yaw for shot in todo}):
        pixels = look(turned(head, yaw, pivot), openness, frame, scene, person, actions)
        for setup in sorted({shot.light for shot in todo if shot.yaw == yaw}):
            lit = light(pixels, setup)
            for shot in todo:
                if (shot.yaw, shot.light) == (yaw, setup):
                    images[shot] = develop(pixels, lit, room, setup, shot.tone)
    return [(shot, images[shot]) for shot in todo]
