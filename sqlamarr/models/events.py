"""Models of whole events, which make m output rows from n input rows, with links between them.

:class:`EventModel` is the interface that the step ``event_plugin`` uses, for any kind of model;
:class:`CompiledEventModel` is a function of a shared library.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from sqlamarr.checking.wording import counted
from sqlamarr.errors import EventError, ModelError
from sqlamarr.models.base import Floats, SelfDescribed
from sqlamarr.models.library_function import LibraryFunction, as_pointer
from sqlamarr.native.library import check, ffi, lib

Integers = NDArray[np.int64]


@dataclass(frozen=True)
class EventSizes:
    """Numbers of float32 values that an event model reads and writes.

    :ivar inputs: per input row
    :ivar event_inputs: of the event as a whole
    :ivar outputs: per output row
    :ivar noise: standard normal numbers per input row
    :ivar event_noise: standard normal numbers per event
    """

    inputs: int
    event_inputs: int
    outputs: int
    noise: int
    event_noise: int

    def __str__(self) -> str:
        return (
            f"{counted(self.inputs, 'input')}, {counted(self.event_inputs, 'input')} of the event, "
            f"{counted(self.outputs, 'output')}, {counted(self.noise, 'random number')} per row and "
            f"{self.event_noise} per event"
        )


@dataclass(frozen=True)
class EventLimits:
    """Limits of one event; exceeding them is an error of that event.

    :ivar rows: maximum number of output rows
    :ivar links: maximum number of links
    :ivar inputs: maximum number of input rows, None for no limit; events are padded to it for models of fixed size
    """

    rows: int
    links: int
    inputs: int | None = None


@dataclass(frozen=True)
class EventBatch:
    """Input of several events, one after the other.

    :ivar event_ids: int64 (events,), ascending
    :ivar offsets: int64 (events + 1,): rows offsets[k] to offsets[k + 1] belong to event k, which may have none
    :ivar rows: float32 (rows, inputs)
    :ivar event: float32 (events, event_inputs)
    :ivar noise: float32 (rows, noise), standard normal; independent of a row's position in its event
    :ivar event_noise: float32 (events, event_noise), standard normal
    """

    event_ids: Integers
    offsets: Integers
    rows: Floats
    event: Floats
    noise: Floats
    event_noise: Floats

    @property
    def events(self) -> int:
        """Number of events."""
        return len(self.event_ids)


@dataclass(frozen=True)
class EventAnswers:
    """Output of several events, in the order of the batch.

    :ivar offsets: int64 (events + 1,): rows offsets[k] to offsets[k + 1] belong to event k
    :ivar rows: float32 (rows, outputs)
    :ivar link_out: int64 (links,): output rows, counted through all events
    :ivar link_in: int64 (links,): the input rows that they come from, counted through all events
    :ivar link_weight: float32 (links,): the fraction of the output row that comes from the input row
    """

    offsets: Integers
    rows: Floats
    link_out: Integers
    link_in: Integers
    link_weight: Floats


class EventModel(SelfDescribed, Protocol):
    """The interface of an event model, as the step ``event_plugin`` uses it.

    The result of an event depends only on that event, bit for bit, whatever else is in the batch.
    """

    @property
    def event_input_names(self) -> list[str] | None:
        """Names of the inputs of the event in their order, if the model has them."""

    def verify(self, sizes: EventSizes, limits: EventLimits) -> None:
        """Verify before the first event that the model has these sizes.

        :raises ModelError: the sizes differ
        """

    def __call__(self, batch: EventBatch, sizes: EventSizes, limits: EventLimits) -> EventAnswers:
        """Evaluate events.

        :raises EventError: an event has no result within the limits; the error carries the event's id
        """


class CompiledEventModel(LibraryFunction[EventSizes]):
    """A function of a shared library with the interface ``f_event`` of ``sqlamarr_plugin.h``.

    Its name is given without ``_event``.
    """

    KIND, OUTPUTS, SUFFIX = "sqlamarr_event_model", 2, "_event"

    @property
    def declared(self) -> EventSizes | None:
        """The sizes that the library itself declares, if any."""
        sizes = ffi.new("sqlamarr_event_sizes *")
        if lib.sqlamarr_event_model_sizes(self._handle, sizes):
            return None
        return EventSizes(sizes.n_in, sizes.n_event_in, sizes.n_out, sizes.n_random, sizes.n_event_random)

    @property
    def event_input_names(self) -> list[str] | None:
        """Names of the inputs of the event, if the library has them."""
        return self._names(1, self.declared.event_inputs) if self.declared else None

    def verify(self, sizes: EventSizes, limits: EventLimits) -> None:
        """Compare the sizes with the library's declaration, or try them in a child process if it has none.

        :raises ModelError: the sizes differ. This is safe: trial calls are made in a child process
        """
        self._verify(sizes, limits)

    def _probe(self, sizes: EventSizes, *given: EventLimits) -> None:
        (limits,) = given
        numbers = [sizes.inputs, sizes.event_inputs, sizes.outputs, sizes.noise, sizes.event_noise]
        answer = self._trial_call(["--event", self.function, *numbers, limits.rows, limits.links], sizes)
        rows, written, beyond = answer
        if rows >= 0 and written != rows * sizes.outputs:
            raise ModelError(
                f"{self}: writes {counted(written, 'value')} for {counted(rows, 'row')}, but the pipeline declares "
                f"{counted(sizes.outputs, 'output')}."
            )
        kinds = {1: "inputs", 2: "inputs of the event", 4: "random numbers per row", 8: "random numbers of the event"}
        for bit, kind in kinds.items():
            if beyond & bit:
                raise ModelError(f"{self}: reads more {kind} than the pipeline declares ({sizes}).")

    def probe_here(self, sizes: EventSizes, limits: EventLimits) -> tuple[int, int, int]:
        """Call the function once on guarded memory, in this process, which may crash.

        :returns: number of rows that it reports, number of values written, and a sum of flags for reads beyond its
            inputs: 1 rows, 2 event, 4 noise of rows, 8 noise of the event
        """
        rows, written, beyond = ffi.new("int *"), ffi.new("int64_t *"), ffi.new("int *")
        check(
            lib.sqlamarr_event_model_probe(
                self._handle, _c_sizes(sizes), limits.rows, limits.links, rows, written, beyond
            )
        )
        return rows[0], written[0], beyond[0]

    def __call__(self, batch: EventBatch, sizes: EventSizes, limits: EventLimits) -> EventAnswers:
        """Evaluate all events in one native call.

        :raises EventError: an event has no result within the limits
        :raises ModelError: the result differs when an event is evaluated again
        """
        answers = self._call(batch, sizes, limits)
        if not self._tried and len(answers.rows):
            self._tried = True
            event = int(np.diff(answers.offsets).argmax())  # the event with the most output rows
            for _ in range(2):  # a function that alternates between two results would pass once
                if not _same(_event_of(batch, answers, event), self._call(_alone(batch, event), sizes, limits)):
                    raise ModelError(
                        f"{self}: returns a different result for an event when it is called again. It must depend "
                        f"only on this event, bit for bit: '{self.function}_event' must keep nothing between two calls."
                    )
        return answers

    def _call(self, batch: EventBatch, sizes: EventSizes, limits: EventLimits) -> EventAnswers:
        c_batch, keep = _c_batch(batch, limits)
        failed, out = ffi.new("int64_t *"), ffi.new("const sqlamarr_event_answers **")
        status = lib.sqlamarr_event_model_call(self._handle, _c_sizes(sizes), c_batch, failed, out)
        del keep
        if status and failed[0] >= 0:
            message = ffi.string(lib.sqlamarr_last_error()).decode("utf-8", "replace")
            raise EventError(message, int(batch.event_ids[failed[0]]))
        check(status)
        answers = ffi.gc(out[0], lib.sqlamarr_event_answers_free)
        n, links = answers.n_rows, answers.n_links
        return EventAnswers(
            _copy(answers.offsets, batch.events + 1, np.int64),
            _copy(answers.rows, n * sizes.outputs, np.float32).reshape(n, sizes.outputs),
            _copy(answers.link_out, links, np.int64),
            _copy(answers.link_in, links, np.int64),
            _copy(answers.link_weight, links, np.float32),
        )


def _alone(batch: EventBatch, event: int) -> EventBatch:
    """Return one event of a batch, by its position."""
    start, stop = batch.offsets[event : event + 2]
    one = slice(event, event + 1)
    offsets = batch.offsets[event : event + 2] - start
    rows, noise = batch.rows[start:stop], batch.noise[start:stop]
    return EventBatch(batch.event_ids[one], offsets, rows, batch.event[one], noise, batch.event_noise[one])


def _event_of(batch: EventBatch, answers: EventAnswers, event: int) -> EventAnswers:
    """Return the result of one event of a batch, as if the event were alone."""
    start, stop = answers.offsets[event : event + 2]
    links = (answers.link_out >= start) & (answers.link_out < stop)
    return EventAnswers(
        answers.offsets[event : event + 2] - start,
        answers.rows[start:stop],
        answers.link_out[links] - start,
        answers.link_in[links] - batch.offsets[event],
        answers.link_weight[links],
    )


def _same(one: EventAnswers, other: EventAnswers) -> bool:
    pairs = [(getattr(one, each.name), getattr(other, each.name)) for each in fields(EventAnswers)]
    return all(np.array_equal(a, b, equal_nan=True) for a, b in pairs)


def _c_sizes(sizes: EventSizes) -> Any:
    numbers = (sizes.inputs, sizes.event_inputs, sizes.outputs, sizes.noise, sizes.event_noise)
    return ffi.new("sqlamarr_event_sizes *", numbers)


def _c_batch(batch: EventBatch, limits: EventLimits) -> tuple[Any, list[Any]]:
    """Return the batch as a C structure, and the arrays that must live as long as it does."""
    offsets = np.ascontiguousarray(batch.offsets, dtype=np.int64)
    floats = [
        np.ascontiguousarray(array, dtype=np.float32)
        for array in (batch.rows, batch.event, batch.noise, batch.event_noise)
    ]
    c_batch = ffi.new(
        "sqlamarr_event_batch *",
        (
            batch.events,
            ffi.cast("int64_t *", offsets.ctypes.data),
            *(as_pointer(array) for array in floats),
            limits.rows,
            limits.links,
        ),
    )
    return c_batch, [offsets, *floats]


def _copy(pointer: Any, count: int, dtype: type[Any]) -> NDArray[Any]:
    if count == 0:
        return np.empty(0, dtype)
    size = count * np.dtype(dtype).itemsize
    return np.array(np.frombuffer(ffi.buffer(ffi.cast("char *", pointer), size), dtype))
