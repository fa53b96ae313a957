"""The order of a pipeline's steps: who reads a table must stand behind who fills it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager

from sqlamarr.database.connection import Database
from sqlamarr.database.declarations import RUN_TABLES
from sqlamarr.errors import PipelineError
from sqlamarr.events.chunk import GENERATOR_TABLES
from sqlamarr.native.library import check, lib, text
from sqlamarr.steps.protocol import Step

#: Tables that are filled before the first step.
LOADED = {*RUN_TABLES, *GENERATOR_TABLES}


@contextmanager
def reading(db: Database) -> Iterator[set[str]]:
    """The tables that the statements read which are compiled in the block; complete behind it."""
    found: set[str] = set()
    check(lib.sqlamarr_record_reads(db.pointer, 1))
    try:
        yield found
    finally:
        check(lib.sqlamarr_record_reads(db.pointer, 0))
        found.update((text(lib.sqlamarr_tables_read(db.pointer)) or "").splitlines())


def refuse_reading_ahead(steps: Sequence[Step], reads: Sequence[set[str]], file: str) -> None:
    """Make sure that no step reads a table that only later ones fill: it would find no rows, and nobody notice.

    A table that no step fills may be read: it is empty because somebody has left the step out.

    :param reads: per step, the tables that its queries read
    :param file: where the pipeline is, for the message
    :raises PipelineError: a step does
    """
    filled = set(LOADED)
    later = _first_writers(steps)
    for step, tables in zip(steps, reads):
        filled.update(step.tables)
        for table in sorted(tables - filled):
            if table in later:
                raise PipelineError(
                    f"{file}: step {step.name!r} reads {table}, which only a later step, {later[table]!r}, fills: it "
                    f"would find no rows. Put {step.name!r} behind it."
                )


def _first_writers(steps: Sequence[Step]) -> Mapping[str, str]:
    return {table: step.name for step in reversed(steps) for table in step.tables}
