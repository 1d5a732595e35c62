"""What the probe set contains: identities, expressions, scenes, factor sweeps and simulated votes.

Pure NumPy, no rendering: the whole design can be listed and tested without anny.

A scene is one identity showing one expression (pure, or a blend of two) in front of one camera. Around the
scene's centre (tone, yaw, light) each factor is swept alone, like the arms of a star: 10 tones, 5 yaws and
3 lights give 1 + 9 + 4 + 2 = 16 images whose geometry, camera and noise are otherwise identical.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations

import numpy as np

SEED = 2019
EXPRESSIONS = ("neutral", "happiness", "surprise", "sadness", "anger", "disgust", "fear", "contempt")
YAWS = (-60, -30, 0, 30, 60)  # degrees; positive turns the face towards the right edge of the image
LIGHTS = ("front", "side", "overhead")
VOTES = 10  # simulated annotators per image, as in FER+
SPLITS = {"train": 12, "validation": 4, "test": 8}  # identities per split
BLENDS_PER_IDENTITY = 2
BLEND_WEIGHTS = ((0.5, 0.5), (0.7, 0.3), (0.3, 0.7))

# The Monk Skin Tone scale (Ellis Monk, Google 2022, skintone.google), sRGB, 1 = lightest.
MONK = ("f6ede4", "f3e7db", "f7ead0", "eadaba", "d7bd96", "a07e56", "825c43", "604134", "3a312a", "292420")

HAIR_STYLES = ("shaved", "short", "medium", "long")
HAIR_COLOURS = {"black": "1c1714", "dark brown": "3a261a", "brown": "5b3b25", "blond": "a98455", "grey": "8d8a86"}
IRIS_COLOURS = {"brown": "4a2c17", "hazel": "6f5426", "green": "51683f", "blue": "4d7190"}
SHIRTS = ("2f4a6d", "7a2e2e", "3d5c43", "d8d4cc", "4a4a52", "8c6a3f", "5b4470", "c9b458")


@dataclass(frozen=True)
class Identity:
    """One person. phenotype: anny's inputs in [0, 1]; shape: anny's local changes in [-1, 1]."""

    index: int
    split: str
    phenotype: dict[str, float]
    shape: dict[str, float]
    hair: str
    hair_colour: str
    iris_colour: str
    brow: float  # thickness, 1 = average
    shirt: str  # sRGB hex
    strength: float  # how strongly this person shows an expression, 1 = average


@dataclass(frozen=True)
class Scene:
    """One identity, one expression, one camera. truth: (8,) weights in the order of EXPRESSIONS."""

    index: int
    identity: int
    expression: str
    truth: tuple[float, ...]
    tone: int  # Monk tone of the centre, 1..10
    yaw: int  # degrees
    light: str
    shift: tuple[float, float]  # camera offset, fractions of the frame
    zoom: float  # frame side relative to the face
    roll: float  # degrees
    pitch: float  # degrees


@dataclass(frozen=True)
class Shot:
    """One image of a scene."""

    scene: int
    tone: int
    yaw: int
    light: str
    centre: bool


def _rng(*key: int) -> np.random.Generator:
    return np.random.default_rng((SEED, *key))


# Local shape changes of anny that tell identities apart, with the reach of each draw (anny's own range is 1).
_SHAPE_REACH = {
    "chin-height-incr": 0.5, "chin-prominent-incr": 0.6, "chin-width-incr": 0.7, "chin-cleft-incr": 0.5,
    "cheek-bones-incr": 0.6, "cheek-volume-incr": 0.6, "cheek-inner-incr": 0.5,
    "ear-scale-incr": 0.5, "ear-wing-incr": 0.4,
    "eyebrows-trans-up": 0.4, "eyebrows-angle-up": 0.4, "eye-scale-incr": 0.4, "eye-corner1-up": 0.5,
    "eye-trans-out": 0.4, "eye-bag-incr": 0.5, "forehead-nubian-incr": 0.4, "forehead-scale-vert-incr": 0.4,
    "head-fat-incr": 0.5, "head-angle-out": 0.4, "head-scale-horiz-incr": 0.4, "head-scale-vert-incr": 0.4,
    "mouth-scale-horiz-incr": 0.5, "mouth-lowerlip-volume-incr": 0.6, "mouth-upperlip-volume-incr": 0.6,
    "mouth-trans-up": 0.4, "mouth-cupidsbow-incr": 0.5, "neck-scale-horiz-incr": 0.4, "neck-double-incr": 0.4,
    "nose-scale-horiz-incr": 0.6, "nose-scale-vert-incr": 0.5, "nose-scale-depth-incr": 0.5,
    "nose-hump-incr": 0.6, "nose-point-up": 0.6, "nose-volume-incr": 0.5, "nose-nostrils-width-incr": 0.5,
}  # fmt: skip
_PAIRED = ("cheek-", "ear-", "eye-")  # anny names these once per side: l-..., r-...


def identities() -> list[Identity]:
    """The 24 people, test-retest identical. Phenotypes are stratified within each split, so splits match."""
    people: list[Identity] = []
    for code, (split, n) in enumerate(SPLITS.items()):
        rng = _rng(1, code)

        def strata(low: float, high: float, rng: np.random.Generator = rng, n: int = n) -> np.ndarray:
            """(n,) one draw in each of n equal slices of [low, high], in random order."""
            return low + (high - low) * (rng.permutation(n) + rng.random(n)) / n

        age, muscle, weight = strata(0.62, 0.97), strata(0.25, 0.75), strata(0.25, 0.85)
        gender = np.where(np.arange(n) % 2 == 0, strata(0.0, 0.2), strata(0.8, 1.0))
        dominant = rng.permutation(np.arange(n) % 3)  # which ethnic shape leads
        styles = rng.permutation(n)
        for k in range(n):
            mix = rng.dirichlet(np.ones(3)) * 0.35
            mix[dominant[k]] += 0.65
            phenotype = {
                "age": float(age[k]),
                "gender": float(gender[k]),
                "muscle": float(muscle[k]),
                "weight": float(weight[k]),
                **dict(zip(("african", "asian", "caucasian"), map(float, mix), strict=True)),
            }
            masculine = gender[k] > 0.5
            hair = (("short", "shaved", "short", "medium") if masculine else ("long", "medium", "long", "short"))[
                styles[k] % 4
            ]
            grey = age[k] > 0.85
            people.append(
                Identity(
                    index=len(people),
                    split=split,
                    phenotype=phenotype,
                    shape=_draw_shape(rng),
                    hair=hair,
                    hair_colour="grey" if grey else str(rng.choice(["black", "dark brown", "brown", "blond"])),
                    iris_colour=str(rng.choice(list(IRIS_COLOURS), p=[0.5, 0.2, 0.15, 0.15])),
                    brow=float(rng.uniform(0.95, 1.35) if masculine else rng.uniform(0.7, 1.0)),
                    shirt=SHIRTS[int(rng.integers(len(SHIRTS)))],
                    strength=float(rng.uniform(0.88, 1.1)),
                )
            )
    return people


def _draw_shape(rng: np.random.Generator) -> dict[str, float]:
    """anny's local changes for one person, by anny's names, symmetric."""
    shape: dict[str, float] = {}
    for name, reach in _SHAPE_REACH.items():
        value = float(rng.uniform(-reach, reach))
        for side in ("l-", "r-") if name.startswith(_PAIRED) else ("",):
            shape[side + name] = value
    return shape


def blends() -> list[tuple[tuple[int, int], tuple[int, int]]]:
    """The 2 blends of each of the 24 identities: all 28 pairs occur, 20 of them twice, none twice in a person."""
    pairs = list(combinations(range(len(EXPRESSIONS)), 2))
    n = sum(SPLITS.values())
    order = [pairs[i] for i in _rng(2).permutation(len(pairs))]
    return list(zip(order[:n], order[n:] + order[: 2 * n - len(pairs)], strict=True))


def scenes() -> list[Scene]:
    """240 scenes, 10 per identity, their centres balanced over tone x yaw x light.

    The ten scenes of an identity have the ten tones as centres, each once. Of the 24 scenes centred on a tone,
    each of the 15 (yaw, light) cells gets one or two; the same holds for each expression.
    """
    pairs = blends()
    out: list[Scene] = []
    n_pure = len(EXPRESSIONS)
    for i in range(sum(SPLITS.values())):
        for j in range(n_pure + BLENDS_PER_IDENTITY):
            truth = np.zeros(n_pure)
            if j < n_pure:
                name, truth[j] = EXPRESSIONS[j], 1.0
            else:
                a, b = pairs[i][j - n_pure]
                name = f"{EXPRESSIONS[a]}+{EXPRESSIONS[b]}"
                truth[[a, b]] = BLEND_WEIGHTS[(i + j) % len(BLEND_WEIGHTS)]
            tone = (j + 3 * i) % len(MONK)
            cell = (i + 7 * tone) % (len(YAWS) * len(LIGHTS))
            rng = _rng(3, i, j)
            out.append(
                Scene(
                    index=len(out),
                    identity=i,
                    expression=name,
                    truth=tuple(float(w) for w in truth),
                    tone=tone + 1,
                    yaw=YAWS[cell % len(YAWS)],
                    light=LIGHTS[cell // len(YAWS)],
                    shift=(float(rng.uniform(-0.03, 0.03)), float(rng.uniform(-0.03, 0.03))),
                    zoom=float(rng.uniform(0.91, 1.04)),
                    roll=float(rng.uniform(-8, 8)),
                    pitch=float(rng.uniform(-8, 8)),
                )
            )
    return out


def shots(scene: Scene) -> list[Shot]:
    """The 16 images of a scene: its centre, then one factor changed at a time."""
    factors = {(scene.tone, scene.yaw, scene.light): True}
    arms = [(t, scene.yaw, scene.light) for t in range(1, len(MONK) + 1)]
    arms += [(scene.tone, y, scene.light) for y in YAWS]
    arms += [(scene.tone, scene.yaw, name) for name in LIGHTS]
    for arm in arms:
        factors.setdefault(arm, False)
    return [Shot(scene.index, *factor, centre=centre) for factor, centre in factors.items()]


def image_name(scene: Scene, shot: Shot) -> str:
    """Unique and readable, e.g. 'id07/anger+fear/tone05_yaw+30_side'."""
    return f"id{scene.identity:02d}/{scene.expression}/tone{shot.tone:02d}_yaw{shot.yaw:+03d}_{shot.light}"


def draw_votes(scene: Scene, shot: Shot) -> np.ndarray:
    """(8,) uint16 votes of 10 simulated annotators, drawn from the scene's truth, anew for every image."""
    rng = _rng(4, scene.index, shot.tone, shot.yaw + 90, LIGHTS.index(shot.light))
    return rng.multinomial(VOTES, scene.truth).astype(np.uint16)
