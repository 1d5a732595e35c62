"""`score` and `doctor`: a quick look at a photo, and at this machine."""

from pathlib import Path
from typing import Annotated, Any

import typer

from engine.commands.shared import plain_errors


def score(
    photos: Annotated[
        list[Path], typer.Argument(help="Image files: JPEG, PNG, WebP, BMP, GIF, TIFF", metavar="PHOTO...")
    ],
    model: Annotated[
        str, typer.Option(help="compact-ensemble, compact-dropout, compact, baseline, uncnet ...: all in docs/models")
    ] = "compact-ensemble",
    whole: Annotated[bool, typer.Option("--whole", help="Each image is a face already: do not look for faces")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON: every probability, boxes in pixels")] = False,
    device: Annotated[str, typer.Option(help="auto, cpu or cuda")] = "auto",
    precision: Annotated[str, typer.Option(help="auto, fp32 or bf16, of the trunks")] = "auto",
) -> None:
    """Find the faces in photos and print what the model sees in each, and how sure it is. Nothing is written."""
    with plain_errors():
        from engine.progress import progress_bar
        from engine.scores import records
        from engine.scores_text import as_json_text, as_table
        from engine.scoring import scorer_of
        from engine.sources.rows import ImageProblem

        scorer = scorer_of(model, device, precision)
        faces: list[dict[str, Any]] = []  # without the pictures, which would add up
        problems: dict[str, str] = {}
        with progress_bar("Scoring", len(photos)) as bar:
            for photo in photos:
                try:
                    found = scorer.photo(photo, str(photo), whole=whole)
                except ImageProblem as problem:
                    problems[str(photo)] = str(problem)
                    bar.advance(1, 0)
                    continue
                faces += records([found])
                if not found.faces:
                    problems[str(photo)] = f"No face found in {found.name}. Add --whole to score the image itself."
                if found.left_out:
                    problems[str(photo)] = f"{found.name} has {found.left_out} more faces, the smallest, left out."
                bar.advance(1, len(found.faces))
        if as_json:
            typer.echo(as_json_text(faces, scorer.model, problems))
        elif faces:
            typer.echo(as_table(faces))
        for sentence in problems.values():
            typer.echo(sentence, err=True)
        if problems:
            raise typer.Exit(1)


def doctor() -> None:
    """Say what works here - device, packages, weights, caches - and what to do about the rest."""
    with plain_errors():
        from engine.doctor import checks

        failed = False
        for check in checks():
            typer.echo(f"{'ok  ' if check.ok else 'FAIL'}  {check.name:<9} {check.finding}")
            failed = failed or not check.ok
        if failed:
            raise typer.Exit(1)
