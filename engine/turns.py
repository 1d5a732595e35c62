"""One at a time: what shares a processor and a memory takes turns, and a long queue is refused instead of joined."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager


class Busy(RuntimeError):
    """Too many are waiting already; the message says how many and what to do."""


class Turns:
    """Lets one thread in at a time, and at most `waiting` others wait for it."""

    def __init__(self, waiting: int) -> None:
        self._waiting = waiting
        self._inside = threading.Lock()
        self._places = threading.BoundedSemaphore(waiting + 1)

    @contextmanager
    def take(self, patience: float = 60.0) -> Iterator[None]:
        """Wait for a turn, at most `patience` seconds. Raises Busy, at once where the queue is full."""
        if not self._places.acquire(blocking=False):
            raise Busy(f"{self._waiting} photos are waiting already. Try again in a minute.")
        try:
            if not self._inside.acquire(timeout=patience):
                raise Busy(f"No turn came within {patience:.0f} s. Try again in a minute, or with fewer photos.")
            try:
                yield
            finally:
                self._inside.release()
        finally:
            self._places.release()
