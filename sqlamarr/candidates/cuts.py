"""Conditions in SQL on the variables of candidates."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from sqlamarr.checking.yaml_schema import suggest
from sqlamarr.database.connection import Database
from sqlamarr.errors import SqlamarrError, SqlError


class Cut:
    """An SQL expression over columns. NULL (not applicable) does not pass.

    :param text: the expression, e.g. ``PT > 500 AND ProbNNp > 0.2``
    :param option: the option that it comes from, for messages
    """

    def __init__(self, text: str, option: str) -> None:
        self.text, self.option = text, option

    def rows(self, columns: Mapping[str, npt.NDArray[Any]]) -> npt.NDArray[np.intp]:
        """Rows for which the expression is true.

        :raises SqlamarrError: SQLite does not understand it; the message lists the available names
        """
        with Database() as db:
            n = len(next(iter(columns.values())))
            used = {name: values for name, values in columns.items() if name.lower() in self.text.lower()}
            db.insert("candidates", {"row_": np.arange(n), **used}, create=True)
            try:
                found = db.arrays(f"SELECT row_ FROM candidates WHERE ({self.text}\n) ORDER BY row_")
            except SqlError as error:
                reason = str(error).splitlines()[0].removeprefix("Query: ")
                unknown = re.search(r"no such column: (.+)", reason)
                hint = suggest(unknown[1], columns) if unknown else "."
                raise SqlamarrError(
                    f"{self.option}: {self.text!r}: {reason}{hint} Expected an SQL condition on these names: "
                    f"{', '.join(columns)}."
                ) from error
        return np.asarray(found["row_"], dtype=np.intp)
