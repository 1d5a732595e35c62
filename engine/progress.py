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
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (1 if sys.platform == "darwin" else 1024)
        rate = f" ({self._faces / seconds:,.0f} faces/s)" if self._faces else ""
        return f"Took {seconds:.0f} s{rate}, peak memory {peak:,.0f} MB."


@contextmanager
def progress_bar(title: str, total: int | None) -> Iterator[Bar]:
    """A bar on stderr; silent where there is no terminal to draw it on."""
    columns = (
        TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TextColumn("{task.fields[rate]}"),
        TimeElapsedColumn(), TextColumn("left"), TimeRemainingColumn(),
    )  # fmt: skip
    console = Console(stderr=True)
    with Progress(*columns, console=console, refresh_per_second=4, disable=not console.is_terminal) as progress:
        yield Bar(progress, progress.add_task(title, total=total, rate=""))


@contextmanager
def download_bar(title: str, size: int | None) -> Iterator[Callable[[int], None]]:
    """Yields what to call with the number of bytes of each block; silent where there is no terminal."""
    columns = (
        TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TransferSpeedColumn(), TextColumn("left"),
        TimeRemainingColumn(),
    )  # fmt: skip
    console = Console(stderr=True)
    with Progress(*columns, console=console, refresh_per_second=4, disable=not console.is_terminal) as progress:
        task = progress.add_task(title, total=size)
        yield lambda size_of_block: progress.update(task, advance=size_of_block)
