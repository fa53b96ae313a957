"""The order of a pipeline's steps: a step that reads a table must come after the step that fills it."""

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
    """Collect the tables read by the statements that are compiled within the block; complete after it."""
    found: set[str] = set()
    check(lib.sqlamarr_record_reads(db.pointer, 1))
    try:
        yield found
    finally:
        check(lib.sqlamarr_record_reads(db.pointer, 0))
        found.update((text(lib.sqlamarr_tables_read(db.pointer)) or "").splitlines())


def refuse_reading_ahead(steps: Sequence[Step], reads: Sequence[set[str]], file: str) -> None:
    """Refuse a step that reads a table which only later steps fill: it would silently find no rows.

    A table that no step fills may be read: it is empty because the step that fills it was left out.

    :param reads: the tables that each step's queries read
    :param file: the pipeline's file, for the message
    :raises PipelineError: a step reads a table before it is filled
    """
    filled = set(LOADED)
    later = _first_writers(steps)
    for step, tables in zip(steps, reads):
        filled.update(step.tables)
        for table in sorted(tables - filled):
            if table in later:
                raise PipelineError(
                    f"{file}: step {step.name!r} reads {table}, which only a later step, {later[table]!r}, fills, so "
                    f"it would find no rows. Put {step.name!r} after {later[table]!r}."
                )


def _first_writers(steps: Sequence[Step]) -> Mapping[str, str]:
    return {table: step.name for step in reversed(steps) for table in step.tables}
