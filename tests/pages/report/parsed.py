"""A report taken apart, as a browser would."""

import base64
import hashlib
import json
import re
from dataclasses import dataclass, field
from html.parser import HTMLParser

SPACE = re.compile(r"\s+")


@dataclass
class Report(HTMLParser):
    """Its elements, its visible text, and its tables by caption."""

    html: str
    tags: list[tuple[str, dict[str, str | None]]] = field(default_factory=list)
    scripts: list[tuple[str | None, str]] = field(default_factory=list)  # type, content
    tables: dict[str, list[list[str]]] = field(default_factory=dict)
    words: list[str] = field(default_factory=list)
    inside: str = ""

    def __post_init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.feed(self.html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        self.inside = tag if tag in ("script", "style", "title") else ""
        if tag == "script":
            self.scripts.append((dict(attrs).get("type"), ""))
        if tag == "table":
            self.tables[str(dict(attrs)["aria-label"])] = []
        if tag == "tr":
            self.rows.append([])
        if tag in ("td", "th"):
            self.rows[-1].append("")

    @property
    def rows(self) -> list[list[str]]:
        return self.tables[next(reversed(self.tables))]

    def handle_endtag(self, tag: str) -> None:
        self.inside = ""
        if tag == "table":
            self.tables["", len(self.tables)] = [[""]]  # texts after a table are not its own

    def handle_data(self, data: str) -> None:
        if self.inside == "script":
            kind, text = self.scripts[-1]
            self.scripts[-1] = kind, text + data
        if self.inside:
            return
        self.words.append(data)
        if self.tables and self.rows and self.rows[-1]:
            self.rows[-1][-1] += data

    @property
    def text(self) -> str:
        return SPACE.sub(" ", " ".join(self.words))

    @property
    def headings(self) -> list[str]:
        return re.findall(r"<h2>([^<]*)</h2>", self.html)[1:]  # the first is that of the contents

    @property
    def figures(self) -> list[dict]:
        return [json.loads(text) for kind, text in self.scripts if kind == "application/json"][:-1]

    @property
    def policy(self) -> str:
        return next(str(a["content"]) for t, a in self.tags if a.get("http-equiv") == "Content-Security-Policy")

    def named(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.tags if name == tag]

    def table(self, part: str) -> dict[str, list[str]]:
        """The table whose caption holds the words: first cell -> the others; the head under ''."""
        found = [rows for caption, rows in self.tables.items() if isinstance(caption, str) and part in caption]
        assert len(found) == 1, [c for c in self.tables if isinstance(c, str)]
        rows = [[SPACE.sub(" ", cell).strip() for cell in row] for row in found[0]]
        return {row[0]: row[1:] for row in rows}


def hash_of(script: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()}'"
