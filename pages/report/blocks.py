"""What a report is made of. Texts are plain: the template escapes every one of them."""

import base64
import json
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from engine.metrics.bootstrap import Estimate
from pages.report.look import PAPER, TEMPLATE
from pages.widgets.wording import DASH

DIGITS = 7  # of the numbers behind a figure; whole numbers keep all of theirs
FORMULA = re.compile(r"\s*(?:[=+@＝＋＠]|[-－](?![\d.]))")
STACKED = 4  # columns of numbers; of more, intervals stand below their values


@dataclass(frozen=True)
class Cell:
    """A value, and its 95 % interval where it is known. faint: of too few faces."""

    value: str
    interval: str = ""
    faint: bool = False


Rows = tuple[tuple[Cell | str, ...], ...]


@dataclass(frozen=True)
class Text:
    """A paragraph. note: how to read what is above, smaller; warning: what must not be overlooked."""

    text: str
    style: str = ""  # '', 'note' or 'warning'
    kind: ClassVar[str] = "text"


@dataclass(frozen=True)
class Points:
    """A list of paragraphs, each after a term."""

    items: tuple[tuple[str, str], ...]
    kind: ClassVar[str] = "points"


@dataclass(frozen=True)
class Command:
    """What to type."""

    text: str
    kind: ClassVar[str] = "command"


@dataclass(frozen=True)
class Table:
    """Rows of cells or texts; the first column names the rows."""

    caption: str
    head: tuple[str, ...]
    rows: Rows
    numeric: bool = True  # all columns but the first are numbers, aligned on the right
    kind: ClassVar[str] = "table"

    @property
    def stacked(self) -> bool:
        return self.numeric and len(self.head) - 1 > STACKED


@dataclass(frozen=True)
class Figure:
    """A drawing with its alternative text, and the data behind it."""

    caption: str
    alt: str
    spec: str  # JSON of Plotly's data and layout
    csv: str  # a data address
    file: str  # name of what is downloaded, without ending
    height: int  # px
    wide: bool = False  # panels beside each other, which a narrow screen scrolls
    kind: ClassVar[str] = "figure"


Block = Text | Points | Command | Table | Figure


@dataclass(frozen=True)
class Section:
    """A heading with what is below it. name: its anchor."""

    name: str
    title: str
    blocks: tuple[Block, ...]
    parts: tuple["Section", ...] = ()


def figure(fig: go.Figure, data: pd.DataFrame, *, caption: str, alt: str, file: str, wide: bool = False) -> Figure:
    """A chart of pages.charts, in the report's look."""
    fig.update_layout(paper_bgcolor=PAPER, plot_bgcolor=PAPER, dragmode=False)
    name = re.sub(r"[^\w.-]+", "-", file).strip("-")
    return Figure(caption, alt, in_script(spec_of(fig)), csv_address(data), name, int(fig.layout.height), wide)


def spec_of(fig: go.Figure) -> str:
    """JSON of its data and layout. Rounded: the last digits depend on the machine, and nobody can see them."""

    def rounded(value: Any) -> Any:
        if isinstance(value, dict):
            if "bdata" in value:
                return rounded(_decoded(**value).tolist())
            return {key: rounded(item) for key, item in value.items()}
        if isinstance(value, list):
            return [rounded(item) for item in value]
        if not isinstance(value, float):
            return value
        if not math.isfinite(value):
            return None
        return int(value) if value.is_integer() else float(f"{value:.{DIGITS}g}")

    spec = json.loads(fig.to_json())
    wanted = {name: rounded(spec[name]) for name in ("data", "layout")}
    wanted["layout"]["template"] = TEMPLATE  # an update would mix it with Plotly's, and in the app with Streamlit's
    return json.dumps(wanted, sort_keys=True, separators=(",", ":"))  # Plotly's own order changes between processes


def _decoded(dtype: str, bdata: str, shape: str = "") -> np.ndarray:
    """An array as Plotly writes it; shape: '12, 4', and nothing for a row."""
    values = np.frombuffer(base64.b64decode(bdata), dtype=dtype)
    return values.reshape([int(length) for length in shape.split(",")]) if shape else values


def csv_address(data: pd.DataFrame) -> str:
    """A table as a data address. A text that a spreadsheet would run as a formula has an apostrophe before it."""
    texts = data.select_dtypes(exclude="number").columns
    table = data.assign(**{name: [_harmless(value) for value in data[name]] for name in texts})
    content = table.to_csv(index=False, float_format=f"%.{DIGITS}g")
    return f"data:text/csv;charset=utf-8;base64,{base64.b64encode(content.encode()).decode()}"


def _harmless(value: object) -> object:
    return f"'{value}" if isinstance(value, str) and FORMULA.match(value) else value


def in_script(text: str) -> str:
    """JSON that cannot end the script element that it stands in: the signs of markup only occur in its strings.

    >>> in_script('["</script><!--"]')
    '["\\\\u003c/script\\\\u003e\\\\u003c!--"]'
    """
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


def cell(found: Estimate | None, decimals: int = 3, scale: float = 1.0, *, faint: bool = False) -> Cell:
    """As pages.widgets.estimates.cell writes it.

    >>> cell(Estimate(0.8, 0.78, 0.8213, 100), 1, 100.0), cell(None)
    (Cell(value='80.0', interval='[78.0, 82.1]', faint=False), Cell(value='—', interval='', faint=False))
    """
    if found is None or not math.isfinite(found.value):
        return Cell(DASH)
    # 0 is added because a value that rounds to 0 has no sign
    value, low, high = (
        f"{round(scale * number, decimals) + 0.0:.{decimals}f}" for number in (found.value, found.low, found.high)
    )
    known = math.isfinite(found.low) and math.isfinite(found.high)
    return Cell(value, f"[{low}, {high}]" if known else "", faint)


def pairs(caption: str, rows: Mapping[str, str] | Sequence[tuple[str, str]]) -> Table:
    """A table of names and texts."""
    found = rows.items() if isinstance(rows, Mapping) else rows
    return Table(caption, ("", ""), tuple((name, text) for name, text in found), numeric=False)
