"""Procedural paint: what colour is each point of the template head?

Everything is a function of template coordinates (metres; x to the person's left, y back, z up; pupils at
x = +-0.033, z = 0.728; lips part at z = 0.662), evaluated per pixel, so paint is as sharp as the image.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from engine.probe.design import HAIR_COLOURS, IRIS_COLOURS, Identity
from engine.probe.geometry import CAP, CURTAIN, EYE, LASH, SKIN, TEETH, TONGUE, scalp


@dataclass(frozen=True)
class Paint:
    """Linear colours of N pixels. Skin shows tone * tint; weight says how much of a pixel is bare skin.

    tint, base: (N, 3); weight, gloss: (N,); the albedo is weight * tone * tint + (1 - weight) * base.
    """

    tint: np.ndarray
    base: np.ndarray
    weight: np.ndarray
    gloss: np.ndarray

    def albedo(self, tone: np.ndarray) -> np.ndarray:
        """(N, 3) linear albedo for a skin tone (3,), linear RGB."""
        out: np.ndarray = self.weight[:, None] * tone * self.tint + (1 - self.weight[:, None]) * self.base
        return out


def linear(colour: str) -> np.ndarray:
    """(3,) linear RGB of an sRGB hex colour.

    >>> linear("ffffff")
    array([1., 1., 1.])
    """
    c = np.array([int(colour[i : i + 2], 16) for i in (0, 2, 4)]) / 255
    return np.where(c <= 0.04045, c / 12.92, ((c + 0.055) / 1.055) ** 2.4)


def smooth(edge0: float | np.ndarray, edge1: float | np.ndarray, value: np.ndarray) -> np.ndarray:
    """Smoothstep: 0 at edge0, 1 at edge1."""
    t = np.clip((value - edge0) / (edge1 - edge0), 0, 1)
    out: np.ndarray = t * t * (3 - 2 * t)
    return out


def noise(points: np.ndarray, seed: int = 0) -> np.ndarray:
    """(N,) value noise in [0, 1] at points (N, 3), one lattice cell per unit."""
    table = np.random.default_rng((13, seed)).random(4096)
    floor = np.floor(points)
    part = points - floor
    part = part * part * (3 - 2 * part)
    step = np.array([73856093, 19349663, 83492791])  # spatial hash of Teschner et al. 2003
    cell = floor.astype(np.int64) * step
    near, far = [cell[:, i] for i in range(3)], [cell[:, i] + step[i] for i in range(3)]
    total = np.zeros(len(points))
    for a, b, c in np.ndindex(2, 2, 2):
        at = (far if a else near)[0] ^ (far if b else near)[1] ^ (far if c else near)[2]
        share = (part[:, 0] if a else 1 - part[:, 0]) * (part[:, 1] if b else 1 - part[:, 1])
        total += table[at & 4095] * share * (part[:, 2] if c else 1 - part[:, 2])
    return total


def paint(template: np.ndarray, material: np.ndarray, person: Identity, actions: dict[str, float]) -> Paint:
    """The paint of N pixels. template: (N, 3); material: (N,) of geometry's codes; actions: facial actions."""
    n = len(template)
    x, y, z = template.astype(np.float64).T
    side = np.abs(x)
    tint, base = np.ones((n, 3)), np.zeros((n, 3))
    weight, gloss = np.ones(n), np.full(n, 0.40)

    def layer(mask: np.ndarray, colour: np.ndarray) -> None:
        """Cover bare skin with an opaque colour where mask (N,) in [0, 1] says so."""
        keep = weight * (1 - mask)
        total = np.maximum(1 - keep, 1e-9)
        base[:] = (base * (1 - weight)[:, None] * (1 - mask)[:, None] + mask[:, None] * colour) / total[:, None]
        weight[:] = keep

    skin = material == SKIN
    on = skin.astype(float)
    front = on * (y < -0.10)
    hair = linear(HAIR_COLOURS[person.hair_colour])
    age = float(np.clip((person.phenotype["age"] - 0.66) / 0.34, 0, 1))

    mottle = noise(template * 260, person.index) - 0.5
    blotch = noise(template * 60, person.index + 100) - 0.5
    tint *= (1 + 0.07 * mottle + 0.08 * blotch)[:, None]
    red = np.exp(-(((side - 0.045) / 0.02) ** 2) - ((z - 0.693) / 0.018) ** 2) + 0.7 * np.exp(
        -((side / 0.012) ** 2) - ((z - 0.695) / 0.012) ** 2
    )
    tint *= 1 - (0.13 * front * red)[:, None] * np.array([0.1, 1.0, 0.9])
    tint *= 1 - (front * _creases(side, x, z, actions, age))[:, None] * np.array([0.8, 1.0, 1.0])

    lips = front * _lips(x, z)
    tint *= 1 - lips[:, None] * np.array([0.22, 0.52, 0.46])
    gloss[:] = np.where(lips > 0.5, 0.5, gloss)
    # Past the lips the skin of the mouth turns inwards: a dark red cave.
    cave = on * _cave(x, y, z)
    layer(cave, np.array([0.06, 0.012, 0.012]))
    gloss[cave > 0.5] = 0.05

    strands = noise(np.stack([x * 900 + z * 500, y * 0, z * 250], 1), 3)
    brow = front * _brows(side, z, person.brow) * (0.55 + 0.6 * strands)
    layer(np.clip(brow, 0, 0.96), hair * (0.25 if person.hair_colour == "grey" else 0.7))

    cover = 0.72 if person.hair == "shaved" else 1.0
    under = on * cover * smooth(-0.004, 0.004, scalp(template) + 0.005 * (strands - 0.5))
    layer(under, hair * (0.7 + 0.5 * strands)[:, None])
    gloss[under > 0.5] = 0.08
    neckline = 0.592 - 0.30 * side * (y < -0.05) + 0.15 * np.maximum(y + 0.05, 0)
    layer(on * smooth(0.0, -0.002, z - neckline), linear(person.shirt))
    gloss[z < neckline] = 0.0

    _eyes(template, material == EYE, person, weight, base, gloss)
    plain = ((TEETH, (0.70, 0.66, 0.58), 0.5), (TONGUE, (0.35, 0.10, 0.09), 0.4), (LASH, (0.02, 0.015, 0.012), 0.0))
    for code, colour, shine in plain:
        at = material == code
        weight[at], base[at], gloss[at] = 0.0, colour, shine
    weight[material == LASH] = 0.3 if person.phenotype["gender"] < 0.5 else 0.6  # lashes are sparse
    capped = (material == CAP) | (material == CURTAIN)
    turn = np.arctan2(x, y + 0.05)
    lock = noise(np.stack([turn * 26, z * 25, y * 25], 1), person.index + 200)
    fine = noise(np.stack([turn * 110, z * 60, y * 60], 1), person.index + 300)
    edge = smooth(-0.002, 0.005, scalp(template) + 0.005 * (strands - 0.5))
    weight[capped] = np.where(material == CURTAIN, 0.0, 1 - edge)[capped]  # the hairline frays into skin
    base[capped] = (hair * (0.45 + 0.7 * lock + 0.5 * fine)[:, None])[capped]
    gloss[capped] = 0.12 * fine[capped]
    return Paint(tint, base, weight, gloss)


def _lips(x: np.ndarray, z: np.ndarray) -> np.ndarray:
    """(N,) how much of each point is lip."""
    u = np.clip(1 - (x / 0.0265) ** 2, 0, 1)
    dip = 0.0012 * np.exp(-((x / 0.003) ** 2))
    upper = smooth(0.0008, -0.0008, z - 0.662 - (0.0100 * u**0.9 - dip)) * (z >= 0.662)
    lower = smooth(-0.0008, 0.0008, z - 0.662 + 0.0125 * u**0.8) * (z < 0.662)
    mask: np.ndarray = (upper + lower) * (np.abs(x) < 0.0265)
    return mask


def _cave(x: np.ndarray, y: np.ndarray, z: np.ndarray) -> np.ndarray:
    """(N,) 1 inside the mouth, behind the lips."""
    lip = -0.157 + 14 * x**2  # y of the line where the lips meet, template
    mask: np.ndarray = smooth(0.007, 0.010, y - lip) * (np.abs(x) < 0.030) * (z > 0.654) * (z < 0.675) * (y < -0.06)
    return mask


def _brows(side: np.ndarray, z: np.ndarray, thickness: float) -> np.ndarray:
    """(N,) how much of each point is eyebrow."""
    middle = 0.7512 - 7.5 * (side - 0.040) ** 2 - 9.0 * np.maximum(side - 0.046, 0) ** 2
    half = np.interp(side, [0.010, 0.018, 0.042, 0.060], [0.0026, 0.0038, 0.0030, 0.0008]) * thickness
    ends = smooth(0.009, 0.014, side) * smooth(0.061, 0.055, side)
    mask: np.ndarray = ends * smooth(1.25, 0.6, np.abs(z - middle) / half)
    return mask


def _creases(side: np.ndarray, x: np.ndarray, z: np.ndarray, actions: dict[str, float], age: float) -> np.ndarray:
    """(N,) darkening by wrinkles: those of age, and those that the facial actions fold."""

    def act(name: str) -> float:
        return float(np.clip(0.5 * (actions.get(name + "Left", 0) + actions.get(name + "Right", 0)), 0, 1))

    out = np.zeros_like(side)
    # Forehead lines, when the brows go up.
    lift = min(1.0, 0.7 * act("browOuterUp") + 0.4 * actions.get("browInnerUp", 0.0))
    for k, height in enumerate((0.766, 0.775, 0.784)):
        line = np.exp(-(((z - height + 0.004 * np.cos(side * 45 + k)) / 0.0012) ** 2)) * smooth(0.05, 0.03, side)
        out += (0.30 * lift * (0.5 + 0.5 * age) + 0.10 * age) * line
    # Two upright lines between lowered brows, and a bridge that wrinkles with the nose.
    knit = max(act("browDown"), 0.35 * min(act("browDown"), actions.get("browInnerUp", 0.0)))
    upright = np.exp(-(((side - 0.0065) / 0.0014) ** 2)) * smooth(0.736, 0.742, z) * smooth(0.764, 0.752, z)
    out += (0.42 * knit + 0.08 * age) * upright
    for height in (0.722, 0.729):
        out += 0.28 * act("noseSneer") * np.exp(-(((z - height) / 0.0013) ** 2)) * smooth(0.010, 0.006, side)
    # From the wings of the nose to the corners of the mouth.
    fold = 0.018 + (0.693 - z) * 0.42
    along = smooth(0.700, 0.692, z) * smooth(0.652, 0.664, z)
    for name, where in (("Left", x > 0), ("Right", x < 0)):
        pull = max(actions.get("mouthSmile" + name, 0), 0.9 * actions.get("mouthUpperUp" + name, 0))
        depth = 0.26 * min(pull, 1.0) + 0.16 * age
        out += depth * where * along * np.exp(-(((side - fold) / 0.0018) ** 2))
    # Crow's feet and tired eyes.
    out += (
        (0.10 * act("cheekSquint") + 0.10 * age)
        * np.exp(-(((side - 0.062) / 0.007) ** 2))
        * (0.5 + 0.5 * np.cos((z - 0.728 + 0.4 * (side - 0.055)) * 1400))
        * smooth(0.014, 0.008, np.abs(z - 0.728))
    )
    out += 0.16 * age * np.exp(-(((z - 0.7125) / 0.002) ** 2) - ((side - 0.033) / 0.012) ** 2)
    folds: np.ndarray = np.clip(out, 0, 0.6)
    return folds


def _eyes(
    template: np.ndarray, eye: np.ndarray, person: Identity, weight: np.ndarray, base: np.ndarray, gloss: np.ndarray
) -> None:
    """Paint sclera, iris and pupil in place on the pixels of the eyeballs. eye: (N,) bool."""
    x, _, z = template[eye].astype(np.float64).T
    away = np.hypot(np.abs(x) - 0.0322, z - 0.7283)  # metres from the pupil, seen along the eye's axis
    iris = linear(IRIS_COLOURS[person.iris_colour])
    colour = np.broadcast_to(np.array([0.78, 0.75, 0.72]), (len(x), 3)).copy()
    rays = 0.75 + 0.5 * noise(np.stack([np.arctan2(z - 0.7283, x) * 9, away * 900, away * 0], 1), 5)
    ring = smooth(0.0062, 0.0056, away)[:, None]
    limbus = (1 - 0.6 * smooth(0.0044, 0.0058, away))[:, None]
    colour = colour * (1 - ring) + ring * iris * rays[:, None] * limbus
    pupil = smooth(0.0026, 0.0021, away)[:, None]
    base[eye] = colour * (1 - pupil) + pupil * 0.004
    weight[eye], gloss[eye] = 0.0, 1.5
