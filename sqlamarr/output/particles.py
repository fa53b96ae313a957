"""Particles that were defined by the guns of an output file, for use in descriptors."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager
from typing import Any

from sqlamarr.database.connection import Database
from sqlamarr.errors import InputError
from sqlamarr.output.provenance import read as read_provenance
from sqlamarr.particles import descriptors
from sqlamarr.particles.new_particles import KEY, read


def particles_of(db: Database) -> AbstractContextManager[None]:
    """Within the block, descriptors may name particles that were defined by the guns of this file.

    :raises InputError: two of its inputs have different particles of one name
    """
    content: dict[str, Any] = {}
    for name, entry in _described(read_provenance(db).get("inputs", [])):
        if content.setdefault(name, entry) != entry:
            raise InputError(
                f"{db.path}: its inputs have two different particles {name!r}: {content[name]} and {entry}. "
                "Use the output files of the separate productions."
            )
    return descriptors.with_particles(read(content, KEY))


def _described(value: Any) -> Iterator[tuple[str, Any]]:
    if isinstance(value, Mapping):
        yield from value.get(KEY, {}).items()
    for below in value.values() if isinstance(value, Mapping) else value if isinstance(value, list) else ():
        yield from _described(below)
