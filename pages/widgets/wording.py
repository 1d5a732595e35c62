"""Names and numbers as the pages write them; one place, so that they read the same everywhere."""

import math
import re
from collections.abc import Mapping

from cache.filters import Column
from cache.schema import ATTRIBUTE_PREFIX

DASH = "—"
SYMBOLS = {"u_total": "U_t", "u_aleatoric": "U_a", "u_epistemic": "U_e"}
KINDS = {"u_total": "total", "u_aleatoric": "aleatoric", "u_epistemic": "epistemic"}
PALETTE = {"u_total": "gray", "u_aleatoric": "orange", "u_epistemic": "blue"}  # names in .streamlit/config.toml
LEGEND = (
    "U_a, aleatoric: the doubt that each sample of the model has by itself. U_e, epistemic: how far its samples "
    "contradict each other. U_t: their sum."
)

_NAMES = {
    **SYMBOLS,
    "confidence": "confidence",
    "jsd": "JSD",
    "nll": "NLL",
    "brier": "Brier score",
    "disagreement": "disagreement d",
    "majority": "annotators' class",
    "predicted": "predicted class",
    "n_votes": "number of votes",
    "split": "split",
    "width": "width",
    "height": "height",
    "face_id": "dataset order",
    "attr_ita": "skin tone ITA",
    "attr_monk": "skin tone Monk",
}


def names(columns: Mapping[str, Column]) -> dict[str, str]:
    """Column -> its name on the page and in the URL; two columns never share one."""
    found: dict[str, str] = {}
    for column in columns:
        name = _NAMES.get(column) or column.removeprefix(ATTRIBUTE_PREFIX).replace("_", " ")
        found[column] = column if name in found.values() or not name.strip() else name
    return found


def number(value: float | None, unit: str = "") -> str:
    """Two decimals, three below 0.1; whole numbers stay whole.

    >>> number(1.214, "nats"), number(0.0312), number(0.0001), number(48.0), number(1e299), number(None)
    ('1.21 nats', '0.031', '<0.001', '48', '1e+299', '—')
    """
    if value is None or not math.isfinite(value):
        return DASH
    if abs(value) >= 1e15:
        text = f"{value:.3g}"
    elif float(value).is_integer():
        text = f"{value:,.0f}"
    elif 0 < abs(value) < 0.0005:
        text = "<0.001" if value > 0 else ">-0.001"
    else:
        text = f"{value:.3f}" if abs(value) < 0.1 else f"{value:,.2f}"
    return f"{text} {unit}".strip()


def count(value: int, noun: str = "") -> str:
    """
    >>> count(35710, "face"), count(1, "vote")
    ('35,710 faces', '1 vote')
    """
    return f"{value:,} {noun}{'' if value == 1 or not noun else 's'}".strip()


def duration(seconds: float) -> str:
    """
    >>> duration(0.4), duration(75), duration(7384)
    ('0.4 s', '1 min 15 s', '2 h 3 min')
    """
    if seconds < 60:
        return f"{seconds:.1f} s" if seconds < 10 else f"{seconds:.0f} s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest} s" if minutes < 60 else f"{minutes // 60} h {minutes % 60} min"


def plain(text: object) -> str:
    """Text from the data, so that Markdown shows it as it is: no image, link or formula can hide in a file name.

    >>> print(plain("![x](http://a.b/c.png) $5$ in_the-wild -- x"))
    \\!\\[x\\](http\\://a.b/c.png) \\$5\\$ in_the-wild \\-- x
    """
    return re.sub(r"([\\`*{}\[\]<>#!|~$:&]|(?<!\w)_|_(?!\w)|^[-+]|-(?=-))", r"\\\1", str(text)).replace("\n", " ")
