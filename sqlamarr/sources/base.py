"""The interface of a source of events, which yields chunks of whole events, and the numbering of events."""

from __future__ import annotations

from collections.abc import Generator
from typing import Any, Protocol

from sqlamarr.errors import InputError
from sqlamarr.events.chunk import Chunk
from sqlamarr.events.event import ROWS_PER_EVENT, DataSource, EventRef, EventRun

#: Events that go through the steps together unless the user or the source sets another number.
BATCH = 500


class Source(Protocol):
    """A run's input: chunks that can be read once, and what is learnt from them."""

    @property
    def weight_names(self) -> tuple[str, ...]:
        """Names of the generator's weights, taken from the first input that has any."""

    @property
    def collisions(self) -> str:
        """What an event of a HepMC file is: ``record`` or ``file``; ``auto`` until this is decided."""

    @property
    def warnings(self) -> list[str]:
        """Sentences for the user; complete once the chunks are exhausted."""

    def chunks(self, batch_size: int | None = None) -> Generator[Chunk, None, None]:
        """Yield the events in order, ``batch_size`` at a time (the last chunk may be shorter).

        None lets the source choose the size.

        :raises InputError: an input cannot be read
        """

    def names(self) -> list[str]:
        """Paths and other names of all inputs in order, whether read or not."""

    def position(self) -> list[dict[str, Any]]:
        """How far each input was read when the last chunk was cut: path, bytes, sha256 of these bytes, complete."""

    def inputs(self) -> list[dict[str, Any]]:
        """A description of every source read so far, for the provenance."""


class Numbering:
    """Assign ordinals and ids to events and sources, in the order of reading.

    :param first_event: ordinal of the first event of the inputs
    :param max_events: stop after this many
    :param skip: events at the beginning that are numbered but not wanted; they do not count towards ``max_events``
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
        """Whether no further events are wanted."""
        return self._last is not None and self.ordinal >= self._last

    @property
    def remaining(self) -> int | None:
        """How many events are still wanted; None for all that there are."""
        return None if self._last is None else max(self._last - self.ordinal, 0)

    @property
    def unwanted(self) -> int:
        """How many of the next events are to be skipped."""
        return max(self.first_wanted - self.ordinal, 0)

    def skip(self, count: int) -> None:
        """Number events of the current source without handing them out."""
        self.ordinal += count
        self._number += count
        self._empty = 0 if count else self._empty

    def next_source(self, path: str, kind: str) -> DataSource:
        """Begin a source. Its id also differs from those of preceding sources without events."""
        self._source = self.ordinal * ROWS_PER_EVENT + self._empty
        self._empty += 1
        self._number = 0
        return DataSource(self._source, path, kind)

    def next_event(self, line: int = 0) -> EventRef:
        """Number an event of the current source."""
        event = EventRef(self.ordinal * ROWS_PER_EVENT, self.ordinal, self._source, self._number, line)
        self.ordinal += 1
        self._number += 1
        self._empty = 0
        return event

    def next_events(self, count: int) -> EventRun:
        """Number several events that have no line numbers."""
        events = EventRun(EventRef(self.ordinal * ROWS_PER_EVENT, self.ordinal, self._source, self._number), count)
        self.skip(count)
        return events
