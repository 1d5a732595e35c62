"""`report`: what a cache shows of one model, as one HTML file to attach to a paper or a review."""

import os
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
        from cache.reader import Cache
        from engine.progress import steps_bar
        from pages.report.report import report as html
        from pages.report.report import steps
        from pages.report.subject import subject_of

        expect_file(out)
        subject = subject_of(Cache(cache), model, split)
        with steps_bar(f"Writing {out}", steps(subject)) as step:
            size = write(html(subject, step), out)
        typer.echo(f"{out}: {subject.of}, {subject.n:,} faces, {size / 1e6:.1f} MB. Opens offline in any browser.")


def expect_file(path: Path) -> None:
    """Raises ValueError for a file that `write` could not write."""
    if path.is_dir():
        raise ValueError(f"{path} is a folder. Name a file in it: --out {path / 'report.html'}")
    if path.suffix.lower() not in (".html", ".htm"):
        raise ValueError(f"The report is HTML, and '{path.name}' does not say so. Let it end in .html.")
    if not path.parent.is_dir():
        raise ValueError(f"There is no folder {path.parent}. Make it first, or choose another --out.")


def write(text: str, path: Path) -> int:
    """All of it, or nothing. Returns the number of bytes."""
    content = text.encode()
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        with temporary.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)
    return len(content)
