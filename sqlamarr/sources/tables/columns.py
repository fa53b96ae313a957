"""Find and check the columns of a table of particles, and convert them to MeV, mm and mm/c."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any, NamedTuple

import numpy as np

from sqlamarr.errors import InputError
from sqlamarr.particles.codes import DECAYED, LHCB_SIGNAL, STABLE
from sqlamarr.particles.constants import SPEED_OF_LIGHT
from sqlamarr.sources.record_tables import Array

COLUMNS = {
    "event": "Number of the event; not needed if columns hold lists, one row per event.",
    "pid": "PDG id.",
    "px": "Momentum.",
    "py": "Momentum.",
    "pz": "Momentum.",
    "e": "Energy. Give e or m; without either, the mass is that of the Particle Data Group.",
    "m": "Mass.",
    "x": "Place where the particle begins; default 0.",
    "y": "Place where the particle begins; default 0.",
    "z": "Place where the particle begins; default 0.",
    "t": "Time when the particle begins; default 0.",
    "mother": "Row of the mother in its event, from 0; -1: none.",
    "status": f"HepMC status; default {STABLE}, and {DECAYED} for decayed particles. {LHCB_SIGNAL} marks the signal.",
    "weight": "Weight of the event, in each of its rows; default 1.",
}
INTEGERS = ("event", "pid", "mother", "status")
REQUIRED = ("pid", "px", "py", "pz")
DEFAULTS = {"x": 0.0, "y": 0.0, "z": 0.0, "t": 0.0, "mother": -1, "weight": 1.0}
MOMENTA = {"MeV": 1.0, "GeV": 1000.0, "TeV": 1e6, "keV": 1e-3, "eV": 1e-6}
LENGTHS = {"mm": 1.0, "cm": 10.0, "m": 1000.0, "um": 1e-3}
TIMES = {"mm/c": 1.0, "ns": SPEED_OF_LIGHT, "ps": SPEED_OF_LIGHT / 1000, "s": SPEED_OF_LIGHT * 1e9, "m/c": 1000.0}


class Jagged(NamedTuple):
    """A column of lists.

    :ivar values: the values of all rows, concatenated
    :ivar counts: how many each row has
    """

    values: Array
    counts: Array


@dataclass(frozen=True)
class Block:
    """Rows of a table, a row per particle.

    :ivar event: number of the event in the table, or of the row if rows are events, (n,)
    :ivar columns: arrays (n,) by the names of COLUMNS, in MeV, mm, mm/c; integers are int64, others float64
    :ivar row: position of each row in the table, (n,)
    """

    event: Array
    row: Array
    columns: Mapping[str, Array]

    def part(self, begin: int, end: int) -> Block:
        """Some of the rows."""
        columns = {name: values[begin:end] for name, values in self.columns.items()}
        return Block(self.event[begin:end], self.row[begin:end], columns)

    @classmethod
    def joined(cls, blocks: Sequence[Block]) -> Block:
        """Concatenate blocks; columns missing from one of them get their defaults."""
        names = dict.fromkeys(name for block in blocks for name in block.columns)
        columns = {name: np.concatenate([block.column(name) for block in blocks]) for name in names}
        event, row = (np.concatenate([getattr(block, name) for block in blocks]) for name in ("event", "row"))
        return cls(event, row, columns)

    def column(self, name: str) -> Array:
        """A column; NaN (for integers, the lowest) if the table does not have it and there is no default."""
        if name in self.columns:
            return self.columns[name]
        if name in INTEGERS:
            return np.full(len(self.event), DEFAULTS.get(name, ABSENT), np.int64)
        return np.full(len(self.event), DEFAULTS.get(name, np.nan))


_WHOLE = 2.0**53  # beyond this, not every integer is a float
ABSENT = np.iinfo(np.int64).min


class Mapper:
    """Finds the columns of a table and converts them.

    :param content: content of the description: columns, units
    :param names: names of the table's columns
    :param table: name of the table for messages
    :raises InputError: a column is missing
    """

    def __init__(self, content: Mapping[str, Any], names: Sequence[str], table: str) -> None:
        self._table = table
        named = content.get("columns", {})
        for name, called in named.items():
            if called not in names:
                raise InputError(f"{table} has no column {called!r} ({name}){_hint(called, names)}")
        self._named = {name: named.get(name, name) for name in COLUMNS if name in named or name in names}
        for name in REQUIRED:
            if name not in self._named:
                raise InputError(
                    f"{table} has no column {name!r}{_hint(name, names)} "
                    f"If it has another name, give it: 'columns: {{{name}: ...}}'."
                )
        units = content.get("units", {})
        momentum, length = MOMENTA[units.get("momentum", "MeV")], LENGTHS[units.get("length", "mm")]
        self._factors = {
            **dict.fromkeys(("px", "py", "pz", "e", "m"), momentum),
            **dict.fromkeys(("x", "y", "z"), length),
            "t": TIMES[units.get("time", "mm/c")],
        }
        self.wanted = list(dict.fromkeys(self._named.values()))
        self.whole_events = False  # whether a row of the table is an event
        self._rows = 0
        self._last: int | None = None

    def block(self, raw: Mapping[str, Array | Jagged], rest: Block | None) -> tuple[Block, Array]:
        """Convert rows.

        :param raw: columns by the table's names
        :param rest: rows to put before them
        :returns: the rows, and how many each event has
        :raises InputError: a column has the wrong type, or the events are not in ascending order
        """
        jagged = {called: column for called, column in raw.items() if isinstance(column, Jagged)}
        counts = self._counts(jagged)
        n = len(counts) if counts is not None else len(next(iter(raw.values())))
        table_rows = np.arange(self._rows, self._rows + n)
        self._rows += n
        row = table_rows if counts is None else np.repeat(table_rows, counts)
        columns = {name: self._column(name, raw[called], counts) for name, called in self._named.items()}
        block = Block(columns.pop("event", row), row, columns)
        if counts is not None:
            return block, counts
        self._check_order(block)
        block = block if rest is None else Block.joined([rest, block])
        changes = np.flatnonzero(np.diff(block.event)) + 1
        return block, np.diff(np.concatenate([[0], changes, [len(block.event)]]))

    def _counts(self, jagged: Mapping[str, Jagged]) -> Array | None:
        if not jagged:
            if "event" not in self._named:
                raise InputError(
                    f"{self._table} has no column 'event', which shows which particles belong together. "
                    "If it has another name, give it: 'columns: {event: ...}'."
                )
            return None
        self.whole_events = True
        (first, column), *others = jagged.items()
        for called, other in others:
            if not np.array_equal(other.counts, column.counts):
                row = self._rows + int(np.flatnonzero(other.counts != column.counts)[0])
                raise InputError(f"{self._table}, row {row}: the lists of {first!r} and {called!r} differ in length.")
        return column.counts

    def _column(self, name: str, column: Array | Jagged, counts: Array | None) -> Array:
        values = column.values if isinstance(column, Jagged) else column
        if values.dtype.kind not in "iufb":
            raise InputError(
                f"{self._table}: column {self._named[name]!r} ({name}) holds {_kind(values)}; expected numbers."
            )
        if counts is not None and not isinstance(column, Jagged):
            values = np.repeat(values, counts)
        if name in INTEGERS:
            return self._integers(name, values)
        numbers = values.astype(np.float64) * self._factors.get(name, 1.0)
        return np.where(np.isnan(numbers), np.inf, numbers)  # inf: present but not a number; NaN: no such column

    def _integers(self, name: str, values: Array) -> Array:
        column = f"{self._table}: column {self._named[name]!r} ({name})"
        if values.dtype.kind == "f":
            bad = np.flatnonzero(~(np.floor(values) == values) | (np.abs(values) >= _WHOLE))
            if len(bad):
                raise InputError(f"{column} must hold integers, found {values[bad[0]]} (row {bad[0]} of a block).")
        if values.dtype == np.uint64 and len(values) and values.max() > np.iinfo(np.int64).max:
            raise InputError(f"{column} holds numbers that do not fit into 64-bit integers.")
        return values.astype(np.int64)

    def _check_order(self, block: Block) -> None:
        if not len(block.event):
            return
        before = block.event[0] if self._last is None else self._last
        steps = np.diff(block.event, prepend=before)
        if (steps < 0).any():
            at = int(np.flatnonzero(steps < 0)[0])
            raise InputError(
                f"{self._table}, row {block.row[at]}: event {block.event[at]} comes after event "
                f"{block.event[at - 1] if at else before}. Sort the table by its event number."
            )
        self._last = int(block.event[-1])


def _kind(values: Array) -> str:
    """Say what a column holds instead of numbers, with an example."""
    example = next((value for value in values.tolist() if not _is_number(value)), None)
    return (
        f"something that is not a number, such as {example!r}"
        if example is not None
        else f"values of type {values.dtype}"
    )


def _is_number(value: Any) -> bool:
    try:
        float(value)
    except (TypeError, ValueError):
        return False
    return True


def _hint(name: str, names: Sequence[str]) -> str:
    close = get_close_matches(name.lower(), {n.lower(): n for n in names}, n=1, cutoff=0.5)
    listed = ", ".join(map(str, names[:20])) + (", ..." if len(names) > 20 else "")
    meant = {n.lower(): n for n in names}
    return f"; its columns: {listed}." + (f" Did you mean {meant[close[0]]!r}?" if close else "")


__all__ = ["ABSENT", "COLUMNS", "INTEGERS", "LENGTHS", "MOMENTA", "TIMES", "Block", "Jagged", "Mapper"]
