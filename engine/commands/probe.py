"""`probe`: audit a model on the rendered faces, where one thing changes at a time."""

from pathlib import Path
from typing import Annotated

import typer

from engine.commands.shared import command_line, plain_errors


def probe(
    model: Annotated[
        list[str] | None, typer.Option(help="As in build; left out: the models that the cache has")
    ] = None,
    out: Annotated[Path, typer.Option(help="Folder of the cache; built, resumed or added to")] = Path("data/probe"),
    split: Annotated[str, typer.Option(help="test, validation, train or all; shipped models know train")] = "test",
    json: Annotated[Path | None, typer.Option(help="Also write every number to this file")] = None,
    device: Annotated[str, typer.Option(help="auto, cpu or cuda")] = "auto",
    precision: Annotated[str, typer.Option(help="auto, fp32 or bf16, of the trunks")] = "auto",
) -> None:
    """Score the rendered probe faces, and print what changes when only the tone, the turn or the light does."""
    with plain_errors():
        from dataclasses import asdict

        from cache import manifest as manifests
        from cache.reader import Cache
        from engine import effects
        from engine.config import BuildConfig
        from engine.pipeline import build
        from engine.progress import progress_bar
        from engine.sources import open_source

        chosen = tuple(dict.fromkeys(model or ()))
        if chosen or not (out / manifests.FILE).exists():
            config = BuildConfig("probe:", out, chosen, device=device, precision=precision)
            with progress_bar(f"Scoring the probe faces into {out}", open_source("probe:").count) as bar:
                build(config, bar.advance, command=command_line())
        cache = Cache(out)
        names = chosen or cache.models
        if not names:
            raise ValueError(
                f"{out} holds the probe faces and no model yet. Add one with --model, or bring predictions: "
                f"python -m engine import-predictions FILE --cache {out} --name NAME, and run this command again."
            )
        records, part = {}, None if split == "all" else split
        for name in names:
            faces = effects.scored(cache, name, part)
            found = effects.measured(faces)
            typer.echo(f"{effects.to_text(name, faces, found)}\n")
            records[name] = effects.to_records(faces, found)
        skew = effects.compared(cache, part)
        if skew is not None:
            typer.echo(f"What training lacked: dark tones and profiles\n{effects.lacking_text(skew)}\n")
        if json is not None:
            content = {"split": split, "models": records, "skew": asdict(skew) if skew else None}
            json.write_text(effects.to_json(content), encoding="utf-8")
        typer.echo(f"Rendered faces, simulated annotators. Look at it: make app CACHE={out}, page Probe")
