"""The report of one model of a cache: one HTML file that needs nothing else, not even a network."""

import base64
import hashlib
import json
from collections.abc import Callable
from functools import cache as once
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined, Template
from markupsafe import Markup
from plotly.offline import get_plotlyjs

from pages.findings.overview import MEANING
from pages.report.audit import NAME, TITLE, Faces, audited, introduction
from pages.report.blocks import Section, in_script
from pages.report.calibration import calibration
from pages.report.limits import limits
from pages.report.look import DARK
from pages.report.origin import origin, when
from pages.report.overview import overview
from pages.report.probe import is_of, probe
from pages.report.rejection import rejection
from pages.report.subject import Subject

FOLDER = Path(__file__).parent
ALONGSIDE = 3  # long steps beside the audit's


def steps(subject: Subject) -> int:
    """How often `report` calls `step`."""
    return ALONGSIDE + len(Faces(subject).shown) + is_of(subject)


def report(subject: Subject, step: Callable[[], None] = lambda: None) -> str:
    """The HTML text; the same subject gives the same text.

    step: called after each of `steps` parts. The text holds no image of a face, no path of the machine, and whatever
    the data say only as text. A Content-Security-Policy forbids every request, and every script but its own two.
    """

    def done(section: Section) -> Section:
        step()
        return section

    faces = Faces(subject)
    first = done(overview(subject))
    groups = tuple(done(audited(faces, name)) for name in faces.shown)
    sections = [
        first,
        Section(NAME, TITLE, introduction(faces), groups),
        done(calibration(subject)),
        done(rejection(subject)),
        *([done(probe(subject))] if is_of(subject) else []),
        limits(subject),
        origin(subject),
    ]
    return page(subject, sections)


def page(subject: Subject, sections: list[Section]) -> str:
    template = _template()
    plotly = get_plotlyjs()
    script = "".join(template.blocks["script"](template.new_context()))
    manifest = subject.cache.manifest
    return template.render(
        title=subject.title,
        note=manifest.source.note,
        facts=[
            ("Model", subject.model),
            ("Faces", subject.described(subject.n)),
            ("Built", when(manifest.updated)),
        ],
        meaning=MEANING.split("**"),  # every other piece is in bold
        sections=sections,
        dark=Markup(in_script(json.dumps(DARK))),
        plotly=Markup(plotly),
        style=Markup((FOLDER / "page.css").read_text(encoding="utf-8")),
        policy=policy(plotly, script),
        markup=Markup,
    )


def policy(*scripts: str) -> str:
    """Nothing may be fetched; only these scripts run. blob: is the drawing on its way to a PNG."""
    hashes = " ".join(f"'sha256-{base64.b64encode(hashlib.sha256(s.encode()).digest()).decode()}'" for s in scripts)
    return (
        f"default-src 'none'; script-src {hashes}; style-src 'unsafe-inline'; img-src data: blob:; "
        "base-uri 'none'; form-action 'none'"
    )


@once
def _template() -> Template:
    environment = Environment(
        loader=FileSystemLoader(FOLDER),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=StrictUndefined,
    )
    return environment.get_template("page.html")
