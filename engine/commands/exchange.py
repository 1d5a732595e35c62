"""`import-predictions` and `export`: other programs' predictions in, faces and predictions out."""

from pathlib import Path
from typing import Annotated

import typer

from engine.commands.shared import plain_errors


def import_predictions(
    file: Annotated[Path, typer.Argument(help=".npz, .npy or .parquet of class probabilities; docs/import.md")],
    cache: Annotated[Path, typer.Option(help="Folder of the cache that has the faces")],
    name: Annotated[str, typer.Option(help="What the model is called on every page")],
    title: Annotated[str | None, typer.Option(help="What it is, in a few words")] = None,
    logits: Annotated[bool, typer.Option("--logits", help="The numbers are logits")] = False,
    samples: Annotated[bool, typer.Option(help="Keep all samples, for the spread in a face's detail")] = True,
    replace: Annotated[bool, typer.Option("--replace", help="Take the place of an earlier import")] = False,
) -> None:
    """Add the predictions of any model, made anywhere, to the faces of a cache."""
    with plain_errors():
        from cache import manifest as manifests
        from engine.config import ImportConfig
        from engine.imports.importing import import_predictions as run
        from engine.progress import progress_bar

        config = ImportConfig(file, cache, name, title, logits, samples, replace)
        with progress_bar(f"Importing {name}", manifests.load(cache).faces) as bar:
            done = run(config, bar.advance)
        typer.echo(f"'{name}' covers {done.covered:,} of {done.faces:,} faces, S = {done.info.samples}. {bar.report()}")
        if not done.ordered:
            typer.echo(f"Its columns were taken in the order of the cache's classes: {', '.join(done.classes)}.")
        if done.voted:
            typer.echo(
                f"Accuracy: {done.accuracy:.1%} of {done.voted:,} faces. Where that surprises, look at the order."
            )
        typer.echo(f"Browse it: make app CACHE={cache}")


def export(
    cache: Annotated[Path, typer.Argument(help="Folder of a cache")],
    out: Annotated[Path, typer.Option(help="File to write: .csv, .parquet, or .zip with a thumbnail of each face")],
    name: Annotated[str | None, typer.Option("--slice", help="Only the faces of this slice, saved in the app")] = None,
    model: Annotated[
        str | None, typer.Option(help="Whose predictions to write; at first the slice's, or the cache's first")
    ] = None,
) -> None:
    """Write faces, votes and predictions to a file, with the query that chose them."""
    with plain_errors():
        from cache.export import expect_file, select, write_file
        from cache.reader import EVERYTHING, Cache
        from cache.slices import find
        from engine.progress import progress_bar

        expect_file(out)
        opened = Cache(cache)
        chosen = find(cache, name) if name is not None else None
        model = model or (chosen.model if chosen else None) or next(iter(opened.models), None)
        where = chosen.narrowed(model) if chosen else EVERYTHING
        faces = select(opened, model, where, name=chosen.name if chosen else "", address=chosen.query if chosen else "")
        with progress_bar(f"Writing {out}", len(faces.ids)) as bar:
            files = write_file(faces, out, lambda written: bar.advance(written, written))
        typer.echo(f"{' and '.join(map(str, files))}: {len(faces.ids):,} faces. {bar.report()}")
