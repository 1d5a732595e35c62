"""`report`: what a cache shows of one model, as one HTML file to attach to a paper or a review."""

from pathlib import Path
from typing import Annotated

import typer

from engine.commands.shared import plain_errors


def report(
    cache: Annotated[Path, typer.Argument(help="Folder of a cache")],
    out: Annotated[Path, typer.Option(help="File to write (.html)")],
    model: Annotated[str | None, typer.Option(help="Left out: the first model of the cache that has a U_e")] = None,
    split: Annotated[str | None, typer.Option(help="'all' is every face; left out: test, where there is one")] = None,
) -> None:
    """Write the overview, the bias audit, calibration, rejection and the manifest into one file that opens offline."""
    with plain_errors():
        from cache.files import write_whole
        from cache.reader import Cache
        from engine.progress import steps_bar
        from pages.report.report import report as html
        from pages.report.report import steps
        from pages.report.subject import subject_of

        expect_file(out)
        subject = subject_of(Cache(cache), model, split)
        with steps_bar(f"Writing {out}", steps(subject)) as step:
            content = html(subject, step).encode()
            write_whole(out, content)
        typer.echo(
            f"{out}: {subject.of}, {subject.n:,} faces, {len(content) / 1e6:.1f} MB. Opens offline in any browser."
        )


def expect_file(path: Path) -> None:
    """Raises ValueError for a file that could not be written."""
    if path.is_dir():
        raise ValueError(f"{path} is a folder. Name a file in it: --out {path / 'report.html'}")
    if path.suffix.lower() not in (".html", ".htm"):
        raise ValueError(f"The report is HTML, and '{path.name}' does not say so. Let it end in .html.")
    if not path.parent.is_dir():
        raise ValueError(f"There is no folder {path.parent}. Make it first, or choose another --out.")
