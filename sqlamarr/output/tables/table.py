"""A table or view of an output file as analysts read it: by column, in pieces, event by event."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any

from sqlamarr.checking.yaml_schema import suggest
from sqlamarr.database.connection import Database, quote_identifier
from sqlamarr.errors import DataError, SqlamarrError, SqlError
from sqlamarr.native.columns import FLOAT64, INT64, Array
from sqlamarr.output.tables.description import Column, TableDescription, describe
from sqlamarr.output.tables.event_blocks import ROWS, Reader, counts, in_event_order, order_by

if TYPE_CHECKING:
    import awkward as ak
    import pandas as pd

_SHOWN = {INT64: "int64", FLOAT64: "float64"}


class Table:
    """Rows of a table or view, in the order of the primary key; the method names are those of uproot's TTree.

    :param cut: an SQL condition on the rows; empty for all rows

    >>> from sqlamarr import Database
    >>> db = Database()
    >>> db.insert("Tracks", {"p": [5000.0, 12000.0], "type": [5, 3]}, create=True)
    >>> Table(db, "Tracks").filter("type = 3")["p"]
    array([12000.])
    """

    def __init__(self, db: Database, name: str, cut: str = "") -> None:
        self.db = db
        self.description: TableDescription = describe(db, name)
        self.name = self.description.name
        self.cut = cut

    # -- what there is -----------------------------------------------------------------------------

    @property
    def columns(self) -> Mapping[str, Column]:
        """The columns in order, with type, unit and comment."""
        return self.description.columns

    @property
    def units(self) -> dict[str, str]:
        """The unit of every column, as the schema gives it; empty if it has none."""
        return {name: column.unit for name, column in self.columns.items()}

    @cached_property
    def num_entries(self) -> int:
        """Number of rows."""
        row = self.db.execute(f"SELECT count(*) FROM {self._from()}").fetchone()
        return int(row[0]) if row else 0

    def __len__(self) -> int:
        return self.num_entries

    def keys(self) -> list[str]:
        """The names of the columns."""
        return list(self.columns)

    def __iter__(self) -> Iterator[str]:
        return iter(self.columns)

    def __contains__(self, name: object) -> bool:
        return name in self.columns

    def __getitem__(self, name: str) -> Array:
        """A column as a numpy array: integers masked where NULL, floats with NaN, text with None."""
        if name not in self.columns:
            raise SqlError(f"{self.name} has no column {name!r}; it has: {', '.join(self)}{suggest(name, self)}")
        order = order_by(self.db, self.name)
        return self.db.arrays(f"SELECT {quote_identifier(name)} FROM {self._from()}{order}")[name]

    def __bool__(self) -> bool:
        return True  # a table without rows is still a table

    def __repr__(self) -> str:
        cut = f" where {self.cut}" if self.cut else ""
        return f"<Table {self.name}{cut}: {self.num_entries:,} rows, {len(self.columns)} columns: {', '.join(self)}>"

    def show(self) -> None:
        """Print every column with its type, unit and comment."""
        kinds = [_SHOWN.get(column.type, "string") for column in self.columns.values()]
        widths = [max(map(len, [*texts, ""])) for texts in (self.columns, kinds, self.units.values())]
        print(f"{self.name}: {self.num_entries:,} rows" + (f"; {self.description.doc}" if self.description.doc else ""))
        for (name, column), kind in zip(self.columns.items(), kinds):
            cells = [text.ljust(width) for text, width in zip((name, kind, column.unit), widths)]
            print(f"  {'  '.join(cells)}  {column.doc}".rstrip())

    # -- reading -----------------------------------------------------------------------------------

    def filter(self, cut: str) -> Table:
        """The rows for which an SQL condition holds, in addition to the conditions so far.

        :raises SqlError: SQLite refuses the condition
        """
        table = Table(self.db, self.name, f"({self.cut}) AND ({cut})" if self.cut else cut)
        self.db.describe(f"SELECT * FROM {table._from()}")
        return table

    def arrays(self, expressions: str | Sequence[str] | None = None, cut: str = "", *, library: str = "np") -> Any:
        """Read columns, or SQL expressions of them, for all rows or for those where ``cut`` holds.

        :param expressions: names of columns or SQL expressions (``"pt / 1000 AS pt_GeV"``); None for all columns
        :param library: ``np`` (a dict of numpy arrays), ``ak`` (an Awkward array of records) or ``pd`` (a DataFrame)
        :raises SqlError: SQLite refuses an expression or the cut
        """
        table = self.filter(cut) if cut else self
        sql = f"SELECT {self._select(expressions)} FROM {table._from()}{order_by(self.db, self.name)}"
        if library == "np":
            return self.db.arrays(sql)
        if library == "pd":
            return self.db.dataframe(sql)
        if library == "ak":
            from sqlamarr.output.tables.awkward_arrays import from_columns

            return from_columns(self.db.arrays(sql))
        raise SqlamarrError(f"library must be one of np, ak, pd, found {library!r}.")

    def dataframe(self, expressions: str | Sequence[str] | None = None, cut: str = "") -> pd.DataFrame:
        """Read the same as a pandas DataFrame; integers with NULLs are ``Int64``. Units are in ``attrs["units"]``."""
        frame: pd.DataFrame = self.arrays(expressions, cut, library="pd")
        frame.attrs["units"] = {name: unit for name, unit in self.units.items() if unit and name in frame}
        return frame

    def awkward(self, expressions: str | Sequence[str] | None = None, cut: str = "") -> ak.Array:
        """Read the same as an Awkward array of records; integers and text with NULLs have an option type."""
        return self.arrays(expressions, cut, library="ak")

    def iterate(self, step_size: int = ROWS) -> Iterator[dict[str, Array]]:
        """Yield all columns in pieces of about ``step_size`` rows; an event is never split. Memory stays bounded.

        :raises DataError: some rows belong to no event
        """
        for _, columns in self._reader().pieces(step_size):
            yield dict(columns)

    def by_event(self) -> ak.Array:
        """Read one list of records per event of the table Events, in its order; empty for an event without rows.

        :raises DataError: the table has no column event_id, or some rows belong to no event
        """
        import awkward as ak

        from sqlamarr.output.tables import awkward_arrays as to

        if "event_id" not in self.columns:
            raise DataError(f"{self.name} has no column event_id, so its rows cannot be grouped by event.")
        events = self.db.columns("SELECT event_id FROM Events ORDER BY event_id")["event_id"]
        reader = self._reader()
        columns = reader.read()
        ordered = in_event_order(columns["event_id"], columns)
        per_event = counts(ordered["event_id"], events)
        reader.check_complete(int(per_event.sum()))
        contents = {name: to.layout(values) for name, values in ordered.items()}
        return ak.Array(to.lists(per_event, to.record(contents, columns.rows)))

    # -- SQL ---------------------------------------------------------------------------------------

    def _reader(self) -> Reader:
        return Reader(self.db, self.name, {name: column.type for name, column in self.columns.items()}, self.cut)

    def _from(self) -> str:
        return quote_identifier(self.name) + (f" WHERE ({self.cut}\n)" if self.cut else "")

    def _select(self, expressions: str | Sequence[str] | None) -> str:
        if expressions is None:
            return ", ".join(map(quote_identifier, self.columns))
        chosen = [expressions] if isinstance(expressions, str) else list(expressions)
        if not chosen:
            raise SqlError(f"{self.name}: no columns were requested.")
        return ", ".join(quote_identifier(name) if name in self.columns else name for name in chosen)
