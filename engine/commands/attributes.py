"""`attributes`: what a user knows of the faces, into a cache."""

from pathlib import Path
from typing import Annotated

import typer

from engine.commands.shared import plain_errors


def attributes(
    file: Annotated[
        Path, typer.Argument(help="CSV or Parquet: source, and a column per attribute; docs/attributes.md")
    ],
    cache: Annotated[Path, typer.Option(help="Folder of the cache that has the faces")],
    replace: Annotated[bool, typer.Option("--replace", help="Take the place of an earlier file of that name")] = False,
) -> None:
    """Add what you know of the faces, such as age or light, to a cache: to filter, colour and compare by."""
    with plain_errors():
        from engine.imports.attributes import import_attributes, report

        for line in report(cache, *import_attributes(file, cache, again=replace)):
            typer.echo(line)
        typer.echo(f"Browse it: make app CACHE={cache}")
