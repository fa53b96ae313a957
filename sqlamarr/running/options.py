"""The options of a run: one set for Python, the command line, the workers and the provenance."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlamarr.checking.arguments import path_like, real, unexpected, whole
from sqlamarr.errors import SqlamarrError
from sqlamarr.events.event import ROWS_PER_EVENT
from sqlamarr.native.random import check_seed

LAST_ORDINAL = 2**63 // ROWS_PER_EVENT - 1  # ids are 64-bit integers
_CHOICES = {
    "generator": ("none", "selected", "full"),
    "on_error": ("stop", "skip"),
    "collisions": ("auto", "record", "file"),
}


@dataclass(frozen=True)
class EventRange:
    """A range of the inputs' events, which keep their ordinals.

    :ivar first: the first event, counted from 0
    :ivar stop: the event after the last; None: no end
    """

    first: int = 0
    stop: int | None = None

    @classmethod
    def of(cls, value: Any) -> EventRange:
        """Make one from a number of events, a pair (first, stop) with None for an open end, or a text ``N`` or ``A:B``.

        :raises SqlamarrError: the value has another form, or its range is empty
        """
        if isinstance(value, EventRange):
            return value
        if value is None:
            return cls()
        if isinstance(value, str):
            return cls._of_text(value)
        if isinstance(value, (tuple, list)) and len(value) == 2:
            first, stop = (None if end is None else whole("events", end) for end in value)
        else:
            first, stop = 0, _number(value)
        return cls._checked(first or 0, stop, value)

    @classmethod
    def _of_text(cls, text: str) -> EventRange:
        ends = [end.strip() for end in text.split(":")]
        try:
            numbers = [int(end) if end.lstrip("+-").isdigit() else _integral(end) for end in ends if end]
        except ValueError:
            numbers = []
        if not numbers or len(ends) > 2:
            raise unexpected("events", "a number N or a range A:B", text)
        if len(ends) == 1:
            return cls._checked(0, numbers[0], text)
        first = numbers[0] if ends[0] else 0
        return cls._checked(first, numbers[-1] if ends[1] else None, text)

    @classmethod
    def _checked(cls, first: int, stop: int | None, given: Any) -> EventRange:
        if first < 0:
            raise SqlamarrError(f"events must not begin before 0, found {given!r}.")
        if stop is not None and stop <= first:
            raise SqlamarrError(f"events must be at least 1, found {given!r}, which contains none.")
        return cls(first, stop)

    @property
    def most(self) -> int | None:
        """The largest possible number of events; None: no limit."""
        return None if self.stop is None else self.stop - self.first


def _integral(text: str) -> int:
    """A number written as 1e3."""
    number = float(text)
    if not number.is_integer():
        raise ValueError(text)
    return int(number)


def _number(value: Any) -> int:
    try:
        return whole("events", value)
    except SqlamarrError:
        raise unexpected("events", "a number of events, a pair (first, stop) or a text 'A:B'", value) from None


@dataclass(frozen=True)
class RunOptions:
    """Options of a run; see :func:`sqlamarr.run` for their meaning.

    :raises SqlamarrError: an option has a wrong type or an invalid value
    """

    seed: int | None = None
    batch_size: int | None = None
    first_event: int = 0
    events: EventRange = EventRange()
    collisions: str = "auto"
    on_error: str = "stop"
    max_rejected: float = 0.01
    generator: str = "none"
    weights: bool = False
    keep_tmp: bool = False
    overwrite: bool = False
    resume: bool = False
    scratch: Path | None = None
    jobs: int = 1

    def __post_init__(self) -> None:
        def change(name: str, value: Any) -> None:
            object.__setattr__(self, name, value)

        for name, known in _CHOICES.items():
            if getattr(self, name) not in known:
                raise SqlamarrError(f"{name} must be one of {', '.join(known)}, found {getattr(self, name)!r}.")
        for name in ("first_event", "jobs"):
            change(name, whole(name, getattr(self, name)))
        if self.batch_size is not None:
            change("batch_size", whole("batch_size", self.batch_size))
        if self.scratch is not None:
            change("scratch", path_like("scratch", self.scratch))
        change("events", EventRange.of(self.events))
        change("max_rejected", real("max_rejected", self.max_rejected))
        if self.seed is not None:
            change("seed", check_seed(self.seed))
        self._check_ranges()

    def _check_ranges(self) -> None:
        if not 0 <= self.max_rejected <= 1:
            raise SqlamarrError(f"max_rejected must be a fraction from 0 to 1, found {self.max_rejected!r}.")
        for name in ("batch_size", "jobs"):
            if getattr(self, name) is not None and getattr(self, name) < 1:
                raise SqlamarrError(f"{name} must be at least 1, found {getattr(self, name)!r}.")
        first = self.first_event + self.events.first
        if self.first_event < 0 or first > LAST_ORDINAL:
            raise SqlamarrError(f"first_event must be from 0 to {LAST_ORDINAL}, found {self.first_event!r}.")

    @property
    def skips_bad_events(self) -> bool:
        """Whether events that cannot be processed are left out."""
        return self.on_error == "skip"

    def record(self) -> dict[str, Any]:
        """The options as the provenance records them."""
        return {
            "seed": str(self.seed),
            "first_event": self.first_event,
            "skip_events": self.events.first,
            "max_events": self.events.most,
            "batch_size": self.batch_size,
            "collisions": self.collisions,
            "collisions_asked": self.collisions,
            "on_error": self.on_error,
            "max_rejected": self.max_rejected,
            "generator": self.generator,
            "weights": self.weights,
            "keep_tmp": self.keep_tmp,
        }
