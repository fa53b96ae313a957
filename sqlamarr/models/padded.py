"""Models of whole events that take arrays of a fixed size: events padded to a declared maximum, with a mask.

This is how transformers and graph networks are evaluated. One event is one row of :mod:`sqlamarr.models.blocks`,
so neither the batch nor other events can affect it.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sqlamarr.errors import EventError, ModelError
from sqlamarr.models.base import Described, Floats, ModelDescription, Sizes
from sqlamarr.models.blocks import Evaluate, evaluate, trial
from sqlamarr.models.events import EventAnswers, EventBatch, EventLimits, EventSizes

EVENTS = 16  # events that are evaluated together
CHUNK = 64  # events whose results are held in padded form


@dataclass(frozen=True)
class PaddedEvents:
    """The inputs of a model, float32; places after an event's rows hold zeros.

    :ivar rows: (events, max_inputs, inputs)
    :ivar mask: (events, max_inputs), 1 where there is a row, else 0
    :ivar event: (events, event_inputs)
    :ivar noise: (events, max_inputs, noise), standard normal
    :ivar event_noise: (events, event_noise), standard normal
    """

    rows: Floats
    mask: Floats
    event: Floats
    noise: Floats
    event_noise: Floats


PaddedAnswers = tuple[Floats, Floats, Floats]
"""Output rows (events, places, outputs); their mask (events, places), from 0 to 1, where rows above 0.5 are kept;
and the weights of links (events, places, max_inputs), 0 for no link."""

PaddedFunction = Callable[[PaddedEvents], PaddedAnswers]


@dataclass(frozen=True)
class _Shape:
    """Convert an event to one row of numbers and back."""

    sizes: EventSizes
    inputs: int
    places: int

    @property
    def width(self) -> int:
        s, n = self.sizes, self.inputs
        return n * (s.inputs + 1 + s.noise) + s.event_inputs + s.event_noise

    @property
    def answer_width(self) -> int:
        return self.places * (self.sizes.outputs + 1 + self.inputs)

    def split(self, flat: Floats) -> PaddedEvents:
        s, n, events = self.sizes, self.inputs, len(flat)
        widths = (n * s.inputs, n, s.event_inputs, n * s.noise)
        rows, mask, event, noise, event_noise = np.split(flat, np.cumsum(widths), axis=1)
        there = (mask > 0.5).astype(np.float32)
        padded = (rows.reshape(events, n, s.inputs), noise.reshape(events, n, s.noise))
        kept = [np.where(there[:, :, None] > 0, x, np.float32(0)) for x in padded]
        return PaddedEvents(kept[0], there, np.ascontiguousarray(event), kept[1], np.ascontiguousarray(event_noise))

    def packed(self, batch: EventBatch, start: int, stop: int) -> Floats:
        """Return events start to stop of a batch."""
        offsets, s, n = batch.offsets[start : stop + 1], self.sizes, self.inputs
        events = stop - start
        counts = np.diff(offsets)
        which = np.repeat(np.arange(events), counts)
        place = np.arange(offsets[0], offsets[-1]) - np.repeat(offsets[:-1], counts)
        arrays = [np.zeros((events, n, width), np.float32) for width in (s.inputs, 1, s.noise)]
        given = batch.rows[offsets[0] : offsets[-1]], np.float32(1), batch.noise[offsets[0] : offsets[-1]]
        for array, values in zip(arrays, given):
            array[which, place] = values
        rows, mask, noise = (array.reshape(events, -1) for array in arrays)
        return np.hstack([rows, mask, batch.event[start:stop], noise, batch.event_noise[start:stop]])


@dataclass(frozen=True)
class _Verified:
    """A model of certain sizes, on events as rows of numbers, a fixed number at a time."""

    shape: _Shape
    flat: Evaluate
    events: int


class PaddedEventModel(Described, ABC):
    """A model of events of a declared maximum size; kinds of models define how a block of events is evaluated.

    :param label: the model as messages name it
    :param description: the model's own description
    :param events: number of events in a block
    """

    def __init__(self, label: str, description: ModelDescription, events: int = EVENTS) -> None:
        super().__init__(label, description)
        self._block = events
        self._verified: dict[tuple[EventSizes, int | None], _Verified] = {}

    @abstractmethod
    def _function(self, sizes: EventSizes, inputs: int) -> PaddedFunction:
        """Return the function that evaluates padded events.

        :raises ModelError: the model cannot have these sizes; the message begins with a verb
        """

    @property
    def event_input_names(self) -> list[str] | None:
        """Return None: such models have no names for the inputs of the event."""
        return None

    def verify(self, sizes: EventSizes, limits: EventLimits) -> None:
        """Verify on trial events that the shapes match and that an event's result depends on this event alone.

        :raises ModelError: they do not, or the step does not limit the number of rows of an event
        """
        if limits.inputs is None:
            raise ModelError(
                f"{self}: events are padded. Give the step 'max_inputs: N', the maximum number of rows of an event."
            )
        with self._named():
            function = self._function(sizes, limits.inputs)
            places = self._tried(function, _Shape(sizes, limits.inputs, 0))
            shape = _Shape(sizes, limits.inputs, places)

            def flat(events: Floats, _: Floats) -> Floats:
                rows, mask, links = function(shape.split(events))
                return np.hstack([part.reshape(len(events), -1) for part in (rows, mask, links)])

            events = trial(flat, Sizes(shape.width, shape.answer_width, 0), self._block)
        self._verified[sizes, limits.inputs] = _Verified(shape, flat, events)

    def _tried(self, function: PaddedFunction, shape: _Shape) -> int:
        """Find the number of places for output rows, from a call with zeros."""
        answers = function(shape.split(np.zeros((self._block, shape.width), np.float32)))
        places = answers[0].shape[1] if answers[0].ndim == 3 else 0
        expected = [(self._block, places, n) for n in (shape.sizes.outputs, shape.inputs)]
        wanted = {"rows": expected[0], "mask": (self._block, places), "links": expected[1]}
        for (name, size), answer in zip(wanted.items(), answers):
            if answer.shape != size:
                raise ModelError(f"returns {name} of shape {answer.shape} for {self._block} events, expected {size}.")
        return places

    def __call__(self, batch: EventBatch, sizes: EventSizes, limits: EventLimits) -> EventAnswers:
        """Evaluate events; see :class:`~sqlamarr.models.events.EventModel`."""
        if (sizes, limits.inputs) not in self._verified:
            self.verify(sizes, limits)
        verified = self._verified[sizes, limits.inputs]
        parts = [
            self._chunk(verified, batch, start, min(start + CHUNK, batch.events), limits)
            for start in range(0, batch.events, CHUNK)
        ]
        counts = np.concatenate([np.zeros(1, np.int64), *(part[0] for part in parts)])
        offsets = np.cumsum(counts)
        begins = np.cumsum([0, *(part[0].sum() for part in parts)])
        return EventAnswers(
            offsets,
            np.concatenate([np.empty((0, sizes.outputs), np.float32), *(part[1] for part in parts)]),
            np.concatenate([np.empty(0, np.int64), *(part[2] + begin for part, begin in zip(parts, begins))]),
            np.concatenate([np.empty(0, np.int64), *(part[3] for part in parts)]),
            np.concatenate([np.empty(0, np.float32), *(part[4] for part in parts)]),
        )

    def _chunk(
        self, verified: _Verified, batch: EventBatch, start: int, stop: int, limits: EventLimits
    ) -> tuple[NDArray[np.generic], ...]:
        """Return the numbers of rows, the rows, and the links of some events; rows are counted within the chunk."""
        shape, events = verified.shape, stop - start
        with self._named():
            packed = shape.packed(batch, start, stop)
            flat = evaluate(verified.flat, verified.events, packed, None, shape.answer_width)
        widths = (shape.places * shape.sizes.outputs, shape.places)
        rows, mask, links = np.split(flat, np.cumsum(widths), axis=1)
        if np.isnan(mask).any():  # it would count as "not there"
            bad = int(batch.event_ids[start + np.isnan(mask).any(axis=1).argmax()])
            raise EventError(
                f"{self}: the mask of the output rows is NaN; expected 0 to 1 (rows above 0.5 are kept).",
                bad,
            )
        kept = mask > 0.5
        weights = links.reshape(events, shape.places, shape.inputs)
        weights = np.where(kept[:, :, None], weights, np.float32(0))
        counts = kept.sum(axis=1, dtype=np.int64)
        self._refuse(counts, batch.event_ids[start:stop], limits.rows, "output rows", "max_rows")
        n_links = (weights != 0).sum(axis=(1, 2), dtype=np.int64)
        self._refuse(n_links, batch.event_ids[start:stop], limits.links, "links", "max_links")
        event, place, source = np.nonzero(weights)
        given = np.diff(batch.offsets[start : stop + 1])
        if len(beyond := event[source >= given[event]]):
            bad = int(batch.event_ids[start + beyond[0]])
            raise EventError(f"{self}: links an output row to a place where the event has no input row.", bad)
        number = np.cumsum(kept.ravel()).reshape(kept.shape) - 1
        return (
            counts,
            rows.reshape(events, shape.places, shape.sizes.outputs)[kept],
            number[event, place],
            batch.offsets[start + event] + source,
            weights[event, place, source],
        )

    def _refuse(self, counts: NDArray[np.int64], ids: NDArray[np.int64], limit: int, what: str, option: str) -> None:
        if len(counts) and counts.max() > limit:
            event = int(ids[counts.argmax()])
            raise EventError(f"{self}: {counts.max()} {what}, more than the {limit} that {option} allows.", event)
