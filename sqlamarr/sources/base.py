"""What a source of events is: it deals chunks of whole events, which workers parse into tables."""

from __future__ import annotations

from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain
from typing import Any, NamedTuple, Protocol, overload, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from sqlamarr.errors import InputError
from sqlamarr.native.columns import Columns

#: Ids of the rows of an event run from its event_id to event_id + ROWS_PER_EVENT - 1.
ROWS_PER_EVENT = 1_000_000
#: Events that go through the steps together, where nobody says otherwise and the source knows no better.
BATCH = 500


class EventRef(NamedTuple):
    """An event, before it is parsed.

    :ivar event_id: ordinal * ROWS_PER_EVENT
    :ivar ordinal: position of the event in the whole production, from 0
    :ivar datasource_id: the source that it comes from
    :ivar number: position of the event in its source, from 0
    :ivar line: line of the file where it begins, from 1; 0 where there are no lines
    """

    event_id: int
    ordinal: int
    datasource_id: int
    number: int
    line: int = 0


@dataclass(frozen=True)
class EventRun(Sequence[EventRef]):
    """Events of one source without lines, one after another: each is made when it is asked for.

    :ivar first: the first of them
    :ivar size: how many there are
    """

    first: EventRef
    size: int

    def __len__(self) -> int:
        return self.size

    @overload
    def __getitem__(self, place: int) -> EventRef: ...
    @overload
    def __getitem__(self, place: slice) -> Sequence[EventRef]: ...
    def __getitem__(self, place: int | slice) -> EventRef | Sequence[EventRef]:
        if isinstance(place, slice):
            places = range(self.size)[place]
            return EventRun(self._at(places.start), len(places)) if places.step == 1 else [self[i] for i in places]
        return self._at(range(self.size)[place])

    def _at(self, place: int) -> EventRef:
        ordinal, number = self.first.ordinal + place, self.first.number + place
        return EventRef(ordinal * ROWS_PER_EVENT, ordinal, self.first.datasource_id, number)

    def numbers(self) -> NDArray[np.int64]:
        """See :func:`event_numbers`."""
        ahead = np.arange(self.size)[:, np.newaxis]
        numbers: NDArray[np.int64] = ahead * (ROWS_PER_EVENT, 1, 0, 1) + self._at(0)[:4]
        return numbers


def event_numbers(events: Sequence[EventRef]) -> NDArray[np.int64]:
    """The fields of events up to ``number``, int64 (events, 4)."""
    if isinstance(events, EventRun):
        return events.numbers()
    width = len(EventRef._fields)
    return np.fromiter(chain.from_iterable(events), np.int64, width * len(events)).reshape(-1, width)[:, :4]


@dataclass(frozen=True)
class DataSource:
    """A file, a member of an archive, a generator: what events come from.

    :ivar datasource_id: ordinal of its first event * ROWS_PER_EVENT, plus the number of sources without
        events that come before it at the same ordinal
    :ivar path: where it is, for people
    :ivar format: what was read, e.g. ``HepMC3 ASCII``
    """

    datasource_id: int
    path: str
    format: str


@dataclass(frozen=True)
class Rejected:
    """An event that cannot be processed, and why.

    :ivar line: line of the file where the trouble is, from 1; 0 where there are no lines
    :ivar step: the step that refused it; empty: reading
    """

    event_id: int
    line: int
    message: str
    step: str = ""


@dataclass(frozen=True)
class ParsedChunk:
    """Tables by name, without the rows of rejected events; momenta in MeV, lengths in mm, times in mm/c."""

    tables: dict[str, Columns]
    rejected: list[Rejected] = field(default_factory=list)


@runtime_checkable
class Chunk(Protocol):
    """Some whole events, in order. Cheap to pickle: parsing is the worker's business."""

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


class Source(Protocol):
    """A run's input: chunks once through, and what is learnt on the way."""

    @property
    def weight_names(self) -> tuple[str, ...]:
        """Names of the generator's weights, as the first input that has any gives them."""

    @property
    def collisions(self) -> str:
        """What an event of a HepMC file is: ``record`` or ``file``; ``auto`` while that is open."""

    @property
    def warnings(self) -> list[str]:
        """Sentences for the user; complete when the chunks are exhausted."""

    def chunks(self, batch_size: int | None = None) -> Generator[Chunk, None, None]:
        """The events in order, ``batch_size`` at a time (the last chunk may be shorter); None: as many as suit them.

        :raises InputError: an input cannot be read
        """

    def names(self) -> list[str]:
        """Paths and other names of all inputs, in their order, read or not."""

    def position(self) -> list[dict[str, Any]]:
        """How far every input was read when the last chunk was cut: path, bytes, sha256 of these, complete."""

    def inputs(self) -> list[dict[str, Any]]:
        """A description of every source read so far, for the provenance."""


@dataclass(frozen=True)
class TableChunk:
    """Events that are tables already: what a source yields that does not read text."""

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
    """Two halves, neither of them empty.

    :raises ValueError: there are fewer than two events
    """
    if len(events) < 2:
        raise ValueError(f"Only a chunk of two or more events can be split, this one has {len(events)}.")
    middle = len(events) // 2
    return events[:middle], events[middle:]


def sources_of(events: Sequence[EventRef], sources: tuple[DataSource, ...]) -> tuple[DataSource, ...]:
    """Those of the sources that the events come from."""
    used = {event.datasource_id for event in events}
    return tuple(source for source in sources if source.datasource_id in used)


class Numbering:
    """Deals out ordinals and ids of events and sources, in the order of reading.

    :param first_event: ordinal of the first event of the inputs
    :param max_events: stop after so many
    :param skip: events at the beginning that are numbered, but not wanted; not among ``max_events``
    """

    def __init__(self, first_event: int = 0, max_events: int | None = None, skip: int = 0) -> None:
        if first_event < 0:
            raise InputError(f"The ordinal of the first event must not be negative, found {first_event}.")
        if max_events is not None and max_events < 0:
            raise InputError(f"The number of events to read must not be negative, found {max_events}.")
        if skip < 0:
            raise InputError(f"The number of events to skip must not be negative, found {skip}.")
        self.ordinal = first_event
        self.first_wanted = first_event + skip
        self._last = None if max_events is None else self.first_wanted + max_events
        self._empty = 0
        self._number = 0
        self._source = 0

    @property
    def exhausted(self) -> bool:
        """No further event is wanted."""
        return self._last is not None and self.ordinal >= self._last

    @property
    def remaining(self) -> int | None:
        """How many events are still wanted; None: all there are."""
        return None if self._last is None else max(self._last - self.ordinal, 0)

    @property
    def unwanted(self) -> int:
        """How many of the next events are to be skipped."""
        return max(self.first_wanted - self.ordinal, 0)

    def skip(self, count: int) -> None:
        """Number events of the source begun last without handing them out."""
        self.ordinal += count
        self._number += count
        self._empty = 0 if count else self._empty

    def next_source(self, path: str, kind: str) -> DataSource:
        """Begin a source; those without events before it make its id differ from theirs."""
        self._source = self.ordinal * ROWS_PER_EVENT + self._empty
        self._empty += 1
        self._number = 0
        return DataSource(self._source, path, kind)

    def next_event(self, line: int = 0) -> EventRef:
        """Number an event of the source begun last."""
        event = EventRef(self.ordinal * ROWS_PER_EVENT, self.ordinal, self._source, self._number, line)
        self.ordinal += 1
        self._number += 1
        self._empty = 0
        return event

    def next_events(self, count: int) -> EventRun:
        """Number several events that have no lines."""
        events = EventRun(EventRef(self.ordinal * ROWS_PER_EVENT, self.ordinal, self._source, self._number), count)
        self.skip(count)
        return events


__all__ = [
    "ROWS_PER_EVENT",
    "Chunk",
    "DataSource",
    "EventRef",
    "EventRun",
    "Numbering",
    "ParsedChunk",
    "Rejected",
    "Source",
    "TableChunk",
    "event_numbers",
    "halves",
    "sources_of",
]
