"""Chunks: whole events on their way from a source to a worker, which parses them into tables."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol, runtime_checkable

import numpy as np

from sqlamarr.events.event import DataSource, EventRef, Rejected, event_numbers
from sqlamarr.native.columns import Columns

#: Tables of the generator's record, which sources fill.
GENERATOR_TABLES = ("GenEvents", "GenVertices", "GenParticles", "GenWeights")


@dataclass(frozen=True)
class ParsedChunk:
    """Tables by name, without the rows of rejected events; momenta in MeV, lengths in mm, times in mm/c."""

    tables: dict[str, Columns]
    rejected: list[Rejected] = field(default_factory=list)


@runtime_checkable
class Chunk(Protocol):
    """Some whole events, in order. Cheap to pickle, as the worker does the parsing."""

    @property
    def events(self) -> Sequence[EventRef]:
        """The events, by ascending id."""

    @property
    def sources(self) -> tuple[DataSource, ...]:
        """The sources of these events."""

    def parse(self) -> ParsedChunk:
        """The events as tables; the same events give the same tables in any chunk."""

    def split(self) -> tuple[Chunk, Chunk]:
        """The first and the second half of the events.

        :raises ValueError: there are fewer than two
        """


@dataclass(frozen=True)
class TableChunk:
    """Events that are tables already, from a source that does not read text."""

    events: Sequence[EventRef]
    sources: tuple[DataSource, ...]
    tables: Mapping[str, Columns]
    rejected: tuple[Rejected, ...] = ()

    def parse(self) -> ParsedChunk:
        """The tables."""
        return ParsedChunk(dict(self.tables), list(self.rejected))

    def split(self) -> tuple[TableChunk, TableChunk]:
        """The first and the second half of the events."""
        first, second = halves(self.events)
        return self._part(first), self._part(second)

    def _part(self, events: Sequence[EventRef]) -> TableChunk:
        ids = event_numbers(events)[:, 0]
        tables = {}
        for name, columns in self.tables.items():
            keep = np.isin(columns["event_id"], ids)
            tables[name] = Columns({column: values[keep] for column, values in columns.items()})
        rejected = tuple(row for row in self.rejected if row.event_id in set(ids.tolist()))
        return TableChunk(events, sources_of(events, self.sources), tables, rejected)


def halves(events: Sequence[EventRef]) -> tuple[Sequence[EventRef], Sequence[EventRef]]:
    """Split events into two halves, neither of them empty.

    :raises ValueError: there are fewer than two events
    """
    if len(events) < 2:
        raise ValueError(f"Only a chunk of two or more events can be split; this one has {len(events)}.")
    middle = len(events) // 2
    return events[:middle], events[middle:]


def sources_of(events: Sequence[EventRef], sources: tuple[DataSource, ...]) -> tuple[DataSource, ...]:
    """The sources that the events come from."""
    used = {event.datasource_id for event in events}
    return tuple(source for source in sources if source.datasource_id in used)
