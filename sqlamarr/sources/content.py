"""Find the kind of source of a file by its content or its name."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

from sqlamarr.errors import InputError, PackageError
from sqlamarr.registries import used
from sqlamarr.registries.entry import Entry
from sqlamarr.sources.kind import SOURCES, ContentKind, ReadKind
from sqlamarr.sources.streams import SNIFFED, Stream


def content_kind(stream: Stream) -> tuple[ContentKind | None, list[str]]:
    """The kind whose files begin like this stream. Packages are imported only if no built-in kind matches.

    :return: the kind, and sentences about packages that could not be loaded
    :raises PackageError: several packages claim the file
    """
    head = stream.peek(SNIFFED)
    for name, kind in SOURCES.own():
        if isinstance(kind, ContentKind) and kind.sniff(head):
            found = SOURCES.get(name)
            assert isinstance(found, ContentKind)
            return found, []
    fitting, problems = [], []
    for entry, other in SOURCES.others():
        if isinstance(other, PackageError):
            problems.append(str(other))
        elif isinstance(other, ContentKind) and other.sniff(head):
            fitting.append((entry, other))
    if not fitting:
        return None, problems
    _one_origin(stream.path, [entry for entry, _ in fitting])
    used.note(fitting[0][0])
    return fitting[0][1], []


def foreign_read_kind(path: Path) -> str | None:
    """The kind from an installed package, or registered by the program, that accepts a file by its name.

    :raises PackageError: several packages do
    """
    fitting = [entry for entry, kind in SOURCES.others() if isinstance(kind, ReadKind) and kind.takes(path)]
    if not fitting:
        return None
    _one_origin(str(path), fitting)
    return fitting[0].name


def _one_origin(path: str, entries: Sequence[Entry]) -> None:
    origins = dict.fromkeys(str(entry.origin) for entry in entries)
    if len(origins) > 1:
        raise PackageError(
            f"{path} matches more than one kind of source, from {' and '.join(origins)}. Uninstall one of them."
        )


def unknown_content(stream: Stream, problems: Iterable[str] = ()) -> InputError:
    """The error for a file whose format is unknown.

    :param problems: sentences about packages that could not be loaded
    """
    known = [kind.HELP for _, kind in SOURCES.own() if isinstance(kind, ContentKind)]
    expected = (
        f"{stream.path} is not in a known format: it begins with {_describe(stream.peek(SNIFFED))}. Expected "
        f"{', '.join(known[:-1])} or {known[-1]}, plain or compressed with gzip, bzip2, xz or Zstandard, or a tar "
        "archive of such files."
    )
    return InputError(" ".join([expected, *problems]))


_FOREIGN = {
    b"root": "the signature of a ROOT file (tables of particles can be read only from files)",
    b"SQLite format 3": "the signature of an SQLite database",
    b"PK\x03\x04": "the signature of a zip archive (unpack it first)",
    b"\x89HDF": "the signature of an HDF5 file",
}


def _describe(head: bytes) -> str:
    if not head:
        return "nothing: it is empty"
    for mark, description in _FOREIGN.items():
        if head.startswith(mark):
            return description
    return repr(head[:40].decode("ascii", "backslashreplace"))
