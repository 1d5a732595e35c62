"""What a cache says about how it was made."""

from importlib import metadata

PACKAGES = ("doubtscope", "torch", "numpy", "pillow", "pyarrow", "facenet-pytorch")


def package_versions() -> dict[str, str]:
    """Versions of the packages that can change a number; a package that is not installed is left out."""
    found = {}
    for name in PACKAGES:
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return found
