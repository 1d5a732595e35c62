"""`build` and `embed`: from images to a cache, and from its features to maps."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from engine.commands.shared import command_line, plain_errors

if TYPE_CHECKING:
    from cache.manifest import Manifest
    from engine.config import EmbedConfig


def build(
    source: Annotated[str, typer.Argument(help="ferplus:PATH, folder:PATH, table:FILE or probe:")],
    out: Annotated[Path, typer.Option(help="Folder of the cache, e.g. data/ferplus")],
    model: Annotated[
        list[str] | None,
        typer.Option(help="compact-ensemble, compact-dropout, compact, baseline, uncnet ...: all in docs/models"),
    ] = None,
    features: Annotated[
        list[str] | None,
        typer.Option(help="Keep FaceNet features: facenet-casia-webface-mixed-7a, ..., facenet-vggface2: six layers"),
    ] = None,
    labels: Annotated[Path | None, typer.Option(help="CSV of votes or labels, for folder: and table:")] = None,
    faces: Annotated[str, typer.Option(help="crop: each image is a face; detect: find faces in photos")] = "crop",
    limit: Annotated[int | None, typer.Option(min=1, help="Only the first N inputs")] = None,
    device: Annotated[str, typer.Option(help="auto, cpu or cuda")] = "auto",
    precision: Annotated[str, typer.Option(help="auto, fp32 or bf16, of the trunks")] = "auto",
    batch: Annotated[int | None, typer.Option(min=1, help="Faces per forward pass")] = None,
    samples: Annotated[bool, typer.Option(help="Keep all samples, for the spread in a face's detail")] = True,
    classes: Annotated[str | None, typer.Option(help="a,b,c: of a SOURCE that names none and has no --model")] = None,
    measure: Annotated[
        bool, typer.Option("--measure", help="Measure skin tone, pose, light and sharpness; docs/attributes.md")
    ] = False,
    attributes: Annotated[
        Path | None, typer.Option(help="CSV or Parquet of what you know of the faces, by source; docs/attributes.md")
    ] = None,
    embed: Annotated[bool, typer.Option("--embed", help="Then map the faces by these models' features")] = False,
) -> None:  # fmt: skip
    """Score every face of SOURCE into a cache. Run it again to resume, or with another --model to add that model."""
    with plain_errors():
        from engine.backbones.facenet import named
        from engine.config import BuildConfig, EmbedConfig
        from engine.imports.attribute_file import table_name
        from engine.imports.attributes import report
        from engine.pipeline import build as run
        from engine.progress import progress_bar
        from engine.sources import open_source
        from engine.sources.rows import FER_CLASSES

        if faces not in ("crop", "detect"):
            raise ValueError(f"Unknown --faces '{faces}'. Use crop or detect.")
        config = BuildConfig(
            source, out, tuple(dict.fromkeys(model or ())), labels, faces, limit, device, precision, batch,
            samples=samples, features=named(features or ()),
            classes=None if classes is None else tuple(name.strip() for name in classes.split(",")),
            measure=measure, attributes=attributes,
        )  # fmt: skip
        opened = open_source(source, labels)
        total = opened.count
        with progress_bar(f"Building {out}", min(total, limit) if total and limit else limit or total) as bar:
            manifest = run(config, bar.advance, command=command_line())
        rejected = manifest.rows("rejects")
        typer.echo(
            f"{out}: {manifest.faces:,} faces, {rejected:,} rejected inputs, "
            f"models: {', '.join(manifest.models) or 'none'}. {bar.report()}"
        )
        if measure:
            typer.echo(f"Measured in every face: {', '.join(_measured(manifest))}.")
        if attributes is not None:
            for line in report(out, manifest, table_name(attributes)):
                typer.echo(line)
        if not (opened.classes or model or classes) and manifest.classes == FER_CLASSES:
            typer.echo(f"Neither SOURCE nor --classes names any classes, so they are FER+'s: {', '.join(FER_CLASSES)}.")
        if embed:
            draw_maps(
                EmbedConfig(out, tuple(dict.fromkeys(manifest.models[name].backbones[0] for name in config.models)))
            )
        typer.echo(f"Browse it: make app CACHE={out}")


def _measured(manifest: "Manifest") -> list[str]:
    from cache.attributes import MEASURED

    return [column.removeprefix("attr_") for column in manifest.attributes[MEASURED].columns]


def embed(
    cache: Annotated[Path, typer.Argument(help="Folder of a cache")],
    space: Annotated[
        list[str] | None, typer.Option(help="Features, or a model that keeps none; left out: those of every model")
    ] = None,
    method: Annotated[str, typer.Option(help="umap, pca or both")] = "both",
    neighbours: Annotated[int, typer.Option(min=0, help="Nearest faces of each face to keep; 0: none")] = 10,
    seed: Annotated[int, typer.Option(min=0, max=2**31 - 1, help="Of UMAP")] = 20,
) -> None:
    """Draw maps of a cache's faces, and find the nearest faces of each, by the features that it keeps."""
    with plain_errors():
        from engine.config import EmbedConfig

        draw_maps(EmbedConfig(cache, tuple(space or ()), method, neighbours, seed))
        typer.echo(f"Browse it: make app CACHE={cache}")


def draw_maps(config: "EmbedConfig") -> None:
    """Draw the maps; in the end, or when it is stopped, say what has been made."""
    from engine.embed import embed
    from engine.progress import stages_bar

    lines: list[str] = []
    try:
        with stages_bar(f"Mapping {config.cache}") as show:
            for line in embed(config, show):
                lines.append(line)  # the bar has the screen until then
    finally:
        for line in lines:
            typer.echo(line)
