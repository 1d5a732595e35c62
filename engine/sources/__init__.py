"""Readers of datasets: `open_source` finds the right one for what the user typed."""

from pathlib import Path

from engine.sources.rows import Source, SourceProblem

SCHEMES = ("ferplus", "folder", "table", "probe")


def open_source(spec: str, labels: Path | None = None) -> Source:
    """Open a dataset: 'ferplus:PATH', 'folder:PATH', 'table:FILE', 'probe:', or a bare path to one of these.

    labels: a CSV with votes for folder: and table: (see labels.py), or where FER+'s votes come from (see
    ferplus.py). Raises SourceProblem, saying what to do, when nothing there can be read.
    """
    # imported here, as engine.images imports this package, and so that a CLI's --help stays quick
    from engine.sources.ferplus import open_ferplus
    from engine.sources.folder import open_folder
    from engine.sources.probe import open_probe
    from engine.sources.table import open_table

    scheme, rest = _scheme(spec)
    if scheme == "probe":
        if rest or labels is not None:
            raise SourceProblem("The probe faces have votes of their own. Write 'probe:' without --labels.")
        return open_probe(spec)
    path = Path(rest).expanduser()
    reader = {"ferplus": open_ferplus, "folder": open_folder, "table": open_table}[scheme]
    return reader(path, spec, labels)


def _scheme(spec: str) -> tuple[str, str]:
    """What the user typed -> (scheme, path)."""
    from engine.sources.ferplus_stores import looks_like_ferplus

    scheme, colon, rest = spec.partition(":")
    if colon and scheme in SCHEMES:
        if not rest and scheme != "probe":
            raise SourceProblem(f"'{spec}' names no path. Write {scheme}:PATH.")
        return scheme, rest
    path = Path(spec).expanduser()
    if not spec.strip() or not path.exists():
        known = ", ".join(f"{name}:" for name in SCHEMES)
        if colon and "/" not in scheme:
            raise SourceProblem(f"'{scheme}:' is no known kind of source. Use one of {known} or a path.")
        raise SourceProblem(f"There is nothing at '{spec}'. Check the path, or use one of {known}")
    if looks_like_ferplus(path):
        return "ferplus", spec
    if path.is_dir():
        return "folder", spec
    if path.suffix.lower() in (".parquet", ".pq", ".csv"):
        return "table", spec
    raise SourceProblem(
        f"{path} is a file of no kind read here. Give a directory of images, a .parquet or .csv table, or FER+'s zip."
    )
