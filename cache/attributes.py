"""Tables of attributes beside the faces: what was measured in the images, and what a user knows of them."""

from collections.abc import Iterable, Mapping

from cache.errors import AttributeClash
from cache.schema import ATTRIBUTE_PREFIX

MEASURED = "measured"  # the table that a build with --measure writes


def table(name: str) -> str:
    """
    >>> table("measured")
    'attributes/of=measured'
    """
    return f"attributes/of={name}"


def is_attribute(column: str) -> bool:
    return column.startswith(ATTRIBUTE_PREFIX)


def expect_distinct(own: Iterable[str], tables: Mapping[str, Iterable[str]]) -> None:
    """Raise AttributeClash when two columns would have one name; small and large letters are the same to DuckDB.

    own: attr_* columns of the dataset. tables: those of each table, by its name.
    """
    owners = {column.casefold(): "the dataset" for column in own}
    for name, columns in tables.items():
        for column in columns:
            owner = owners.get(column.casefold())
            if owner is not None:
                raise AttributeClash(_clash(column.removeprefix(ATTRIBUTE_PREFIX), name, owner))
            owners[column.casefold()] = f"'{name}'"


def _clash(column: str, name: str, owner: str) -> str:
    remedy = "Leave --measure out, or rename the other." if name == MEASURED else "Rename it in the file."
    return f"'{name}' would have an attribute '{column}', and {owner} has one of that name already. {remedy}"
