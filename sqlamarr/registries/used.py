"""What was used from other packages: noted by the registries and read when the provenance is written."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from sqlamarr.registries.entry import Entry

#: The distribution and its version, by group and name of the entry.
Used = dict[str, dict[str, str]]

_collecting: ContextVar[Used | None] = ContextVar("sqlamarr_used", default=None)


@contextmanager
def collected(used: Used | None = None) -> Iterator[Used]:
    """Collect what is used from other packages in the block.

    :param used: what to add to; default: a new collection
    """
    found: Used = {} if used is None else used
    token = _collecting.set(found)
    try:
        yield found
    finally:
        _collecting.reset(token)


def note(entry: Entry) -> None:
    """Note that an entry is used; entries of sqlamarr and of the program are not noted."""
    used = _collecting.get()
    if used is not None and entry.origin.is_foreign:
        used.setdefault(entry.group, {})[entry.name] = str(entry.origin)


def joined(*collections: Used) -> Used:
    """Join several collections into one, sorted so that the order of use does not matter."""
    groups = sorted({group for used in collections for group in used})
    return {
        group: dict(sorted((name, origin) for used in collections for name, origin in used.get(group, {}).items()))
        for group in groups
    }
