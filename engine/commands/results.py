"""`evaluate` and `explain-gap`: what the models of a cache are worth."""

from pathlib import Path
from typing import Annotated

import typer

from engine.commands.shared import plain_errors


def evaluate(
    cache: Annotated[Path, typer.Argument(help="Folder of a cache")],
    split: Annotated[str | None, typer.Option(help="Only this split; 'all' is every face")] = None,
    json: Annotated[Path | None, typer.Option(help="Also write everything to this file")] = None,
    markdown: Annotated[Path | None, typer.Option(help="Also write the tables to this file (docs/results.md)")] = None,
    gap: Annotated[list[Path] | None, typer.Option(help="What explain-gap wrote; a section of --markdown")] = None,
    skew: Annotated[Path | None, typer.Option(help="What probe --json wrote; a section of --markdown")] = None,
) -> None:
    """Print every headline statistic of a cache, and the first paper's tables beside its own values."""
    with plain_errors():
        from engine.evaluate import evaluate as run
        from engine.progress import steps_bar

        with steps_bar(f"Measuring {cache}"):
            report = run(cache, split, tuple(gap or ()), skew)
        typer.echo(report.text)
        for file, content in ((json, report.json), (markdown, report.markdown)):
            if file is not None:
                file.write_text(content, encoding="utf-8")


def explain_gap(
    source: Annotated[str, typer.Argument(help="FER+ with its train and validation splits: ferplus:PATH")],
    out: Annotated[Path, typer.Option(help="File to write (.json)")],
    faces: Annotated[int, typer.Option(min=100, help="Training faces drawn; half as many for validation")] = 5000,
    what: Annotated[
        str,
        typer.Option(
            help="variants: one change at a time; layers: table 1 in the ways that come near it; uncnet: the rest"
        ),
    ] = "variants",
) -> None:
    """Try what may have kept the first paper's accuracies low, one difference at a time. Takes about half an hour."""
    with plain_errors():
        from engine.paper import gap, unscaled

        if what == "variants":
            found = gap.to_json(gap.explain(source, faces, lambda finding: typer.echo(gap.line(finding))))
        elif what == "layers":
            found = gap.to_json(gap.on_all_faces(source, lambda layer: typer.echo(gap.line(layer))))
        elif what == "uncnet":
            found = unscaled.to_json(unscaled.on_unscaled_pixels(source, typer.echo))
        else:
            raise ValueError(f"There is no '{what}' to explain. Choose from: variants, layers, uncnet.")
        out.write_text(found, encoding="utf-8")
