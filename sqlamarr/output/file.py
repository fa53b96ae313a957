"""The output file: made once, appended to in event order, readable at every instant."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from importlib.resources import files
from pathlib import Path
from typing import Any

from sqlamarr.checking.wording import counted
from sqlamarr.database.connection import Database, quote_identifier
from sqlamarr.database.declarations import RUN_TABLES, declaration
from sqlamarr.database.page_images import attached, take_over
from sqlamarr.errors import OutputError, SqlError
from sqlamarr.events.event import Rejected
from sqlamarr.native.columns import Columns
from sqlamarr.output.batch_result import BatchResult, event_columns, source_columns
from sqlamarr.output.checksums import TABLE as CHECKSUMS
from sqlamarr.output.ledger import Ledger
from sqlamarr.output.summary import report_of
from sqlamarr.output.tables.output_database import OutputDatabase

BOOKKEEPING = ("Provenance", "Batches", "Inputs", CHECKSUMS)

#: Words of SQLite's messages about the disk, or about another process that uses the file.
_TROUBLE = ("full", "disk I/O error", "locked", "readonly", "unable to open", "malformed")


PAGE_SIZE = 16384  # bytes: with SQLite's usual 4096, appending takes half as long again
CACHE_SIZE = 32768  # kB: the pages of a batch wait for its end there, so that each is written once

_JOURNAL = bytes.fromhex("d9d505f920a163d7")  # begins a rollback journal that has been finished


class OutputFile:
    """An SQLite file that takes finished batches, each in one transaction.

    :param path: the file, which must not exist, or be empty
    :param tables: the tables to keep, in the order in which they are created
    :param template: a database with these tables, whose declarations are copied
    :param views: CREATE VIEW statements
    :param description: the first entries of the provenance
    :raises OutputError: the file exists, or cannot be created
    """

    def __init__(
        self,
        path: Path,
        tables: Sequence[str],
        template: Database,
        *,
        views: str = "",
        description: Mapping[str, Any] | None = None,
    ) -> None:
        if path.exists() and path.stat().st_size:
            raise OutputError(f"{path} exists. Choose another name.")
        self._open(path, new=True)
        self.db.execute(f"PRAGMA page_size = {PAGE_SIZE}")
        keep = [*RUN_TABLES, *tables]
        with self._transaction():
            for table in keep:
                self.db.execute(declaration(template, table, keep))
            self.db.execute((files("sqlamarr.output") / "bookkeeping.sql").read_text())
            with self.db.limited(declaring=True):
                self.db.execute(views)
            self.ledger.begin()
            self._describe(description or {})

    def _open(self, path: Path, *, new: bool = False) -> None:
        self.path = path
        self.db = Database(path)
        self.ledger = Ledger(self.db, new=new)
        self._inode = path.stat().st_ino
        self.db.execute(f"PRAGMA cache_size = -{CACHE_SIZE}")
        self._known_sources: set[int] = set()
        self._batches = self._events = 0
        self._marks: list[Mapping[str, Any]] = []

    @classmethod
    def reopen(cls, path: Path) -> OutputFile:
        """Open an existing file to append to it.

        :raises OutputError: sqlamarr did not write it
        """
        open_output(path).close()
        out = cls.__new__(cls)
        out._open(path)
        out._known_sources = {int(row[0]) for row in out.db.execute("SELECT datasource_id FROM DataSources")}
        out._batches, out._events = quoted_count(out.db, "Batches"), quoted_count(out.db, "Events")
        out._marks = out.marks()
        return out

    def reports(self) -> Iterator[dict[str, Any]]:
        """What was recorded for each batch; see :func:`sqlamarr.output.summary.report_of`."""
        for (text,) in self.db.execute("SELECT report FROM Batches ORDER BY batch"):
            yield json.loads(str(text))

    def marks(self) -> list[Mapping[str, Any]]:
        """How far the inputs were read; see ``Source.position``."""
        return [json.loads(str(text)) for (text,) in self.db.execute("SELECT mark FROM Inputs ORDER BY position")]

    def describe(self, provenance: Mapping[str, Any], marks: Sequence[Mapping[str, Any]] = ()) -> None:
        """Write or replace entries of the provenance, and how far the inputs were read."""
        with self._transaction():
            self._describe(provenance)
            self._append_marks(marks)

    def _describe(self, provenance: Mapping[str, Any]) -> None:
        for key, value in provenance.items():
            text = value if isinstance(value, str) else json.dumps(value, default=str)
            self.ledger.insert_row("Provenance", key, text, replace=True)

    def append(self, result: BatchResult, marks: Sequence[Mapping[str, Any]] = ()) -> None:
        """Add the rows of a batch and its bookkeeping in one transaction.

        :param marks: how far the inputs were read when the batch was cut; see ``Source.position``
        :raises OutputError: the disk is full, or another process writes the file; nothing of the batch is in it
        """
        with attached(self.db, result.image), self._transaction():
            self._refuse_others()
            self._append_sources(result)
            rejected = {row.event_id for row in result.rejected}
            self._insert("Events", event_columns(result.events, rejected))
            self._append_rejected(result)
            for table, columns in result.tables.items():
                if columns.rows:
                    self.db.insert(table, columns)
                if result.checksums is None:
                    self.ledger.add(table, columns)
            if result.checksums is not None:
                self.ledger.add_sums(result.checksums)
            take_over(self.db, result.image)
            self._append_batch(result)
            self._append_marks(marks)
        self._known_sources.update(source.datasource_id for source in result.sources)
        self._batches += bool(result.events)
        self._events += len(result.events)
        self._marks = list(marks) or self._marks

    def _insert(self, table: str, columns: Columns) -> None:
        self.db.insert(table, columns)
        self.ledger.add(table, columns)

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        """All of the block happens, or nothing of it, even if SQLite has rolled back by itself."""
        self.refuse_moved()
        try:
            self.db.execute("BEGIN IMMEDIATE")
            yield
            self.ledger.write()
            self.db.execute("COMMIT")
        except BaseException as error:
            self.ledger.forget()
            if self.db.connection.in_transaction:
                with suppress(SqlError):
                    self.db.execute("ROLLBACK")
            if isinstance(error, SqlError) and any(word in str(error) for word in _TROUBLE):
                self.refuse_moved()
                raise OutputError(
                    f"{self.path} cannot be written: {str(error).partition(chr(10))[0]}. Free some space, or make sure "
                    "that no other program uses the file."
                ) from error
            raise

    def refuse_moved(self) -> None:
        """Check that the file that was opened is still in its place, by its inode, as SQLite does.

        :raises OutputError: it was removed or replaced
        """
        try:
            inode = self.path.stat().st_ino
        except (FileNotFoundError, NotADirectoryError):
            happened = "was removed or renamed"
        except OSError as error:
            happened = f"can no longer be reached ({error.strerror})"
        else:
            if inode == self._inode:
                return
            happened = "was replaced by another file"
        raise OutputError(
            f"{self.path}, with {counted(self._events, 'event')} of this run in it, {happened} while the run was "
            "writing. Run again, and make sure that nothing else uses this name."
        )

    def _refuse_others(self) -> None:
        row = self.db.execute("SELECT max(batch) FROM Batches").fetchone()
        if row != (self._batches - 1 if self._batches else None,):
            raise OutputError(
                f"Another run is writing to {self.path}: it holds batches that this one did not write. Let one of "
                "them finish; nothing was lost."
            )

    def cross_section(self) -> list[float] | None:
        """The generator's last estimate of the cross-section and its error [pb], if there is one."""
        return last_cross_section(self.db)

    def close(self) -> None:
        """Close the file."""
        self.db.close()

    def _append_sources(self, result: BatchResult) -> None:
        new = tuple(s for s in result.sources if s.datasource_id not in self._known_sources)
        if new:
            self._insert("DataSources", source_columns(new))

    def _append_rejected(self, result: BatchResult) -> None:
        paths = {source.datasource_id: source.path for source in result.sources}
        events = {event.event_id: event for event in result.events} if result.rejected else {}
        for row in result.rejected:
            event = events[row.event_id]
            values = (row.event_id, paths[event.datasource_id], event.number, row.line or None, _step(row), row.message)
            self.ledger.insert_row("RejectedEvents", *values)

    def _append_batch(self, result: BatchResult) -> None:
        if not result.events:
            return
        values = (
            self._batches,
            result.events[0].event_id,
            len(result.events),
            sum(result.seconds.values()),
            json.dumps(report_of(result)),
        )
        self.ledger.insert_row("Batches", *values)

    def _append_marks(self, marks: Sequence[Mapping[str, Any]]) -> None:
        for position, mark in enumerate(marks):
            if position >= len(self._marks) or mark != self._marks[position]:
                self.ledger.insert_row("Inputs", position, json.dumps(mark), replace=True)


def events_held(events: int) -> str:
    """Describe what an unfinished file holds."""
    if events < 2:
        return "the first event, complete" if events else "no event"
    return f"the first {events:,} events, all complete"


def _step(row: Rejected) -> str:
    return getattr(row, "step", "") or "reading"


def check_output(
    path: Path, *, overwrite: bool = False, resume: bool | None = None, inputs: Sequence[str] = ()
) -> None:
    """Check that a file can be written there, without touching anything.

    :param resume: the file may exist and will be appended to; None: the caller cannot resume
    :param inputs: files that must not be overwritten
    :raises OutputError: it is a folder, an input or an existing file (with ``overwrite``: one that is not ours)
    """
    try:
        path.stat()
    except (FileNotFoundError, NotADirectoryError):
        pass
    except OSError as error:
        raise OutputError(f"{path} cannot be written: {error.strerror}. Choose another name.") from error
    if any(Path(name).exists() and path.exists() and path.samefile(name) for name in inputs):
        raise OutputError(f"{path} is one of the inputs. Choose another name for the output.")
    if path.is_dir():
        raise OutputError(f"{path} is a folder; expected the name of a file to write.")
    if not path.absolute().parent.is_dir():
        raise OutputError(f"The folder {path.absolute().parent} does not exist; make it first.")
    if path.exists() and not overwrite and not resume:
        ways = "" if resume is None else " --resume to continue an unfinished run,"
        raise OutputError(f"{path} exists. Choose another name,{ways} or use --overwrite to replace it.")
    if path.exists() and not is_ours(path) and not (resume and is_unborn(path)):
        raise OutputError(f"{path} is not a file that sqlamarr wrote, so it is not overwritten. Choose another name.")


def is_ours(path: Path) -> bool:
    """Whether sqlamarr wrote a file."""
    try:
        open_output(path).close()
    except (OutputError, SqlError):
        return False
    return True


def is_unborn(path: Path) -> bool:
    """Whether a run was killed while it created this file, so that SQLite rolls all of it back."""
    _roll_back(path)
    return path.exists() and path.stat().st_size == 0


def _roll_back(path: Path) -> None:
    """Let SQLite roll back what a killed run had not finished; this needs write permission."""
    try:
        with open(f"{path}-journal", "rb") as file:
            begin = file.read(len(_JOURNAL))
    except FileNotFoundError:  # there is none, or its writer has just finished a batch
        return
    if begin != _JOURNAL:
        return
    with suppress(SqlError), Database(path) as db:
        db.tables()


def open_output(path: str | Path) -> OutputDatabase:
    """Open an output file for reading.

    :raises OutputError: it does not exist, or sqlamarr did not write it
    """
    path = Path(path)
    if path.is_dir():
        raise OutputError(f"{path} is a folder; expected a file that sqlamarr wrote.")
    if not path.exists():
        raise OutputError(f"There is no file {path}.")
    if not path.is_file():
        raise OutputError(f"{path} is not an SQLite file.")
    _roll_back(path)
    with path.open("rb") as file:
        if file.read(16) != b"SQLite format 3\0":
            raise OutputError(f"{path} is not an SQLite file.")
    try:
        db = OutputDatabase(path, readonly=True)
        tables = db.tables()
    except SqlError as error:
        raise OutputError(
            f"{path} cannot be read: {str(error).splitlines()[0]}. "
            "If it was copied, copy it again; if it is whole where it was made, check that it is not being written."
        ) from error
    if "Provenance" not in tables:
        raise OutputError(f"{path} is an SQLite file, but not one that sqlamarr wrote: it has no table Provenance.")
    return db


def last_cross_section(db: Database) -> list[float] | None:
    """Value and error [pb] of the cross-section at the last collision of a file that has one."""
    if "GenEvents" not in db.tables():
        return None
    row = db.execute(
        "SELECT cross_section, coalesce(cross_section_error, 0) FROM GenEvents "
        "WHERE cross_section IS NOT NULL ORDER BY genevent_id DESC LIMIT 1"
    ).fetchone()
    return None if row is None else [float(row[0]), float(row[1])]


def data_tables(db: Database) -> list[str]:
    """The tables of results in an output file: all but those about the run."""
    return [table for table in db.tables() if table not in (*BOOKKEEPING, *RUN_TABLES)]


def quoted_count(db: Database, table: str) -> int:
    """Number of rows of a table."""
    row = db.execute(f"SELECT count(*) FROM {quote_identifier(table)}").fetchone()
    return int(row[0]) if row else 0
