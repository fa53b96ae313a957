"""The state that the inputs of one run share while they are read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from sqlamarr.errors import InputError
from sqlamarr.events.chunk import Chunk
from sqlamarr.events.event import DataSource, EventRef
from sqlamarr.sources.base import Numbering
from sqlamarr.sources.streams import changed


@dataclass
class Reading:
    """The state of reading a run's inputs, in order.

    :ivar numbering: assigns ids
    :ivar collisions: ``record``, ``file``, or ``auto`` until the first HepMC input has decided
    :ivar weight_names: of the first input that has any
    :ivar warnings: sentences for the user, each once
    :ivar described: one entry for the provenance per input read so far
    :ivar marks: what an earlier run saw of these inputs, which must be unchanged: see ``Source.position``
    :ivar seed: the run's seed, for sources that generate events; None if there is none
    :ivar last: whether no other input follows the one being read
    """

    numbering: Numbering
    collisions: str = "auto"
    weight_names: tuple[str, ...] = ()
    warnings: list[str] = field(default_factory=list)
    described: list[dict[str, Any]] = field(default_factory=list)
    seed: int | None = None
    marks: Sequence[Mapping[str, Any]] = ()
    last: bool = True

    def warn(self, text: str) -> None:
        """Add a sentence unless it is there already."""
        if text not in self.warnings:
            self.warnings.append(text)

    def describe(self, entry: dict[str, Any]) -> None:
        """Begin an input that is not read as a stream of bytes.

        :raises InputError: it is not what an earlier run read
        """
        self.described.append(entry)
        self.compare(entry)

    def compare(self, entry: Mapping[str, Any]) -> None:
        """Check that what is known of the input described last is what an earlier run read.

        :raises InputError: it is not
        """
        mark = self.mark()
        if mark and entry["sha256"] is not None and mark["sha256"] != entry["sha256"]:
            raise InputError(changed(entry["path"], "the SHA-256 of its text"))
        if mark and "files" in entry and mark["files"] != [file["sha256"] for file in entry["files"]]:
            raise InputError(changed(entry["path"], "a file that it names"))

    def mark(self) -> Mapping[str, Any]:
        """The mark of the input described last, empty if there is none."""
        return self.marks[len(self.described) - 1] if len(self.described) <= len(self.marks) else {}


class EventPiece(Protocol):
    """One event as a kind of source yields it, before events are put together into a chunk."""

    @property
    def event(self) -> EventRef:
        """The event."""

    @property
    def source(self) -> DataSource:
        """The data source that it comes from."""

    @classmethod
    def chunk(cls, pieces: Sequence[Any]) -> Chunk:
        """Put pieces of this kind together into a chunk."""


__all__ = ["EventPiece", "Reading"]
