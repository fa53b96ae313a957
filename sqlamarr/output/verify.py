"""Check that an output file still holds what was written: SQLite's own check, and all checksums recomputed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlamarr.checking.wording import counted
from sqlamarr.database.connection import Database, quote_identifier
from sqlamarr.errors import DataError, OutputError, SqlError
from sqlamarr.output import provenance
from sqlamarr.output.checksums import (
    EVENTS_PER_BLOCK,
    NO_BLOCK,
    SCHEMA,
    TABLE,
    Hasher,
    Sums,
    has_checksums,
    stored_sums,
)
from sqlamarr.output.file import open_output

NO_CHECKSUMS = (
    "it was written before files had checksums: SQLite finds it in order, but damage inside a value would go unnoticed."
)
SHOWN = 20  # lines about damage
_UNREADABLE = (SqlError, DataError, UnicodeError)


@dataclass(frozen=True)
class Verification:
    """What was found in a file.

    :ivar events: how many it holds
    :ivar tables: how many tables were checked
    :ivar has_checksums: False: it was written by a version without checksums
    :ivar damage: what differs from what was written, one line each; empty if nothing does
    :ivar remedy: what to do about it
    :ivar sums: the checksums of what the file holds now
    """

    path: Path
    events: int
    tables: int
    has_checksums: bool
    damage: tuple[str, ...]
    remedy: str
    sums: Sums

    @property
    def intact(self) -> bool:
        """Whether the file is as it was written."""
        return not self.damage

    def text(self) -> str:
        """For people to read."""
        if self.damage:
            more = len(self.damage) - SHOWN
            shown = [*self.damage[:SHOWN], *([f"and {more:,} more"] if more > 0 else [])]
            lines = "".join(f"\n  {line}" for line in shown)
            return f"{self.path} is damaged, or was changed after it was written:{lines}\n{self.remedy}"
        holds = f"{self.path}: {counted(self.events, 'event')}, {counted(self.tables, 'table')}"
        return f"{holds}, every checksum agrees" if self.has_checksums else f"{holds}; {NO_CHECKSUMS}"


def verify(path: str | Path) -> Verification:
    """Compare what an output file holds with its checksums.

    The whole file is read once. A run that is writing it waits until then.

    :param path: a file that ``sqlamarr run``, ``merge`` or ``tuple`` wrote
    :returns: whether it is intact, and if not, which tables and events are damaged
    :raises OutputError: there is no such file, sqlamarr did not write it, or it cannot be opened
    """
    with open_output(path) as db, _snapshot(db):
        sums, damage = _contents(db)
        checked = has_checksums(db)
        damage += _integrity(db)
        if checked:
            damage += _differences(db, sums)
        tables = {table for _, table in sums} | set(_tables(db))
        events = sum(rows for (_, table), (rows, _) in sums.items() if table == "Events")
        remedy = _remedy(db, events) if damage else ""
        return Verification(Path(path), events, len(tables - {SCHEMA}), checked, tuple(damage), remedy, sums)


def verified(path: str | Path, shown: Path | None = None) -> Verification:
    """The same, for a file that is about to be copied or continued.

    :param shown: the name by which the user knows the file
    :raises OutputError: also if it is damaged; the message names tables, events and what to do
    """
    found = verify(path)
    if not found.intact:
        text = found.text()
        raise OutputError(text if shown is None else text.replace(str(found.path), str(shown)))
    return found


@contextmanager
def _snapshot(db: Database) -> Iterator[None]:
    """Within the block the file does not change, even if a run is writing it."""
    try:
        db.execute("BEGIN")
        yield
    except _UNREADABLE as error:
        raise OutputError(
            f"{db.path} is damaged: {_line(error)}. If it was copied, copy it again; else delete it and make it again."
        ) from error
    finally:
        with suppress(SqlError):
            db.execute("ROLLBACK")


def _contents(db: Database) -> tuple[Sums, list[str]]:
    """The checksums of all tables except Checksums itself, and what cannot be read."""
    hasher, sums, damage = Hasher(db), Sums(), list[str]()
    for table in (SCHEMA, *_tables(db)):
        try:
            sums.update(hasher.stored(db, table))
            _try_indexes(db, table)
        except _UNREADABLE as error:
            damage.append(f"{table} cannot be read: {_line(error)}")
    return sums, damage


def _try_indexes(db: Database, table: str) -> None:
    """Start reading through each index. SQLite's check misses an empty index whose page is that of a table.

    :raises SqlError: it is not readable
    """
    query = "SELECT i.name, c.name FROM pragma_index_list(?) i, pragma_index_info(i.name) c WHERE c.seqno = 0"
    for index, column in db.execute(query, (table,)).fetchall():
        if column is not None:  # None: an expression, of an index that a user has added
            first, name = quote_identifier(str(column)), quote_identifier(str(index))
            db.execute(
                f"SELECT {first} FROM {quote_identifier(table)} INDEXED BY {name} ORDER BY {first} LIMIT 1"
            ).fetchall()


def _tables(db: Database) -> list[str]:
    return [table for table in db.tables() if table != TABLE]


def _integrity(db: Database) -> list[str]:
    try:
        found = [str(row[0]) for row in db.execute("PRAGMA integrity_check(5)")]
    except _UNREADABLE as error:
        found = [_line(error)]
    return [] if found == ["ok"] else [f"SQLite finds: {' '.join(text.split())}" for text in found]


def _differences(db: Database, found: Sums) -> list[str]:
    try:
        expected = stored_sums(db)
    except _UNREADABLE as error:
        return [f"{TABLE} cannot be read: {_line(error)}"]
    keys = sorted({*expected, *found}, key=lambda key: (key[1], key[0]))
    unequal = [key for key in keys if expected.get(*key) != found.get(*key)]
    return [_difference(block, table, expected.get(block, table), found.get(block, table)) for block, table in unequal]


def _difference(block: int, table: str, expected: tuple[int, int], found: tuple[int, int]) -> str:
    where = "the statements that made tables and views" if table == SCHEMA else table
    if block != NO_BLOCK:
        where += f", events {block * EVENTS_PER_BLOCK:,} to {(block + 1) * EVENTS_PER_BLOCK - 1:,}"
    return f"{where}: expected {_told(expected)}, found {_told(found)}"


def _told(sum_: tuple[int, int]) -> str:
    return f"{counted(sum_[0], 'row')} with checksum {sum_[1]:016x}"


def _remedy(db: Database, events: int) -> str:
    copied = "Do not use it. If it was copied, copy it again."
    try:
        made = provenance.read(db)
        return f"{copied} Otherwise delete it, and {_again(made, events)}."
    except (OutputError, *_UNREADABLE, TypeError):
        return f"{copied} Otherwise delete it, and make it again with the command that wrote it."


def _again(made: Mapping[str, Any], events: int) -> str:
    if "tuple" in made:
        return "make it again with 'sqlamarr tuple'"
    if "parts" in made:
        return f"merge its parts again: {', '.join(str(part['path']) for part in made['parts'])}"
    first, skipped = int(made["first_event"]), int(made["skip_events"])
    number = int(made["summary"]["events"]) if "summary" in made else events
    asked = f" --first-event {first}" if first else ""
    return (
        f"simulate its events again: the command that wrote it, with --seed {made['seed']}{asked} --events "
        f"{skipped}:{skipped + max(number, 1)}"
    )


def _line(error: Exception) -> str:
    return " ".join(str(error).partition("\n  in: ")[0].split()).rstrip(".")
