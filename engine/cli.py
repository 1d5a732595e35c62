"""The commands: parse, call, report. Everything they say on failure is one sentence with the next step."""

import logging

import typer

from engine.commands import attributes, build, exchange, probe, report, results, scoring, training

app = typer.Typer(
    add_completion=False, no_args_is_help=True, pretty_exceptions_enable=False,
    help="Doubtscope's engine: from images to a cache of predictions and uncertainty.",
)  # fmt: skip

for command in (
    build.build,
    build.embed,
    exchange.import_predictions,
    attributes.attributes,
    results.evaluate,
    results.explain_gap,
    report.report,
    probe.probe,
    training.train,
    training.weights,
    exchange.export,
    scoring.score,
    scoring.doctor,
):
    app.command()(command)


def main() -> None:
    logging.basicConfig(level=logging.WARNING, format="%(message)s")
    app()
