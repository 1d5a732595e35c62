"""A progress bar with rate and time left, and the closing report of a long command."""

import resource
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import (
    BarColumn,
    DownloadColumn,
    MofNCompleteColumn,
    Progress,
    ProgressColumn,
    TaskID,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
    TransferSpeedColumn,
)


class Bar:
    """Counts entries on the screen, and faces for the report."""

    def __init__(self, progress: Progress, task: TaskID) -> None:
        self._progress, self._task = progress, task
        self._faces, self._started = 0, time.monotonic()

    def advance(self, entries: int, faces: int) -> None:
        self._faces += faces
        seconds = time.monotonic() - self._started
        self._progress.update(self._task, advance=entries, rate=f"{self._faces / seconds:,.0f} faces/s")

    def report(self) -> str:
        seconds = time.monotonic() - self._started
        rate = f" ({self._faces / seconds:,.0f} faces/s)" if self._faces else ""
        return f"Took {seconds:.0f} s{rate}, peak memory {peak_memory():,.0f} MB."


def peak_memory() -> float:
    """Most memory that this process has had so far, in MB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (1 << 20 if sys.platform == "darwin" else 1 << 10)


@contextmanager
def progress_bar(title: str, total: int | None) -> Iterator[Bar]:
    """Of a build: entries done, faces per second, time left."""
    rate, left = TextColumn("{task.fields[rate]}"), TextColumn("left")
    with _on_stderr(MofNCompleteColumn(), rate, TimeElapsedColumn(), left, TimeRemainingColumn()) as progress:
        yield Bar(progress, progress.add_task(title, total=total, rate=""))


@contextmanager
def download_bar(title: str, size: int | None) -> Iterator[Callable[[int], None]]:
    """Yields what to call with the number of bytes of each block."""
    with _on_stderr(DownloadColumn(), TransferSpeedColumn(), TextColumn("left"), TimeRemainingColumn()) as progress:
        task = progress.add_task(title, total=size)
        yield lambda block: progress.update(task, advance=block)


@contextmanager
def steps_bar(title: str, total: int | None = None) -> Iterator[Callable[[], None]]:
    """Yields what to call after each of a few long steps; without a total it only shows that time passes."""
    counted = (MofNCompleteColumn(), TextColumn("left"), TimeRemainingColumn()) if total else ()
    with _on_stderr(TimeElapsedColumn(), *counted) as progress:
        task = progress.add_task(title, total=total)
        yield lambda: progress.update(task, advance=1)


@contextmanager
def stages_bar(title: str) -> Iterator[Callable[[str, int, int | None], None]]:
    """Yields what to call with the stage that runs, how much of it is done, and of how much where that is known."""
    with _on_stderr(TimeElapsedColumn(), TextColumn("left"), TimeRemainingColumn()) as progress:
        task, running = progress.add_task(title, total=None), title

        def show(stage: str, done: int, total: int | None) -> None:
            nonlocal running
            if stage != running:
                running = stage
                progress.reset(task, description=stage)
            progress.update(task, completed=done, total=total)

        yield show


def _on_stderr(*columns: ProgressColumn) -> Progress:
    """A title, a bar, and the columns; silent where there is no terminal to draw them on."""
    console = Console(stderr=True)
    before = TextColumn("{task.description}"), BarColumn()
    return Progress(*before, *columns, console=console, refresh_per_second=4, disable=not console.is_terminal)
