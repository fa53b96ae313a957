"""An output file as analysts read it."""

from __future__ import annotations

from sqlamarr.database.connection import Database
from sqlamarr.output.tables.table import Table


class OutputDatabase(Database):
    """A :class:`Database` whose tables and views can be read by name, as :class:`Table`.

    >>> with OutputDatabase() as db:
    ...     db.insert("Tracks", {"p": [5000.0, 12000.0], "type": [5, 3]}, create=True)
    ...     db["Tracks"].filter("type = 3")["p"]
    array([12000.])
    """

    def __getitem__(self, name: str) -> Table:
        """A table or view, for reading by column, in pieces, or event by event.

        :raises SqlError: there is no table or view of this name
        """
        return Table(self, name)
