"""The app's real server, for as long as it is measured."""

import os
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parent.parent
PATIENCE = 60  # s that it may take to start


@dataclass(frozen=True)
class Server:
    """A running server, started as `make app` starts it, on some caches and nothing else."""

    url: str  # without the slash at the end
    pid: int
    caches: tuple[str, ...]  # as an address names them

    @property
    def resident(self) -> float:
        """MB of memory that it holds."""
        pages = int(Path(f"/proc/{self.pid}/statm").read_text().split()[1])
        return pages * os.sysconf("SC_PAGE_SIZE") / 2**20

    @property
    def cpu(self) -> float:
        """Seconds of processor time that it has used, all threads together."""
        fields = Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def listening(self, seconds: float = PATIENCE) -> None:
        """Wait until it takes connections. A browser that is sent there sooner would keep the processor busy."""
        deadline = time.monotonic() + seconds
        port = int(self.url.rpartition(":")[2])
        while time.monotonic() < deadline:
            with suppress(OSError):
                socket.create_connection(("127.0.0.1", port), timeout=1).close()
                return
            time.sleep(0.005)
        raise TimeoutError(f"The server does not listen at {self.url}. Run `make app` to see what it says.")


@contextmanager
def serving(caches: Sequence[Path], *, wait: bool = True) -> Iterator[Server]:
    """Start it, and stop it at the end. Without `wait`, it may not listen yet. The first cache is the app's default."""
    names = tuple(f"cache-{index}" for index in range(len(caches)))
    with tempfile.TemporaryDirectory() as data:
        for name, cache in zip(names, caches, strict=True):
            (Path(data) / name).symlink_to(cache.resolve())
        chosen = {"DOUBTSCOPE_DATA": data, "DOUBTSCOPE_CACHE": str(Path(data) / names[0])}
        with _running(["pages"], names, chosen) as (server, process):
            if wait:
                _wait(server, process)
            yield server


@contextmanager
def serving_one_line() -> Iterator[Server]:
    """A Streamlit app of one line, which says 'ready': none can be quicker. It may not listen yet."""
    with tempfile.TemporaryDirectory() as folder:
        app = Path(folder) / "app.py"
        app.write_text("import streamlit\n\nstreamlit.markdown('ready')\n")
        with _running(["streamlit", "run", str(app)], (), {}) as (server, _):
            yield server


@contextmanager
def _running(
    module: Sequence[str], caches: tuple[str, ...], environment: dict[str, str]
) -> Iterator[tuple[Server, "subprocess.Popen[bytes]"]]:
    port = _free_port()
    process = subprocess.Popen(
        [sys.executable, "-m", *module, "--server.port", str(port)], cwd=ROOT, env={**os.environ, **environment},
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        yield Server(f"http://127.0.0.1:{port}", process.pid, caches), process
    finally:
        process.terminate()
        process.wait(timeout=10)


def _free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


def _wait(server: Server, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline and process.poll() is None:
        try:
            urllib.request.urlopen(f"{server.url}/_stcore/health", timeout=1).read()
            return
        except OSError:
            time.sleep(0.05)
    raise TimeoutError(f"The server does not answer at {server.url}. Run `make app` to see what it says.")
