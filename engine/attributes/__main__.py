"""Print how well the attributes are measured on the probe faces: python -m engine.attributes"""

import argparse

from engine.attributes import validate
from engine.attributes.measure import Measurer
from engine.metrics.bootstrap import Estimate


def main(argv: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m engine.attributes", description="Validate on the probe faces.")
    parser.add_argument(
        "--split", choices=("train", "validation", "test"), default="test",
        help="which people (default: %(default)s; thresholds were chosen on train)",
    )  # fmt: skip
    split = parser.parse_args(argv).split
    measurer, probe = Measurer(), validate.load(split)
    measured = validate.columns(measurer, probe.images)
    people = len(set(probe.person.tolist()))
    print(
        f"{len(probe.images):,} rendered faces of {people} people, split {split}; [95 % interval, people resampled]\n"
    )

    print("| measured, against | faces | n | coverage, % | mean error | bias | Pearson | Spearman |")
    print("| --- | --- | ---: | ---: | ---: | ---: | ---: | ---: |")
    for name, faces, a in validate.agreements(probe, measured):
        numbers = (_text(a.error, 2), _text(a.bias, 2), _text(a.pearson, 3), _text(a.spearman, 3))
        print(f"| {name} | {faces} | {a.coverage.n:,} | {_text(a.coverage, 1, 100)} | {' | '.join(numbers)} |")

    print("\n| measured | change | n | mean |\n| --- | --- | ---: | ---: |")
    for name, change, e in (*validate.light_changes(probe, measured), *validate.degradations(probe, measurer)):
        print(f"| {name} | {change} | {e.n:,} | {_text(e, 3)} |")


def _text(e: Estimate, digits: int, times: float = 1) -> str:
    value, low, high = (f"{number * times + 0.0:.{digits}f}" for number in (e.value, e.low, e.high))
    return "-" if value == "nan" else f"{value} [{low}, {high}]"


if __name__ == "__main__":
    main()
