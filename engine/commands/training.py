"""`train` and `weights`: where models come from."""

from pathlib import Path
from typing import Annotated

import typer

from engine.commands.shared import plain_errors


def train(
    recipe: Annotated[str, typer.Argument(help="compact, uncnet, layers or skew")],
    data: Annotated[
        str,
        typer.Option(help="For compact a source, e.g. ferplus:PATH; for skew probe:; else a cache that keeps features"),
    ],
    out: Annotated[Path, typer.Option(help="Weights to write (.safetensors)")],
    runs: Annotated[
        Path | None, typer.Option(help="Folder of checkpoints that a rerun resumes; left out: runs/RECIPE")
    ] = None,
    device: Annotated[str, typer.Option(help="auto, cpu or cuda")] = "auto",
    jobs: Annotated[int, typer.Option(min=1, help="Members trained at once; on CPUs one per core is fastest")] = 1,
    epochs: Annotated[int | None, typer.Option(min=1, help="Instead of the recipe's")] = None,
    members: Annotated[int | None, typer.Option(min=1, help="Instead of the recipe's")] = None,
) -> None:
    """Train the models that ship, from their seeds: compact networks, or heads on FaceNet's features."""
    with plain_errors():
        from dataclasses import replace

        from engine.config import HeadConfig, SkewConfig, TrainConfig

        if recipe in ("compact", "skew"):
            from engine.skew import train_skew
            from engine.train import train_compact

            config = SkewConfig() if recipe == "skew" else TrainConfig()
            config = replace(config, epochs=epochs or config.epochs, members=members or config.members)
            folder = runs or Path("runs") / recipe
            if isinstance(config, SkewConfig):
                train_skew(data, out, folder, config, device, jobs)
            else:
                train_compact(data, out, folder, config, device, jobs)
        elif recipe in ("uncnet", "layers"):
            from engine.train_heads import train_layers, train_uncnet

            run = train_uncnet if recipe == "uncnet" else train_layers
            run(Path(data), out, replace(HeadConfig(), epochs=epochs or HeadConfig.epochs), jobs)
        else:
            raise ValueError(f"There is no recipe '{recipe}'. Choose from: compact, uncnet, layers, skew.")
        typer.echo(f"Wrote {out}.")


def weights(
    name: Annotated[str, typer.Argument(help="casia-webface or vggface2")],
    file: Annotated[Path | None, typer.Option(help="Convert this file, carried over from another machine")] = None,
) -> None:
    """Find, verify and convert a pretrained FaceNet trunk into the user's cache folder."""
    with plain_errors():
        from engine.weights.facenet import get

        path = get(name, file, say=typer.echo)
        typer.echo(f"The trunk '{name}' is at {path}.")
