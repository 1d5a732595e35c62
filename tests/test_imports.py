"""The direction of imports: engine -> cache <- pages, and the few exceptions that docs/ names."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
HOUSES = ("engine", "cache", "pages")
LAZY_ENGINE = "pages/widgets/scorer.py"  # live scoring imports the engine inside the call that scores
LIGHT = ("engine.metrics", "engine.scores")  # NumPy only
REPORT = "engine/commands/report.py"  # a report is a view of a cache, as a page is: its command calls pages.report
PURE = ("pages/charts/", "pages/findings/", "pages/report/")


def imports(path: Path) -> Iterator[tuple[str, bool]]:
    """(module, at top level) of every import in the file; `from a import b` counts as a and as a.b."""

    def walk(node: ast.AST, top: bool) -> Iterator[tuple[str, bool]]:
        for child in ast.iter_child_nodes(node):
            if isinstance(child, ast.Import):
                yield from ((alias.name, top) for alias in child.names)
            elif isinstance(child, ast.ImportFrom):
                package = list(path.relative_to(ROOT).with_suffix("").parts)[: -child.level] if child.level else []
                module = ".".join([*package, *filter(None, [child.module])])
                yield module, top
                yield from ((f"{module}.{alias.name}", top) for alias in child.names)
            inside = isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda)
            yield from walk(child, top and not inside)

    yield from walk(ast.parse(path.read_text(encoding="utf-8")), True)


def within(module: str, package: str) -> bool:
    return module == package or module.startswith(f"{package}.")


def forbidden(path: str, module: str, top: bool) -> str | None:
    """Why the file may not have this import; None when it may."""
    house = path.split("/")[0]
    if house == "cache" and any(within(module, other) for other in ("engine", "pages", "torch", "streamlit")):
        return "cache imports neither engine nor pages"
    if house == "engine" and any(within(module, other) for other in ("pages", "streamlit")):
        if path == REPORT and within(module, "pages.report"):
            return f"{REPORT} imports pages.report inside a function" if top else None
        return f"engine imports neither pages nor streamlit, but for pages.report in {REPORT}"
    if path.startswith("engine/metrics/") and (
        within(module, "torch")
        or (within(module, "engine") and not within(module, "engine.metrics") and module != "engine")
    ):
        return "engine.metrics is NumPy only, because pages import it"
    if house == "pages" or path == "app.py":
        if any(within(module, name) for name in ("torch", "torchvision", "facenet_pytorch")):
            return "pages and app.py never import torch"
        light = any(within(module, name) for name in LIGHT)
        if within(module, "engine") and not light and (path != LAZY_ENGINE or top):
            return f"pages import {' and '.join(LIGHT)} only; {LAZY_ENGINE} may import engine inside a function"
    if path.startswith(PURE) and within(module, "streamlit"):
        return f"{', '.join(PURE)} are pure: they know no Streamlit"
    return None


def files() -> list[Path]:
    found = [ROOT / "app.py", *(path for house in HOUSES for path in sorted((ROOT / house).rglob("*.py")))]
    assert len(found) > 20
    return found


def test_arrows():
    wrong = [
        f"{path.relative_to(ROOT)} imports {module}: {reason}"
        for path in files()
        for module, top in imports(path)
        if (reason := forbidden(path.relative_to(ROOT).as_posix(), module, top))
    ]
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize(
    ("path", "module", "top", "allowed"),
    [
        ("pages/faces.py", "cache.reader", True, True),
        ("pages/faces.py", "engine.metrics.scores", True, True),
        ("pages/faces.py", "engine.pipeline", False, False),
        ("pages/widgets/scorer.py", "engine.pipeline", False, True),
        ("pages/widgets/scorer.py", "engine.pipeline", True, False),
        ("pages/score.py", "torch", False, False),
        ("app.py", "torch", True, False),
        ("cache/reader.py", "engine.config", False, False),
        ("cache/reader.py", "pages.faces", True, False),
        ("engine/cli.py", "pages.faces", False, False),
        ("engine/cli.py", "torch", True, True),
        ("engine/metrics/scores.py", "torch", False, False),
        ("engine/metrics/scores.py", "engine.metrics.checks", True, True),
        ("pages/charts/votes.py", "streamlit", False, False),
        ("pages/findings/overview.py", "streamlit", False, False),
        ("pages/findings/overview.py", "engine.metrics.bootstrap", True, True),
        ("pages/findings/overview.py", "engine.summary", False, False),
        ("pages/report/report.py", "streamlit.components", False, False),
        ("pages/report/report.py", "pages.charts.votes", True, True),
        ("pages/report/report.py", "engine.pipeline", False, False),
        ("engine/commands/report.py", "pages.report.report", False, True),
        ("engine/commands/report.py", "pages.report.report", True, False),
        ("engine/commands/report.py", "pages.reports", False, False),
        ("engine/commands/report.py", "pages.findings.audit", False, False),
        ("engine/commands/report.py", "streamlit", False, False),
        ("engine/commands/results.py", "pages.report.report", False, False),
        ("engine/cli.py", "pages.report.report", False, False),
        ("cache/reader.py", "pages.report.report", False, False),
    ],
)
def test_rules(path, module, top, allowed):
    assert (forbidden(path, module, top) is None) == allowed


def loaded(*packages: str) -> list[str]:
    """Modules that those of some packages pull in, measured rather than read."""
    found = sorted(path for package in packages for path in (ROOT / package).rglob("*.py") if path.stem != "__init__")
    modules = [".".join(path.relative_to(ROOT).with_suffix("").parts) for path in found]
    code = f"import sys, {', '.join(modules)}; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    return done.stdout.split()


def test_pages_load_without_torch():
    found = loaded("pages/widgets")
    heavy = [m for m in found if m.split(".")[0] in ("torch", "torchvision", "scipy")]
    engine = [m for m in found if within(m, "engine") and m != "engine" and not any(within(m, name) for name in LIGHT)]
    assert "engine.metrics.bootstrap" in found and not heavy and not engine


def test_findings_and_report_load_without_streamlit():
    found = loaded(*PURE)
    heavy = [m for m in found if m.split(".")[0] in ("streamlit", "torch", "torchvision", "scipy", "statsmodels")]
    assert "jinja2" in found and "pages.report.report" in found and not heavy
