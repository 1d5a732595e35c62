"""The commands: parse, call, report. Everything they say on failure is one sentence with the next step."""

import logging
import shlex
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer(
    add_completion=False, no_args_is_help=True, pretty_exceptions_enable=False,
    help="Doubtscope's engine: from images to a cache of predictions and uncertainty.",
)  # fmt: skip

INTERRUPTED = 130  # what shells report after Ctrl-C


@app.command()
def build(
    source: Annotated[str, typer.Argument(help="ferplus:PATH, folder:PATH, table:FILE or probe:")],
    out: Annotated[Path, typer.Option(help="Folder of the cache, e.g. data/ferplus")],
    model: Annotated[list[str] | None, typer.Option(help="compact, compact-dropout, compact-ensemble")] = None,
    labels: Annotated[Path | None, typer.Option(help="CSV of votes or labels, for folder: and table:")] = None,
    faces: Annotated[str, typer.Option(help="crop: each image is a face; detect: find faces in photos")] = "crop",
    limit: Annotated[int | None, typer.Option(min=1, help="Only the first N inputs")] = None,
    device: Annotated[str, typer.Option(help="auto, cpu or cuda")] = "auto",
    precision: Annotated[str, typer.Option(help="auto, fp32 or bf16, of the trunks")] = "auto",
    batch: Annotated[int | None, typer.Option(min=1, help="Faces per forward pass")] = None,
    samples: Annotated[bool, typer.Option(help="Keep all samples, for the spread in a face's detail")] = True,
) -> None:  # fmt: skip
    """Score every face of SOURCE into a cache. Run it again to resume, or with another --model to add that model."""
    with _plain_errors():
        from engine.config import BuildConfig
        from engine.pipeline import build as run
        from engine.progress import progress_bar
        from engine.sources import open_source

        if faces not in ("crop", "detect"):
            raise ValueError(f"Unknown --faces '{faces}'. Use crop or detect.")
        config = BuildConfig(
            source, out, tuple(dict.fromkeys(model or ())), labels, faces, limit, device, precision, batch,
            samples=samples,
        )  # fmt: skip
        total = open_source(source, labels).count
        with progress_bar(f"Building {out}", min(total, limit) if total and limit else limit or total) as bar:
            manifest = run(config, bar.advance, command=_command())
        rejected = manifest.rows("rejects")
        typer.echo(
            f"{out}: {manifest.faces:,} faces, {rejected:,} rejected inputs, "
            f"models: {', '.join(manifest.models) or 'none'}. {bar.report()}"
        )
        typer.echo(f"Browse it: make app CACHE={out}")


@app.command()
def evaluate(
    cache: Annotated[Path, typer.Argument(help="Folder of a cache")],
    split: Annotated[str | None, typer.Option(help="Only this split; 'all' is every face")] = None,
    json: Annotated[Path | None, typer.Option(help="Also write the table to this file")] = None,
) -> None:
    """Print every headline statistic of a cache with its 95 % interval and n."""
    with _plain_errors():
        from engine.evaluate import headline, to_json, to_text

        rows = headline(cache, split)
        typer.echo(to_text(rows))
        if json is not None:
            json.write_text(to_json(rows), encoding="utf-8")


@app.command()
def train(
    recipe: Annotated[str, typer.Argument(help="compact")],
    data: Annotated[str, typer.Option(help="A source with train and validation splits, e.g. ferplus:PATH")],
    out: Annotated[Path, typer.Option(help="Weights to write (.safetensors)")],
    runs: Annotated[Path, typer.Option(help="Folder of checkpoints; the same folder resumes")] = Path("runs/compact"),
    device: Annotated[str, typer.Option(help="auto, cpu or cuda")] = "auto",
    jobs: Annotated[int, typer.Option(min=1, help="Members trained at once; on CPUs one per core is fastest")] = 1,
    epochs: Annotated[int | None, typer.Option(min=1, help="Instead of the recipe's")] = None,
    members: Annotated[int | None, typer.Option(min=1, help="Instead of the recipe's")] = None,
) -> None:
    """Train the compact model's members from their seeds. Stop it at any time: the same command resumes."""
    with _plain_errors():
        from dataclasses import replace

        from engine.config import TrainConfig
        from engine.train import train_compact

        if recipe != "compact":
            raise ValueError(f"There is no recipe '{recipe}'. The recipe is: compact.")
        config = TrainConfig()
        config = replace(config, epochs=epochs or config.epochs, members=members or config.members)
        train_compact(data, out, runs, config, device, jobs)
        typer.echo(f"Wrote {out}.")


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
