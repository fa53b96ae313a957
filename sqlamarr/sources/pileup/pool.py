"""Pools of pile-up collisions: stored ones that are drawn repeatedly, or a generator that never repeats."""

from __future__ import annotations

import pickle
import tempfile
from array import array
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Protocol

from sqlamarr.errors import InputError
from sqlamarr.events.chunk import Chunk
from sqlamarr.events.event import ROWS_PER_EVENT, DataSource, EventRef
from sqlamarr.sources.kind import Generator
from sqlamarr.sources.pileup.poisson import below, words
from sqlamarr.sources.reading import Reading
from sqlamarr.sources.yaml_inputs import RecipeChunk

MOST = 1000  # collisions in an event
COLLISION = 1  # first of the streams of random numbers that choose collisions


@dataclass(frozen=True)
class PackedCollision:
    """A chunk of one event. Stored chunks stay pickled, which makes them cheap to pass on."""

    content: bytes | Chunk
    datasource_id: int

    def chunk(self) -> Chunk:
        """The chunk."""
        found: Chunk = pickle.loads(self.content) if isinstance(self.content, bytes) else self.content
        return found


class Pool(Protocol):
    """Hands out collisions."""

    def collision(self, key: int, event: EventRef, number: int) -> PackedCollision:
        """The pile-up collision of an event with this number, from 0."""

    @property
    def sources(self) -> dict[int, DataSource]:
        """The data sources of the collisions, by id."""

    def close(self) -> None:
        """Finish: no more collisions are needed."""


@dataclass
class Stored:
    """Collisions from files, kept in a temporary file to save memory.

    :param chunks: chunks of one event each
    :param reading: assigns ids to sources
    """

    chunks: Iterable[Chunk]
    reading: Reading
    drawn: int = 0
    sources: dict[int, DataSource] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._file = tempfile.TemporaryFile()  # noqa: SIM115 (it lives as long as the pool)
        self._ends = array("q", [0])
        self._source_of = array("q")
        known: dict[int, int] = {}
        for chunk in self.chunks:
            (source,) = chunk.sources
            if source.datasource_id not in known:
                new = self.reading.numbering.next_source(source.path, source.format)
                known[source.datasource_id] = new.datasource_id
                self.sources[new.datasource_id] = new
            content = pickle.dumps(chunk)
            self._file.write(content)
            self._ends.append(self._ends[-1] + len(content))
            self._source_of.append(known[source.datasource_id])

    def __len__(self) -> int:
        return len(self._source_of)

    def close(self) -> None:
        """Delete the temporary file."""
        self._file.close()

    def collision(self, key: int, event: EventRef, number: int) -> PackedCollision:
        """A collision chosen by the event's random numbers; the same one may be chosen again."""
        index = below(len(self), words(key, event.event_id, COLLISION + number)[0])
        self.drawn += 1
        self._file.seek(self._ends[index])
        return PackedCollision(self._file.read(self._ends[index + 1] - self._ends[index]), self._source_of[index])


@dataclass
class Generated:
    """Collisions from a generator, each of them new.

    :param name: name of the description for messages
    """

    generator: Generator
    name: str
    reading: Reading
    sources: dict[int, DataSource] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._source = self.reading.numbering.next_source(self.name, self.generator.format)
        self.sources[self._source.datasource_id] = self._source

    def close(self) -> None:
        """Do nothing, as no file is open."""

    def collision(self, key: int, event: EventRef, number: int) -> PackedCollision:
        """The generator's event for this event and number.

        :raises InputError: the ordinal is too high for a generator
        """
        ordinal = event.ordinal * MOST + number
        if ordinal * ROWS_PER_EVENT >= 2**63:
            raise InputError(
                f"Event {event.ordinal} has too high an ordinal for generated pile-up; the limit is 2^63 / 10^9."
            )
        made = event._replace(event_id=ordinal * ROWS_PER_EVENT, ordinal=ordinal)
        return PackedCollision(RecipeChunk((made,), (self._source,), self.generator.recipe), self._source.datasource_id)


def reuse(pool: Pool) -> str | None:
    """A sentence on how often stored collisions were used; None if none was."""
    if not isinstance(pool, Stored) or not pool.drawn:
        return None
    each = pool.drawn / len(pool)
    return (
        f"pile-up: {pool.drawn} collisions were drawn at random from {len(pool)} stored ones, each {each:.2g} times "
        "on average, and moved to new places."
    )


__all__ = ["MOST", "Generated", "PackedCollision", "Pool", "Stored", "reuse"]
