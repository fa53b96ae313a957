"""What a kind of source is, and the kinds by name.

Some kinds are known by the first bytes of a file (:class:`ContentKind`), others are described in a YAML file, whose one
top-level key is the kind's name: their events are made in the workers, from a recipe (:class:`RecipeKind`), or read one
after another, as those of files (:class:`ReadKind`).
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Protocol

from sqlamarr.errors import InputError
from sqlamarr.events.chunk import ParsedChunk
from sqlamarr.events.event import EventRef
from sqlamarr.registries.registry import Registry, instance_of
from sqlamarr.sources.base import BATCH
from sqlamarr.sources.reading import EventPiece, Reading
from sqlamarr.sources.streams import Stream


class Recipe(Protocol):
    """Makes events. Small when pickled, and all that a worker gets beside the events' ids."""

    def make(self, events: Sequence[EventRef]) -> ParsedChunk:
        """The tables of these events; an event's rows do not depend on which others are made with it."""


@dataclass(frozen=True)
class Generator:
    """A described source, ready to make events.

    :ivar format: what it is, for the table DataSources, e.g. ``particle gun``
    :ivar recipe: makes the events
    :ivar events: how many there are; None: as many as are asked for
    :ivar files: files that the description names, for the provenance
    :ivar warnings: sentences for the user
    :ivar weight_names: of the generator's weights
    :ivar batch: events that are best made together, where nobody says otherwise
    """

    format: str
    recipe: Recipe
    events: int | None = None
    files: tuple[Path, ...] = ()
    warnings: tuple[str, ...] = ()
    weight_names: tuple[str, ...] = ()
    batch: int = BATCH


@dataclass(frozen=True)
class DescribedSource:
    """The content of a YAML file that describes a source.

    :ivar kind: its one top-level key, the name of a :class:`DescribedKind`
    :ivar content: what stands below the key, validated
    :ivar path: the file, or a name for messages if there is none
    :ivar folder: where relative paths in it start
    :ivar text: the file's bytes; None: it comes from Python
    """

    kind: str
    content: Mapping[str, Any]
    path: str
    folder: Path
    text: bytes | None = None

    def file(self, name: str) -> Path:
        """A file that the description names.

        :raises InputError: it does not exist
        """
        path = self.folder / Path(name).expanduser()
        if not path.is_file():
            raise InputError(f"{self.path}: the file {path} does not exist. Relative paths start at {self.folder}.")
        return path

    @property
    def is_read(self) -> bool:
        """Are the events read, as those of files, not made by the workers?"""
        return isinstance(SOURCES.get(self.kind), ReadKind)

    def read(self, reading: Reading, entry: dict[str, Any]) -> Iterator[EventPiece]:
        """The events of a source that is read.

        :param entry: of the provenance, to be completed
        :raises InputError: the description, or what it names, is wrong
        """
        kind = SOURCES.get(self.kind)
        assert isinstance(kind, ReadKind)
        return kind.read(self, reading, entry)

    def prepare(self, seed: int) -> Generator:
        """Whatever can be checked and computed before the first event.

        :raises InputError: the description is wrong
        """
        kind = SOURCES.get(self.kind)
        assert isinstance(kind, RecipeKind)
        return kind.prepare(self, seed)


class SourceKind:
    """A kind of source: derive from one of the classes below, and name an object of your class ``source``.

    :cvar HELP: what it is, in a few words
    """

    HELP: ClassVar[str] = ""


class ContentKind(SourceKind, ABC):
    """A format of files that is known by its first bytes: plain content, without compression."""

    @abstractmethod
    def sniff(self, head: bytes) -> bool:
        """Does a file of this format begin like this? At most one kind may say so.

        :param head: its first 4,096 bytes, fewer if it is shorter
        """

    @abstractmethod
    def read(self, stream: Stream, reading: Reading) -> Iterator[EventPiece]:
        """The events of a file, in order.

        :param stream: the file's content; it must be read to its end
        :param reading: deals out ids of events and sources, and takes warnings
        :raises InputError: the content is malformed
        """


class DescribedKind(SourceKind, ABC):
    """A kind that a YAML file describes."""

    @property
    @abstractmethod
    def schema(self) -> Mapping[str, Any]:
        """JSON schema of what stands below the key, with a description of every option; a class attribute will do."""


class RecipeKind(DescribedKind):
    """Events that the workers make, from a recipe."""

    @abstractmethod
    def prepare(self, description: DescribedSource, seed: int) -> Generator:
        """Whatever can be checked and computed before the first event.

        :param seed: of the run
        :raises InputError: the description is wrong
        """


class ReadKind(DescribedKind):
    """Events that are read one after another.

    :cvar SUFFIXES: ends of names of files that are inputs by themselves, as ``{kind: {file: ...}}`` would be
    """

    SUFFIXES: ClassVar[tuple[str, ...]] = ()

    @abstractmethod
    def read(self, description: DescribedSource, reading: Reading, entry: dict[str, Any]) -> Iterator[EventPiece]:
        """The events, in order.

        :param entry: of the provenance, to be completed
        :raises InputError: the description, or what it names, is wrong
        """

    def takes(self, path: Path) -> bool:
        """Is this file an input of this kind by itself? By default its name tells."""
        return path.name.endswith(self.SUFFIXES) if self.SUFFIXES else False


SOURCES: Registry[SourceKind] = Registry(
    "sources",
    "kind of source",
    package="sqlamarr.sources.kinds",
    attribute="source",
    check=instance_of((ContentKind, RecipeKind, ReadKind)),
    error=InputError,
)


def described_names() -> list[str]:
    """Names that may be the top-level key of a description: ours, and those of packages, which are not asked."""
    own = [name for name, kind in SOURCES.own() if isinstance(kind, DescribedKind)]
    return sorted({*own, *(name for name in SOURCES.names() if name not in SOURCES.ours())})


__all__ = [
    "SOURCES",
    "ContentKind",
    "DescribedKind",
    "DescribedSource",
    "Generator",
    "ReadKind",
    "Recipe",
    "RecipeKind",
    "SourceKind",
    "described_names",
]
