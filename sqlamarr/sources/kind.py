"""The kinds of sources: their interface and their registry.

Some kinds are recognised by the first bytes of a file (:class:`ContentKind`). Others are described in a YAML file
whose single top-level key is the kind's name. Their events are either made in the workers, from a recipe
(:class:`RecipeKind`), or read one after another, like those of files (:class:`ReadKind`).
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
    """Makes events. It must be small when pickled, as a worker receives it together with the events' ids."""

    def make(self, events: Sequence[EventRef]) -> ParsedChunk:
        """The tables of these events. The rows of an event do not depend on which others are made with it."""


@dataclass(frozen=True)
class Generator:
    """A described source, ready to make events.

    :ivar format: what it is, for the table DataSources, e.g. ``particle gun``
    :ivar recipe: makes the events
    :ivar events: how many there are; None for as many as requested
    :ivar files: files that the description names, for the provenance
    :ivar warnings: sentences for the user
    :ivar weight_names: of the generator's weights
    :ivar batch: number of events to make together unless the user sets another
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

    :ivar kind: its single top-level key, the name of a :class:`DescribedKind`
    :ivar content: the content below the key, validated
    :ivar path: the file, or a name for messages if there is none
    :ivar folder: where relative paths in it start
    :ivar text: the file's bytes; None if it comes from Python
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
        """Whether the events are read, like those of files, rather than made by the workers."""
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
    """A kind of source. Derive from one of the classes below and name an object of your class ``source``.

    :cvar HELP: what it is, in a few words
    """

    HELP: ClassVar[str] = ""


class ContentKind(SourceKind, ABC):
    """A file format that is recognised by its first bytes, as plain content without compression."""

    @abstractmethod
    def sniff(self, head: bytes) -> bool:
        """Whether a file of this format begins like this. At most one kind may say so.

        :param head: its first 4,096 bytes, fewer if it is shorter
        """

    @abstractmethod
    def read(self, stream: Stream, reading: Reading) -> Iterator[EventPiece]:
        """The events of a file, in order.

        :param stream: the file's content; it must be read to its end
        :param reading: assigns ids to events and sources, and collects warnings
        :raises InputError: the content is malformed
        """


class DescribedKind(SourceKind, ABC):
    """A kind that a YAML file describes."""

    @property
    @abstractmethod
    def schema(self) -> Mapping[str, Any]:
        """JSON schema of the content below the key, with a description of every option. May be a class attribute."""


class RecipeKind(DescribedKind):
    """Events that the workers make from a recipe."""

    @abstractmethod
    def prepare(self, description: DescribedSource, seed: int) -> Generator:
        """Whatever can be checked and computed before the first event.

        :param seed: of the run
        :raises InputError: the description is wrong
        """


class ReadKind(DescribedKind):
    """Events that are read one after another.

    :cvar SUFFIXES: suffixes of files that can be given as inputs directly, like ``{kind: {file: ...}}``
    """

    SUFFIXES: ClassVar[tuple[str, ...]] = ()

    @abstractmethod
    def read(self, description: DescribedSource, reading: Reading, entry: dict[str, Any]) -> Iterator[EventPiece]:
        """The events, in order.

        :param entry: of the provenance, to be completed
        :raises InputError: the description, or what it names, is wrong
        """

    def takes(self, path: Path) -> bool:
        """Whether this file can be given as an input directly. By default, its name decides."""
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
    """Names that may be the top-level key of a description, including those of packages, without importing them."""
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
