"""The commands: parse, call, report. Everything they say on failure is one sentence with the next step."""

import logging
import shlex
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from engine.config import EmbedConfig

app = typer.Typer(
    add_completion=False, no_args_is_help=True, pretty_exceptions_enable=False,
    help="Doubtscope's engine: from images to a cache of predictions and uncertainty.",
)  # fmt: skip

INTERRUPTED = 130  # what shells report after Ctrl-C


@app.command()
def build(
    source: Annotated[str, typer.Argument(help="ferplus:PATH, folder:PATH, table:FILE or probe:")],
    out: Annotated[Path, typer.Option(help="Folder of the cache, e.g. data/ferplus")],
    model: Annotated[
        list[str] | None,
        typer.Option(help="compact, compact-dropout, compact-ensemble, baseline, uncnet, uncnet-ensemble"),
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
    embed: Annotated[bool, typer.Option("--embed", help="Then map the faces by these models' features")] = False,
) -> None:  # fmt: skip
    """Score every face of SOURCE into a cache. Run it again to resume, or with another --model to add that model."""
    with _plain_errors():
        from engine.backbones.facenet import named
        from engine.config import BuildConfig, EmbedConfig
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
        )  # fmt: skip
        opened = open_source(source, labels)
        total = opened.count
        with progress_bar(f"Building {out}", min(total, limit) if total and limit else limit or total) as bar:
            manifest = run(config, bar.advance, command=_command())
        rejected = manifest.rows("rejects")
        typer.echo(
            f"{out}: {manifest.faces:,} faces, {rejected:,} rejected inputs, "
            f"models: {', '.join(manifest.models) or 'none'}. {bar.report()}"
        )
        if not (opened.classes or model or classes) and manifest.classes == FER_CLASSES:
            typer.echo(f"Neither SOURCE nor --classes names any classes, so they are FER+'s: {', '.join(FER_CLASSES)}.")
        if embed:
            _embed(EmbedConfig(out, tuple(dict.fromkeys(manifest.models[name].backbones[0] for name in config.models))))
        typer.echo(f"Browse it: make app CACHE={out}")


@app.command(name="embed")
def embed_command(
    cache: Annotated[Path, typer.Argument(help="Folder of a cache")],
    space: Annotated[
        list[str] | None, typer.Option(help="Features, or a model that keeps none; left out: those of every model")
    ] = None,
    method: Annotated[str, typer.Option(help="umap, pca or both")] = "both",
    neighbours: Annotated[int, typer.Option(min=0, help="Nearest faces of each face to keep; 0: none")] = 10,
    seed: Annotated[int, typer.Option(min=0, max=2**31 - 1, help="Of UMAP")] = 20,
) -> None:
    """Draw maps of a cache's faces, and find the nearest faces of each, by the features that it keeps."""
    with _plain_errors():
        from engine.config import EmbedConfig

        _embed(EmbedConfig(cache, tuple(space or ()), method, neighbours, seed))
        typer.echo(f"Browse it: make app CACHE={cache}")


@app.command()
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
    with _plain_errors():
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


@app.command()
def evaluate(
    cache: Annotated[Path, typer.Argument(help="Folder of a cache")],
    split: Annotated[str | None, typer.Option(help="Only this split; 'all' is every face")] = None,
    json: Annotated[Path | None, typer.Option(help="Also write everything to this file")] = None,
    markdown: Annotated[Path | None, typer.Option(help="Also write the tables to this file (docs/results.md)")] = None,
    gap: Annotated[list[Path] | None, typer.Option(help="What explain-gap wrote; a section of --markdown")] = None,
) -> None:
    """Print every headline statistic of a cache, and the first paper's tables beside its own values."""
    with _plain_errors():
        from engine.evaluate import evaluate as run
        from engine.progress import steps_bar

        with steps_bar(f"Measuring {cache}"):
            report = run(cache, split, tuple(gap or ()))
        typer.echo(report.text)
        for file, content in ((json, report.json), (markdown, report.markdown)):
            if file is not None:
                file.write_text(content, encoding="utf-8")


@app.command()
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
    with _plain_errors():
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


@app.command()
def train(
    recipe: Annotated[str, typer.Argument(help="compact, uncnet or layers")],
    data: Annotated[
        str, typer.Option(help="For compact a source, e.g. ferplus:PATH; else a cache that keeps features")
    ],
    out: Annotated[Path, typer.Option(help="Weights to write (.safetensors)")],
    runs: Annotated[Path, typer.Option(help="compact: folder of checkpoints that a rerun resumes")] = Path(
        "runs/compact"
    ),
    device: Annotated[str, typer.Option(help="auto, cpu or cuda")] = "auto",
    jobs: Annotated[int, typer.Option(min=1, help="Members trained at once; on CPUs one per core is fastest")] = 1,
    epochs: Annotated[int | None, typer.Option(min=1, help="Instead of the recipe's")] = None,
    members: Annotated[int | None, typer.Option(min=1, help="Instead of the recipe's")] = None,
) -> None:
    """Train the models that ship, from their seeds: the compact network, or heads on FaceNet's features."""
    with _plain_errors():
        from dataclasses import replace

        from engine.config import HeadConfig, TrainConfig

        if recipe == "compact":
            from engine.train import train_compact

            config = TrainConfig()
            config = replace(config, epochs=epochs or config.epochs, members=members or config.members)
            train_compact(data, out, runs, config, device, jobs)
        elif recipe in ("uncnet", "layers"):
            from engine.train_heads import train_layers, train_uncnet

            run = train_uncnet if recipe == "uncnet" else train_layers
            run(Path(data), out, replace(HeadConfig(), epochs=epochs or HeadConfig.epochs), jobs)
        else:
            raise ValueError(f"There is no recipe '{recipe}'. Choose from: compact, uncnet, layers.")
        typer.echo(f"Wrote {out}.")


@app.command()
def weights(
    name: Annotated[str, typer.Argument(help="casia-webface or vggface2")],
    file: Annotated[Path | None, typer.Option(help="Convert this file, carried over from another machine")] = None,
) -> None:
    """Find, verify and convert a pretrained FaceNet trunk into the user's cache folder."""
    with _plain_errors():
        from engine.weights.facenet import get

        path = get(name, file, say=typer.echo)
        typer.echo(f"The trunk '{name}' is at {path}.")


@app.command()
def export(
    cache: Annotated[Path, typer.Argument(help="Folder of a cache")],
    out: Annotated[Path, typer.Option(help="File to write: .csv, .parquet, or .zip with a thumbnail of each face")],
    name: Annotated[str | None, typer.Option("--slice", help="Only the faces of this slice, saved in the app")] = None,
    model: Annotated[
        str | None, typer.Option(help="Whose predictions to write; at first the slice's, or the cache's first")
    ] = None,
) -> None:
    """Write faces, votes and predictions to a file, with the query that chose them."""
    with _plain_errors():
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


@app.command()
def score(
    photos: Annotated[
        list[Path], typer.Argument(help="Image files: JPEG, PNG, WebP, BMP, GIF, TIFF", metavar="PHOTO...")
    ],
    model: Annotated[
        str, typer.Option(help="compact, compact-dropout, compact-ensemble, baseline, uncnet, uncnet-ensemble")
    ] = "compact-ensemble",
    whole: Annotated[bool, typer.Option("--whole", help="Each image is a face already: do not look for faces")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON: every probability, boxes in pixels")] = False,
    device: Annotated[str, typer.Option(help="auto, cpu or cuda")] = "auto",
    precision: Annotated[str, typer.Option(help="auto, fp32 or bf16, of the trunks")] = "auto",
) -> None:
    """Find the faces in photos and print what the model sees in each, and how sure it is. Nothing is written."""
    with _plain_errors():
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


@app.command()
def doctor() -> None:
    """Say what works here - device, packages, weights, caches - and what to do about the rest."""
    with _plain_errors():
        from engine.doctor import checks

        failed = False
        for check in checks():
            typer.echo(f"{'ok  ' if check.ok else 'FAIL'}  {check.name:<9} {check.finding}")
            failed = failed or not check.ok
        if failed:
            raise typer.Exit(1)


def _embed(config: "EmbedConfig") -> None:
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


@contextmanager
def _plain_errors() -> Iterator[None]:
    """Turn everything expected into one sentence on stderr and a non-zero exit."""
    from cache.errors import CacheError
    from engine.sources.rows import SourceProblem

    try:
        yield
    except KeyboardInterrupt:
        typer.echo("\nStopped. Nothing is lost: run the same command again and it goes on from here.", err=True)
        raise typer.Exit(INTERRUPTED) from None
    except (CacheError, SourceProblem, ValueError, OSError) as problem:
        typer.echo(f"Error: {problem}", err=True)
        raise typer.Exit(1) from None
    except RuntimeError as problem:
        if "out of memory" not in str(problem).lower():
            raise
        typer.echo("Error: the device ran out of memory. Run the same command with a smaller --batch.", err=True)
        raise typer.Exit(1) from None


def _command() -> str:
    return shlex.join(["python", "-m", "engine", *sys.argv[1:]])


def main() -> None:
    logging.basicConfig(level=logging.WARNING, format="%(message)s")
    app()
