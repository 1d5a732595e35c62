"""What every command shares: how it fails, and how it was called."""

import shlex
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import typer

INTERRUPTED = 130  # what shells report after Ctrl-C


@contextmanager
def plain_errors() -> Iterator[None]:
    """Turn everything expected into one sentence on stderr and a non-zero exit."""
    from cache.errors import CacheError
    from engine.sources.rows import SourceProblem

    try:
        yield
    except KeyboardInterrupt:
        typer.echo("\nStopped. Nothing is lost: run the same command again and it goes on from here.", err=True)
        raise typer.Exit(INTERRUPTED) from None
    except (CacheError, SourceProblem, ValueError, OSError) as problem:
        typer.echo(f"Error: {problem}", err=True)
        raise typer.Exit(1) from None
    except RuntimeError as problem:
        if "out of memory" not in str(problem).lower():
            raise
        typer.echo("Error: the device ran out of memory. Run the same command with a smaller --batch.", err=True)
        raise typer.Exit(1) from None


def command_line() -> str:
    """As somebody would type it again."""
    return shlex.join(["python", "-m", "engine", *sys.argv[1:]])
