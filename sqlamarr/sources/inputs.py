"""The inputs of a run: files, archives, standard input and described sources, as one source of events."""

from __future__ import annotations

import glob
import os
import sys
from collections.abc import Generator, Iterable, Iterator, Mapping, Sequence
from contextlib import nullcontext
from pathlib import Path
from typing import Any

from sqlamarr.checking.arguments import unexpected
from sqlamarr.errors import InputError
from sqlamarr.events.chunk import Chunk
from sqlamarr.sources import yaml_inputs as described
from sqlamarr.sources.base import BATCH, Numbering, Source
from sqlamarr.sources.content import content_kind, foreign_read_kind, unknown_content
from sqlamarr.sources.kind import SOURCES, DescribedSource, ReadKind
from sqlamarr.sources.reading import EventPiece, Reading
from sqlamarr.sources.streams import Fingerprint, Stream, unpack
from sqlamarr.sources.tables import files as frames_files

STANDARD_INPUT = "-"
CHUNK_BYTES = 16 << 20  # a chunk with this much text takes no further event
Argument = str | DescribedSource


def open_inputs(
    arguments: Sequence[str | Mapping[str, Any]],
    *,
    seed: int | None = None,
    first_event: int = 0,
    collisions: str = "auto",
    max_events: int | None = None,
    on_error: str = "stop",
    skip: int = 0,
    marks: Sequence[Mapping[str, Any]] = (),
) -> Source:
    """Open files, archives, standard input (``-``) and other kinds of sources, to be read in the order given.

    This function checks that every input exists and that YAML files describe sources. The contents are checked
    while they are read.

    :param arguments: paths, globs (their files in byte order), ``-``, or descriptions of sources as
        in YAML files, e.g. ``{"gun": {...}}``
    :param seed: the run's seed, for sources that generate events at random
    :param first_event: ordinal of the first event
    :param collisions: ``record``: every HepMC record is an event; ``file``: the records of a file are the
        collisions of one event; ``auto``: ``record``, unless the first HepMC input shows LHCb's status codes
    :param max_events: stop after this many events
    :param on_error: ``stop`` or ``skip``, what the run does when an event is rejected; inputs that cannot be
    read at all are errors in either case
    :param skip: events at the beginning that are only counted
    :param marks: what an earlier run saw of these inputs, see :meth:`Source.position`; they must be unchanged
    :raises InputError: an input is missing or is not a file, or a parameter is invalid
    """
    if collisions not in ("record", "file", "auto"):
        raise InputError(f"collisions must be 'record', 'file' or 'auto', found {collisions!r}.")
    if on_error not in ("stop", "skip"):
        raise InputError(f"on_error must be 'stop' or 'skip', found {on_error!r}.")
    reading = Reading(Numbering(first_event, max_events, skip), collisions, seed=seed, marks=marks)
    return Inputs([described_argument(argument) for argument in resolve(arguments)], reading)


def as_arguments(given: Any) -> list[str | Mapping[str, Any]]:
    """Convert inputs given in Python to arguments of :func:`open_inputs`.

    :param given: one or several of: a path, a description, a table (a frame of pandas, polars or pyarrow, or a dict
        of arrays)
    :raises InputError: it is none of these
    """
    if frames_files.is_frame(given):
        return [{"table": {"data": given}}]
    if isinstance(given, Mapping):
        return [given]
    if isinstance(given, (str, Path)):
        return [str(given)]
    if not isinstance(given, Iterable) or isinstance(given, (bytes, bytearray)):
        raise unexpected("inputs", "a path, a description as a dict, a table, or a list of these", given, InputError)
    return [argument for entry in given for argument in as_arguments(entry)]


def resolve(arguments: Sequence[str | Mapping[str, Any]]) -> list[str | Mapping[str, Any]]:
    """Replace globs by the files that match them, in byte order.

    :raises InputError: nothing is given, a file is missing or is a folder, or a glob matches no file
    """
    if not arguments:
        raise InputError(
            "No input is given. Name one or more HepMC files or YAML files that describe a source, "
            "or - for standard input."
        )
    if list(arguments).count(STANDARD_INPUT) > 1:
        raise InputError("Standard input (-) can be read only once, but it is among the inputs more than once.")
    return [path for argument in arguments for path in _resolve(argument)]


def described_argument(argument: str | Mapping[str, Any], folder: Path | None = None) -> Argument:
    """Replace an argument that is a description, or the path of one, by a :class:`DescribedSource`.

    :param folder: where relative paths start in a description that has no file
    """
    if isinstance(argument, Mapping):
        return described.describe(argument, folder=folder)
    if described.is_described(argument):
        return described.load(argument)
    if (kind := _own_read_kind(argument)) is not None:
        return described.describe({kind: {"file": argument}}, argument, Path.cwd())
    return argument


def _own_read_kind(argument: str) -> str | None:
    """The built-in kind of source that accepts this file without a description."""
    path = Path(argument)
    if argument == STANDARD_INPUT or not path.is_file():
        return None
    return next((name for name, kind in SOURCES.own() if isinstance(kind, ReadKind) and kind.takes(path)), None)


def _resolve(argument: str | Mapping[str, Any]) -> Sequence[str | Mapping[str, Any]]:
    if isinstance(argument, Mapping):
        return [argument]
    if argument == STANDARD_INPUT or Path(argument).is_file():
        return [argument]
    if Path(argument).is_dir():
        raise InputError(
            f"{argument} is a folder; expected a file. Name its files, for example with the glob {argument}/*."
        )
    if Path(argument).exists():  # a pipe, a device
        return [argument]
    if not glob.has_magic(argument):
        raise InputError(f"{argument} does not exist. Check the path; relative paths start at {Path.cwd()}.")
    found = [path for path in glob.glob(argument, recursive=True) if not Path(path).is_dir()]
    if not found:
        raise InputError(f"No file matches {argument}. Check the pattern; relative patterns start at {Path.cwd()}.")
    return sorted(found, key=os.fsencode)


class Inputs:
    """Several inputs, read one after another as one source.

    :param arguments: paths without globs, ``-``, and descriptions
    :param reading: the state to share
    """

    def __init__(self, arguments: Sequence[Argument], reading: Reading) -> None:
        self._arguments = list(arguments)
        self._reading = reading
        self._fingerprints: dict[int, Fingerprint] = {}  # by position among the inputs

    @property
    def weight_names(self) -> tuple[str, ...]:
        """Names of the generator's weights."""
        return self._reading.weight_names

    @property
    def collisions(self) -> str:
        """``record`` or ``file``, once the first HepMC input has decided; until then ``auto``."""
        return self._reading.collisions

    @property
    def warnings(self) -> list[str]:
        """Sentences for the user."""
        return self._reading.warnings

    def inputs(self) -> list[dict[str, Any]]:
        """For every input read so far: path, bytes, sha256 (None: not read to its end), events."""
        return self._reading.described

    def names(self) -> list[str]:
        """Paths and other names of all inputs, in their order."""
        return [argument.path if isinstance(argument, DescribedSource) else argument for argument in self._arguments]

    def position(self) -> list[dict[str, Any]]:
        """How far each input was read: path, bytes, sha256 of these bytes, and whether that is all of it."""
        marks = [
            {
                **{key: entry[key] for key in ("path", "bytes", "sha256")},
                "complete": entry["sha256"] is not None,
                "files": [file["sha256"] for file in entry.get("files", ())],
            }
            for entry in self._reading.described
        ]
        for position, fingerprint in self._fingerprints.items():
            if not marks[position]["complete"]:
                marks[position].update(bytes=fingerprint.size, sha256=fingerprint.so_far)
        return marks

    def chunks(self, batch_size: int | None = None) -> Generator[Chunk, None, None]:
        """Yield the events, ``batch_size`` at a time, or as many as suit the source.

        A chunk holds events of only one kind of source. Chunks with long text have fewer events (CHUNK_BYTES), so that
        memory does not grow with the size of the events.

        :raises InputError: an input cannot be read
        """
        if batch_size is not None and batch_size < 1:
            raise InputError(f"The batch size must be at least 1, found {batch_size}.")
        gathered = _Gathered(batch_size or BATCH)
        failure: InputError | None = None
        last = self._reading.last  # of the inputs that contain this one
        try:
            for argument in self._arguments:
                self._reading.last = last and argument is self._arguments[-1]
                if self._reading.numbering.exhausted:
                    break
                if isinstance(argument, DescribedSource) and not argument.is_read:
                    yield from gathered.chunk()
                    yield from described.chunks(argument, self._reading, batch_size)
                else:
                    for piece in self._pieces(argument):
                        if piece.event.ordinal >= self._reading.numbering.first_wanted:
                            yield from gathered.add(piece)
        except InputError as error:  # the events before it are whole
            failure = error
        yield from gathered.chunk()
        if failure is not None:
            raise failure

    def _pieces(self, argument: Argument) -> Iterator[EventPiece]:
        first = self._reading.numbering.ordinal
        if isinstance(argument, DescribedSource):
            entry = described.entry_of(argument)
            self._reading.describe(entry)
        else:
            entry = {"path": argument, "bytes": None, "sha256": None, "events": 0}
            self._reading.described.append(entry)
        for piece in self._open(argument, entry):
            entry["events"] = self._reading.numbering.ordinal - first
            yield piece

    def _open(self, argument: Argument, entry: dict[str, Any]) -> Iterator[EventPiece]:
        if isinstance(argument, DescribedSource):
            return argument.read(self._reading, entry)
        return self._read_file(argument, entry)

    def _read_file(self, argument: str, entry: dict[str, Any]) -> Iterator[EventPiece]:
        name = "the standard input" if argument == STANDARD_INPUT else argument
        with _open_bytes(argument) as file:
            fingerprint = Fingerprint(file, name, self._reading.mark())
            self._fingerprints = {len(self._reading.described) - 1: fingerprint}
            for stream in unpack(Stream(fingerprint, name), self._reading.warn):
                kind, others = content_kind(stream)
                if kind is None:
                    yield from self._read_by_name(argument, stream, entry, others)
                    return
                yield from kind.read(stream, self._reading)
                entry.update(bytes=fingerprint.size, sha256=fingerprint.sha256)
                if self._reading.numbering.exhausted:
                    return
            entry.update(bytes=fingerprint.size, sha256=fingerprint.sha256)

    def _read_by_name(
        self, argument: str, stream: Stream, entry: dict[str, Any], others: Sequence[str]
    ) -> Iterator[EventPiece]:
        """A file that only its name assigns to a kind from an installed package."""
        path = Path(argument)
        kind = foreign_read_kind(path) if path.is_file() and stream.path == argument else None
        if kind is None:
            raise unknown_content(stream, others)
        description = described.describe({kind: {"file": argument}}, argument, Path.cwd())
        entry.update(described.entry_of(description))
        self._fingerprints = {}
        yield from description.read(self._reading, entry)


class _Gathered:
    """Pieces of one kind on their way into a chunk.

    :param most: the largest number of events in a chunk
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._pieces: list[EventPiece] = []
        self._size = 0

    def add(self, piece: EventPiece) -> list[Chunk]:
        """Add a piece. Return the pieces before it as a chunk if they are enough or of another kind."""
        full = len(self._pieces) >= self._most or self._size >= CHUNK_BYTES
        done = self.chunk() if full or (self._pieces and type(piece) is not type(self._pieces[0])) else []
        self._pieces.append(piece)
        self._size += getattr(piece, "size", 0)
        return done

    def chunk(self) -> list[Chunk]:
        """Return the remaining pieces as a chunk, if there are any."""
        pieces, self._pieces, self._size = self._pieces, [], 0
        return [pieces[0].chunk(pieces)] if pieces else []


def _open_bytes(argument: str) -> Any:
    if argument == STANDARD_INPUT:
        return nullcontext(sys.stdin.buffer)
    try:
        return Path(argument).open("rb", buffering=0)
    except OSError as error:
        raise InputError(
            f"{argument} cannot be opened ({error.strerror}). Check the path and its permissions."
        ) from error


__all__ = [
    "Inputs",
    "Source",
    "as_arguments",
    "described_argument",
    "open_inputs",
    "resolve",
]
