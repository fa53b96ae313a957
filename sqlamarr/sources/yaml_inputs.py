"""Sources that are described rather than stored: a YAML file (or a dict) whose single key names the kind."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from sqlamarr.checking.yaml_schema import read_yaml, suggest, validate, with_integers
from sqlamarr.errors import InputError
from sqlamarr.events.chunk import ParsedChunk, halves
from sqlamarr.events.event import DataSource, EventRef
from sqlamarr.sources.base import BATCH
from sqlamarr.sources.kind import SOURCES, DescribedKind, DescribedSource, Generator, Recipe, described_names
from sqlamarr.sources.reading import Reading
from sqlamarr.sources.tables.files import is_frame

SUFFIXES = (".yaml", ".yml")

#: Smallest number of batches for the events of a source, so that several workers have something to do.
BATCHES = 8


def is_described(argument: str) -> bool:
    """Whether an input is a YAML file, by its name."""
    return argument.lower().endswith(SUFFIXES)


def load(path: str) -> DescribedSource:
    """Read a YAML file that describes a source.

    :raises InputError: it is not YAML, or does not describe a known kind of source
    """
    try:
        text = Path(path).read_bytes()
    except OSError as error:
        raise InputError(f"{path} cannot be opened ({error.strerror}). Check the path and its permissions.") from error
    hint = " Decay descriptors must be quoted." if b"->" in text else ""
    content = read_yaml(text, path, InputError, hint)
    return describe(content, path, Path(path).absolute().parent, text)


def describe(content: Any, path: str = "", folder: Path | None = None, text: bytes | None = None) -> DescribedSource:
    """A description from its content, e.g. ``{"gun": {...}}``; see :class:`DescribedSource`.

    :raises InputError: there is not exactly one key, the key is unknown, or the content below it is invalid
    """
    name = path or "the description"
    if not isinstance(content, Mapping) or len(content) != 1:
        found = ", ".join(map(str, content)) if isinstance(content, Mapping) and content else repr(content)[:60]
        raise InputError(
            f"{name}: expected a description of a source, with one top-level key ({', '.join(described_names())}), "
            f"found {found}." + (" Put a pipeline first on the command line." if "steps" in (content or ()) else "")
        )
    ((kind, below),) = content.items()
    if kind not in SOURCES:
        raise InputError(
            f"{name}: unknown kind of source {kind!r}; known kinds: {', '.join(described_names())}"
            + suggest(str(kind), described_names())
        )
    source = SOURCES.get(kind)
    if not isinstance(source, DescribedKind):
        raise InputError(f"{name}: sources of kind {kind!r} are files; name the file itself as an input.")
    below = {} if below is None else _plain(below)
    schema = source.schema
    validate(below, schema, name, str(kind), InputError)
    below = with_integers(below, schema)
    return DescribedSource(kind, below, path or f"{kind} (described in Python)", folder or Path.cwd(), text)


def _plain(content: Any) -> Any:
    """Convert Python values to what YAML would give.

    Tuples and numpy arrays become lists, numpy numbers Python numbers, and paths texts. Tables (``data``, and frames
    among inputs) are left unchanged.
    """
    if isinstance(content, Mapping) and not is_frame(content):
        return {key: value if key == "data" else _plain(value) for key, value in content.items()}
    if isinstance(content, (list, tuple)):
        return [_plain(value) for value in content]
    if isinstance(content, (np.ndarray, np.generic)):
        return content.tolist()
    return os.fspath(content) if isinstance(content, os.PathLike) else content


@dataclass(frozen=True)
class RecipeChunk:
    """Events that the worker makes itself."""

    events: Sequence[EventRef]
    sources: tuple[DataSource, ...]
    recipe: Recipe

    def parse(self) -> ParsedChunk:
        """Make the events."""
        return self.recipe.make(self.events)

    def split(self) -> tuple[RecipeChunk, RecipeChunk]:
        """The first and the second half of the events."""
        first, second = halves(self.events)
        return RecipeChunk(first, self.sources, self.recipe), RecipeChunk(second, self.sources, self.recipe)


def chunks(description: DescribedSource, reading: Reading, batch_size: int | None) -> Iterator[RecipeChunk]:
    """The events of a described source, as many as it has or as the run still wants.

    :raises InputError: the source has no end, or the run has no seed
    """
    if reading.seed is None:
        raise InputError(f"{description.path} generates events at random, which needs a seed.")
    generator = description.prepare(reading.seed)
    if generator.events is None:
        refuse_endless(description, reading)
    for warning in generator.warnings:
        reading.warn(warning)
    reading.weight_names = reading.weight_names or generator.weight_names
    entry = _entry(description, generator)
    reading.describe(entry)
    numbering = reading.numbering
    source = numbering.next_source(description.path, generator.format)
    wanted = [n for n in (generator.events, numbering.remaining) if n is not None]
    skipped = min(numbering.unwanted, min(wanted))
    numbering.skip(skipped)
    entry["events"] += skipped
    batch_size = batch_size or _batch_size(generator, min(wanted) - skipped)
    for begin in range(skipped, min(wanted), batch_size):
        size = min(batch_size, min(wanted) - begin)
        entry["events"] += size
        yield RecipeChunk(numbering.next_events(size), (source,), generator.recipe)


def _batch_size(generator: Generator, events: int) -> int:
    """As many as the generator prefers, but leave enough batches for several workers unless they become small."""
    return min(generator.batch, max(BATCH, -(-events // BATCHES)))


def refuse_endless(description: DescribedSource, reading: Reading) -> None:
    """Check that the number of events of an endless source is set.

    :raises InputError: it is not set, or other inputs come after the source
    """
    where = f"or 'events: N' below '{description.kind}:'"
    if reading.numbering.remaining is None:
        raise InputError(
            f"{description.path} has no end: give the number of events with -n N (events in Python) {where}."
        )
    if not reading.last:
        raise InputError(
            f"{description.path} has no end, and the inputs after it would never be read. Set {where[3:]}, "
            "or put it last."
        )


def _entry(description: DescribedSource, generator: Generator) -> dict[str, Any]:
    return {
        **entry_of(description),
        "files": [
            {"path": str(path), "bytes": path.stat().st_size, "sha256": hashlib.sha256(path.read_bytes()).hexdigest()}
            for path in generator.files
        ],
    }


def entry_of(description: DescribedSource) -> dict[str, Any]:
    """The provenance entry of a description before any event is read."""
    text = description.text
    return {
        "path": description.path,
        "bytes": None if text is None else len(text),
        "sha256": None if text is None else hashlib.sha256(text).hexdigest(),
        "events": 0,
        "description": {description.kind: description.content},
    }


__all__ = [
    "DescribedSource",
    "Generator",
    "Recipe",
    "RecipeChunk",
    "chunks",
    "describe",
    "entry_of",
    "is_described",
    "load",
    "refuse_endless",
]
