"""The results of a batch, on their way from a worker to the output file."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from sqlamarr.database.page_images import Image
from sqlamarr.events.counters import Counters
from sqlamarr.events.event import DataSource, EventRef, Rejected, event_numbers
from sqlamarr.native.columns import Columns, Text
from sqlamarr.output.checksums import Sums


@dataclass
class BatchResult:
    """The finished tables of a batch, to be appended to the output.

    :ivar tables: those that are not in ``image``
    :ivar image: tables as a database file takes them over
    :ivar checksums: of all these tables; None: still to be computed
    :ivar outside: by step and input, rows of a model outside the range that it is meant for
    """

    tables: dict[str, Columns]
    events: Sequence[EventRef]
    sources: tuple[DataSource, ...]
    rejected: list[Rejected]
    counts: Counters
    notes: set[str]
    seconds: dict[str, float] = field(default_factory=dict)
    image: Image | None = None
    outside: Counter[tuple[str, str]] = field(default_factory=Counter)
    checksums: Sums | None = None

    @property
    def rows(self) -> dict[str, int]:
        """Number of rows by table."""
        rows = {table: columns.rows for table, columns in self.tables.items()}
        return {**rows, **self.image.rows} if self.image else rows


_STATUS = Text.encode(np.array(["simulated", "rejected"], dtype=object))


def source_columns(sources: tuple[DataSource, ...]) -> Columns:
    """Rows of DataSources."""
    return Columns(
        {
            "datasource_id": [source.datasource_id for source in sources],
            "datasource": [source.path for source in sources],
            "format": [source.format for source in sources],
        }
    )


def event_columns(events: Sequence[EventRef], rejected: set[int]) -> Columns:
    """Rows of Events."""
    fields = event_numbers(events)
    names = ("event_id", "ordinal", "datasource_id", "number")
    columns: dict[str, Any] = {name: fields[:, i] for i, name in enumerate(names)}
    is_rejected = np.isin(columns["event_id"], list(rejected))
    return Columns({**columns, "status": _STATUS.take(is_rejected.astype(np.int64))})
