"""Which columns of a cache tell faces apart, in what order to offer them, and which of them say the same."""

from collections.abc import Collection, Mapping, Sequence

import numpy as np

from cache.filters import Column
from cache.schema import ATTRIBUTE_PREFIX

TONE, POSE = "attr_tone_unknown", "attr_pose_unknown"  # why a measurement is missing
REASONS = {
    "attr_ita": TONE,
    "attr_monk": TONE,
    "attr_head_yaw": POSE,
    "attr_head_pitch": POSE,
    "attr_head_roll": POSE,
    "attr_face_size": POSE,  # from the same landmarks
}
QUALITY = ("attr_sharpness", "attr_brightness", "attr_contrast", "attr_face_size")  # of an image
MEASURED = tuple(dict.fromkeys((*REASONS, "attr_light_balance", *QUALITY)))
FIRST = (  # offered first, where the cache has them; then what else was supplied with the data
    "attr_ita",
    "attr_monk",
    "attr_tone",
    "attr_head_yaw",
    "attr_yaw",
    "attr_head_pitch",
    "attr_brightness",
    "attr_light",
    "attr_contrast",
    "attr_light_balance",
    "attr_sharpness",
    "attr_face_size",
)
LAST = ("majority", "split", "width", "height")
SAME = ({"attr_ita", "attr_monk", "attr_tone"}, {"attr_head_yaw", "attr_yaw"}, {"attr_face_size", "width", "height"})


def offered(columns: Mapping[str, Column]) -> list[str]:
    """Columns that faces can be grouped by, measured ones first."""
    supplied = [name for name in columns if name.startswith(ATTRIBUTE_PREFIX) and name not in (TONE, POSE)]
    return [name for name in dict.fromkeys([*FIRST, *supplied, *LAST]) if name in columns]


def varies(values: np.ndarray) -> bool:
    """Whether two faces differ in it, (n,) numbers or text."""
    return len(_distinct(values)) > 1


def covariates(names: Sequence[str], grouped: Collection[str]) -> list[str]:
    """Those of the offered columns to adjust for at first: measured ones, one of each kind, none of the grouping's."""
    taken = set(grouped) | set().union(*(kind for kind in SAME if kind & set(grouped)))
    chosen: list[str] = []
    for name in (name for name in FIRST if name in names and name not in taken):
        chosen.append(name)
        taken |= set().union(*(kind for kind in SAME if name in kind))
    return chosen


def _distinct(values: np.ndarray) -> np.ndarray:
    if values.dtype == object:
        return np.unique([str(value) for value in values if value is not None])
    return np.unique(values[~np.isnan(values)])
