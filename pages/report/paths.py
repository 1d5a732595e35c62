"""Texts of a manifest without the folders of the machine that it was made on."""

import re
import shlex
from typing import Any

# A path that leads out of the folder of the work: absolute, of a home, upwards, of a Windows drive or share.
_OUTSIDE = r"(?:~[^\s/\\]*[/\\]|\.\.[/\\]|[A-Za-z]:[/\\]|[/\\])"
_URL = re.compile(r"^[A-Za-z][A-Za-z0-9+.-]*://")
_WHOLE = re.compile(rf"^(?P<before>(?:.*?[:=,'\"(])??)(?P<path>{_OUTSIDE}.*)$", re.DOTALL)
_WITHIN = re.compile(rf"(?<![\w.:/\\~-]){_OUTSIDE}(?=\S)(?:[^\s'\",;:<>|/\\]*[/\\])*(?P<last>[^\s'\",;:<>|/\\]*)")


def without_folders(value: str) -> str:
    """A name, a path or a source such as 'ferplus:PATH': a path that leads outside keeps its last part alone.

    >>> without_folders("ferplus:/home/me/fer plus.zip"), without_folders("data/ferplus"), without_folders("a/b")
    ('ferplus:fer plus.zip', 'data/ferplus', 'a/b')
    """
    if _URL.match(value):
        return _last(value) if value.lower().startswith("file:") else value
    found = _WHOLE.match(value)
    if found:
        return found["before"] + _last(found["path"])
    return _last(value) if ".." in re.split(r"[/\\]", value) else value


def command_without_folders(command: str) -> str:
    """
    >>> command_without_folders("python -m engine build '/srv/my photos' --out data/x --labels=/tmp/l.csv")
    "python -m engine build 'my photos' --out data/x --labels=l.csv"
    """
    try:
        words = shlex.split(command)
    except ValueError:  # typed by hand into the file: no command line
        return said_without_folders(command)
    return shlex.join(map(without_folders, words))


def said_without_folders(text: str) -> str:
    """A sentence with paths in it.

    >>> said_without_folders("cannot read /home/me/a.png: truncated, 3/4 of it")
    'cannot read a.png: truncated, 3/4 of it'
    """
    return _WITHIN.sub(lambda found: found["last"] or _last(found[0]), text)


def settings_without_folders(value: Any) -> Any:
    """The same of every text in a nest of lists and dictionaries."""
    if isinstance(value, dict):
        return {key: settings_without_folders(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [settings_without_folders(item) for item in value]
    return without_folders(value) if isinstance(value, str) else value


def _last(path: str) -> str:
    parts = [part for part in re.split(r"[/\\]", path) if part]
    return parts[-1] if parts else ""
