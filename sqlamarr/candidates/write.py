"""Write an n-tuple as a file: an SQLite database with one table, or an export of it."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from sqlamarr.candidates.build import Selection
from sqlamarr.candidates.ntuple import NTuple
from sqlamarr.candidates.variables import Columns
from sqlamarr.checking.wording import counted
from sqlamarr.database.connection import Database, quote_identifier
from sqlamarr.errors import SqlamarrError
from sqlamarr.exporters.format import FORMATS, SQLITE, format_by_suffix, own_suffixes
from sqlamarr.files.whole_files import replacing, target_of
from sqlamarr.files.write_lock import claimed
from sqlamarr.output.file import check_output, open_output
from sqlamarr.output.ledger import Ledger
from sqlamarr.output.particles import particles_of
from sqlamarr.output.provenance import read

TREE = "DecayTree"
COPIED = ("DataSources", "Events", "Provenance")  # so that programs that read output files can read n-tuples


@dataclass(frozen=True)
class TupleSummary:
    """What was found.

    :ivar labels: names of the particles in the names of columns
    :ivar wrong_sign: the part of the decay that does not conserve charge, if there is one
    """

    output: str
    descriptor: str
    events: int
    candidates: int
    with_candidates: int
    columns: int
    labels: tuple[str, ...]
    wrong_sign: str = ""

    def text(self) -> str:
        """For people to read."""
        found = f"{counted(self.candidates, 'candidate')} of {self.descriptor}"
        text = (
            f"{self.output}: {found} in {self.with_candidates:,} of {counted(self.events, 'event')}; "
            f"tree {TREE} with {self.columns} columns of {', '.join(self.labels)}"
        )
        if self.wrong_sign:
            text += f"\nNote: {self.wrong_sign} does not conserve charge, so these are wrong-sign combinations."
        return text


def write_tuple(
    source: str | Path,
    descriptor: str,
    output: str | Path,
    selection: Selection | None = None,
    *,
    overwrite: bool = False,
    progress: Callable[[int], object] | None = None,
) -> TupleSummary:
    """Write the candidates of a decay in an output file as an n-tuple.

    :param source: the file that a run wrote
    :param descriptor: the decay, e.g. ``[Lambda_b0 -> (Lambda_c+ -> p+ K- pi+) mu-]CC``
    :param output: the file to write: ``.db`` (SQLite), or a name with the suffix of a format (``.root``, ``.parquet``)
    :param selection: which candidates; default all combinations of long tracks
    :param progress: called with the number of events done
    :raises SqlamarrError: one of the classes in :mod:`sqlamarr.errors`
    """
    path = Path(output)
    format = None if path.suffix in SQLITE else _format(path)
    if not path.exists() or path.suffix in SQLITE:
        check_output(path, overwrite=overwrite, inputs=[str(source)])
    with (
        claimed(path),
        open_output(source) as db,
        particles_of(db),
    ):
        if path.suffix in SQLITE:
            check_output(path, overwrite=overwrite)  # again, as the file may have been created in the meantime
        ntuple = NTuple(db, descriptor, selection or Selection())
        if path.suffix in SQLITE:
            with replacing(path) as part, Database(part) as target:
                return _fill(target, ntuple, str(path), progress)
        from sqlamarr.exporters.export_file import export

        # On the output's disk, which has room; removed at the end.
        with tempfile.TemporaryDirectory(dir=target_of(path).parent, prefix=".tuple") as folder:
            made = Path(folder) / "tuple.db"
            with Database(made) as target:
                summary = _fill(target, ntuple, str(path), progress)
            layout = {"layout": "flat"} if "layout" in FORMATS.get(str(format)).OPTIONS else {}
            export(made, path, format=format, tables=(TREE,), overwrite=overwrite, **layout)
    return summary


def _format(path: Path) -> str:
    """The export format that belongs to a file name and can write any table."""
    found, problems = format_by_suffix(path)
    if found is None or not FORMATS.get(found).TAKES_TABLES:
        expected = ", ".join([*own_suffixes(takes_tables=True), *SQLITE])
        raise SqlamarrError(" ".join([f"{path}: expected a name ending in one of {expected}.", *problems]))
    return found


def _fill(target: Database, ntuple: NTuple, output: str, progress: Callable[[int], object] | None) -> TupleSummary:
    counts = np.zeros(3, dtype=np.int64)  # events, candidates, events with candidates
    columns: Columns = {}
    with target.atomic():
        _copy(ntuple.db, target)
        ledger = Ledger(target, new=True)
        for piece in ntuple.pieces():
            if not columns:
                columns = piece.columns
                target.execute(declaration(ntuple, columns))
                ledger.begin()
            n = len(piece.columns["event_id"])
            if n:
                target.insert(TREE, piece.columns)
                ledger.add(TREE, piece.columns)
            counts += piece.events, n, len(np.unique(piece.columns["event_id"]))
            if progress:
                progress(piece.events)
        _describe(ledger, ntuple)
        for table in COPIED:
            ledger.recompute(table)
        ledger.write()
    labels = tuple(ntuple.labels[k] for k in ntuple.kept)
    events, found, with_any = (int(n) for n in counts)
    wrong = ntuple.descriptor.decay.unbalanced()
    return TupleSummary(
        output, str(ntuple.descriptor), events, found, with_any, len(columns), labels, str(wrong) if wrong else ""
    )


def declaration(ntuple: NTuple, columns: Columns) -> str:
    """The statement that creates the table, with units and meanings as comments, which exporters read."""
    lines = []
    for k, (name, values) in enumerate(columns.items()):
        unit, meaning = ntuple.unit_and_meaning(name)
        kind = "INTEGER" if values.dtype.kind in "iu" else "REAL"
        comma = "," if k < len(columns) - 1 else ""
        lines.append(f"    {quote_identifier(name)} {kind}{comma} -- {meaning}" + (f" [{unit}]" if unit else ""))
    title = f"candidates of {ntuple.descriptor}".replace("\n", " ")
    return f"CREATE TABLE {TREE} ( -- {title}\n" + "\n".join(lines) + "\n)"


def _copy(source: Database, target: Database) -> None:
    read(source)  # to tell of damage before anything is made of it
    for table in COPIED:
        (sql,) = source.execute("SELECT sql FROM sqlite_schema WHERE name = ?", (table,)).fetchone() or ("",)
        target.execute(str(sql))
        target.insert(table, source.read_table(table))


def _describe(ledger: Ledger, ntuple: NTuple) -> None:
    made: dict[str, Any] = {"descriptor": str(ntuple.descriptor), **asdict(ntuple.selection)}
    ledger.insert_row("Provenance", "tuple", json.dumps(made), replace=True)
