"""Invented faces: votes, attributes, predictions and features that hang together, and no image behind them."""

from dataclasses import dataclass

import numpy as np

from engine.sources.rows import FER_CLASSES, Attribute

CLASSES = len(FER_CLASSES)
SHARES = (0.34, 0.26, 0.12, 0.12, 0.09, 0.02, 0.03, 0.02)  # of the classes: as unequal as in photos from the web
ANNOTATORS = 10
UNVOTED, UNTONED = 0.02, 0.01  # shares of faces without votes, and without a known tone
DIMENSIONS = 32
SPLITS = {"train": 0.8, "validation": 0.1, "test": 0.1}  # drawn face by face: no query can skip a part of the cache
LIGHTS = ("front", "side", "overhead")
CAMERAS = tuple(f"camera {number:02d}" for number in range(1, 41))
ATTRIBUTES = (
    Attribute("tone", "number", "Monk"),
    Attribute("yaw", "number", "degrees"),
    Attribute("light", "text"),
    Attribute("camera", "text"),
)


@dataclass(frozen=True)
class Model:
    """How an invented model errs: more often on dark tones and turned heads, and less sure of itself there."""

    title: str
    samples: int  # S
    errors: float  # share of mistaken classes on the lightest, frontal face
    sharpness: float  # 1 says what the annotators say, above 1 is too sure

    def predict(self, drawn: "Drawn", rng: np.random.Generator) -> np.ndarray:
        """(N, S, C) float32 probabilities."""
        n = len(drawn.tone)
        turned = np.abs(drawn.yaw) / 90
        mistaken = drawn.difficulty < self.errors + 0.1 * (drawn.tone - 1) / 9 + 0.3 * turned**2
        believed = drawn.truth.copy()  # (N, C)
        rows, right = np.flatnonzero(mistaken), drawn.first[mistaken]
        wrong = np.where(rng.random(len(rows)) < 0.5, drawn.second[mistaken], rng.integers(0, CLASSES, len(rows)))
        believed[rows, right], believed[rows, wrong] = drawn.truth[rows, wrong], drawn.truth[rows, right]
        logits = self.sharpness * np.log(believed) + 0.4 * rng.standard_normal((n, CLASSES))
        spread = 0.2 + 1.2 * turned + 0.1 * drawn.tone / 10  # what makes U_e rise with yaw
        noise = rng.standard_normal((n, self.samples, CLASSES), np.float32)
        scores = logits[:, None].astype(np.float32) + spread[:, None, None].astype(np.float32) * noise  # (N, S, C)
        scores = np.exp(scores - scores.max(axis=2, keepdims=True))
        return scores / scores.sum(axis=2, keepdims=True)


MODELS = {"ensemble": Model("Ensemble (invented)", 10, 0.05, 1.0), "single": Model("Single (invented)", 1, 0.08, 1.5)}


@dataclass(frozen=True, eq=False)
class Drawn:
    """n faces. Everything but `votes` is the truth, known only to who invented it."""

    truth: np.ndarray  # (n, C) what infinitely many annotators would say
    first: np.ndarray  # (n,) class index, and the one that it is blended with
    second: np.ndarray
    difficulty: np.ndarray  # (n,) uniform; the same for all models, which therefore err on the same faces
    votes: np.ndarray  # (n, C) counts, a row of zeros where nobody voted
    split: np.ndarray  # (n,) index into SPLITS
    tone: np.ndarray  # (n,) 1..10
    yaw: np.ndarray  # (n,) degrees
    light: np.ndarray  # (n,) index into LIGHTS
    camera: np.ndarray  # (n,) index into CAMERAS
    toned: np.ndarray  # (n,) whether the tone is known

    @classmethod
    def of(cls, n: int, rng: np.random.Generator) -> "Drawn":
        first = rng.choice(CLASSES, n, p=SHARES)
        second = (first + rng.integers(1, CLASSES, n)) % CLASSES
        blend = 0.5 * rng.beta(0.7, 1.3, n)[:, None]  # 0: one class alone, .5: as much of either
        truth = 0.96 * ((1 - blend) * _one_hot(first) + blend * _one_hot(second)) + 0.04 / CLASSES
        votes = rng.multinomial(ANNOTATORS, truth)
        votes[rng.random(n) < UNVOTED] = 0
        popular = 1 / np.arange(1, len(CAMERAS) + 1)
        return cls(
            truth, first, second, rng.random(n), votes,
            split=rng.choice(len(SPLITS), n, p=tuple(SPLITS.values())),
            tone=rng.integers(1, 11, n),
            yaw=rng.triangular(-90, 0, 90, n),
            light=rng.integers(0, len(LIGHTS), n),
            camera=rng.choice(len(CAMERAS), n, p=popular / popular.sum()),
            toned=rng.random(n) >= UNTONED,
        )  # fmt: skip


@dataclass(frozen=True, eq=False)
class Space:
    """Where faces lie among features: a centre per class, one direction for tone and one for yaw."""

    centres: np.ndarray  # (C, D)
    tone: np.ndarray  # (D,)
    yaw: np.ndarray

    @classmethod
    def of(cls, seed: int) -> "Space":
        drawn = np.random.default_rng([seed, 1 << 32]).standard_normal((CLASSES + 2, DIMENSIONS))
        return cls(drawn[:-2], 0.5 * drawn[-2], 0.8 * drawn[-1])

    def vectors(self, drawn: Drawn, rng: np.random.Generator) -> np.ndarray:
        """(n, D) float16."""
        placed = drawn.truth @ self.centres + np.outer(drawn.tone / 10, self.tone) + np.outer(drawn.yaw / 90, self.yaw)
        return (placed + 0.4 * rng.standard_normal(placed.shape)).astype(np.float16)


def _one_hot(classes: np.ndarray) -> np.ndarray:
    return np.eye(CLASSES)[classes]
