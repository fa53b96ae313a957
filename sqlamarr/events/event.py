"""An event before it is simulated: its id, and its position in the production and in its file."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain
from typing import NamedTuple, overload

import numpy as np
from numpy.typing import NDArray

#: Ids of the rows of an event run from its event_id to event_id + ROWS_PER_EVENT - 1.
ROWS_PER_EVENT = 1_000_000


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
    """Consecutive events of a source without lines; each is made when it is requested.

    :ivar first: the first event
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
    """Where events come from: a file, a member of an archive, or a generator.

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

    :ivar line: line of the file where the problem is, from 1; 0 where there are no lines
    :ivar step: the step that rejected it; empty: it could not be read
    """

    event_id: int
    line: int
    message: str
    step: str = ""
