"""Cut HepMC text into records without parsing it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from sqlamarr.errors import InputError
from sqlamarr.native.library import ffi, lib
from sqlamarr.sources.streams import Stream

BLOCK = 1 << 22
#: Anything larger than this is not a HepMC record.
LARGEST_RECORD = 1 << 30

FOOTERS = {2: b"HepMC::IO_GenEvent-END_EVENT_LISTING", 3: b"HepMC::Asciiv3-END_EVENT_LISTING"}
HEADERS = {b"HepMC::IO_GenEvent-START_EVENT_LISTING": 2, b"HepMC::Asciiv3-START_EVENT_LISTING": 3}
_NAME_IN_QUOTES = re.compile(rb'"([^"]*)"')


@dataclass(frozen=True)
class RecordText:
    """The text of one record, from its E line up to the next record.

    :ivar text: a view of what was read, without a copy
    :ivar line: number of its first line in its file, from 1
    :ivar format: 2 or 3
    """

    text: bytes | memoryview
    line: int
    format: int

    def __reduce__(self) -> tuple[Any, ...]:
        return RecordText, (bytes(self.text), self.line, self.format)


@dataclass
class CutState:
    """What is learnt about a file while it is cut.

    :ivar format: 2 or 3, of the current listing
    :ivar open: whether a listing has begun and its end marker has not been seen
    :ivar weight_names: from the file's first record or header
    :ivar tool: the program that wrote the file, according to its header
    :ivar units_stated: whether the file's first record states its units; None before the first record
    """

    format: int
    open: bool = False
    weight_names: tuple[str, ...] = ()
    tool: str = ""
    units_stated: bool | None = None


def sniff_format(head: bytes) -> int | None:
    """2 or 3 if this is the beginning of HepMC2 or HepMC3 ASCII, else None."""
    found = [(head.find(header), number) for header, number in HEADERS.items() if header in head]
    return min(found)[1] if found else None


def segments(stream: Stream, path: str, block: int = BLOCK) -> Iterator[tuple[memoryview, int, bool]]:
    """Cut before every line that begins with ``E`` or ``HepMC::``.

    :param block: bytes to read at a time
    :returns: the text, the number of its first line, and whether it is the last
    :raises InputError: a record has more than LARGEST_RECORD bytes
    """
    rest, line = memoryview(b""), 1
    while True:
        # Reading as much as is left over keeps the cost linear for records larger than a block.
        data = stream.read_behind(rest, max(block, len(rest)))
        is_last = len(data) == len(rest)
        view = memoryview(data)
        start = 0
        before = 0
        for border, newlines in _borders(data, max(len(rest) - len(b"\nHepMC::"), 0)):
            yield view[start:border], line, False
            line += newlines - before
            start, before = border, newlines
        rest = view[start:]
        if is_last:
            yield rest, line, True
            return
        if len(rest) > LARGEST_RECORD:
            raise InputError(
                f"{path}, line {line}: a record is larger than {LARGEST_RECORD >> 20} MiB. Expected HepMC text with "
                "a line that begins with 'E' for every event. Check that the file is what its header says."
            )


def _borders(data: bytes, start: int) -> list[tuple[int, int]]:
    """Positions of lines that begin with ``E`` or ``HepMC::``, except the first line, and the lines before each."""
    size = 1 << 10
    while True:
        places, lines = np.empty(size, np.int64), np.empty(size, np.int64)
        pointers = (ffi.cast("int64_t *", array.ctypes.data) for array in (places, lines))
        n = lib.sqlamarr_hepmc_borders(ffi.from_buffer(data), len(data), start, *pointers, size)
        if n >= 0:
            return list(zip(places[:n].tolist(), lines[:n].tolist()))
        size *= 8


def cut(stream: Stream, path: str, state: CutState, block: int = BLOCK) -> Iterator[RecordText]:
    """The records of a file, in order.

    Text that should belong to a record but does not is yielded as a record that no parser accepts, so that nothing
    is lost silently.

    :raises InputError: the kind of listing is unknown
    """
    text: bytes | memoryview
    for text, line, last in segments(stream, path, block):
        if last:
            text = _without_partial_footer(bytes(text), state.format)
            if text.endswith(b"\nE"):  # only the first letter of another event
                yield from _handle(text[:-1], line, path, state)
                text, line = b"E", line + text.count(b"\n")
        yield from _handle(text, line, path, state)


def _handle(text: bytes | memoryview, line: int, path: str, state: CutState) -> Iterator[RecordText]:
    if text[:2] == b"E ":
        if state.units_stated is None:
            _learn(bytes(text), state)
        yield RecordText(text, line, state.format)
    else:
        yield from _preamble(bytes(text), line, path, state)


def _without_partial_footer(text: bytes, number: int) -> bytes:
    """A file may end with its end marker without a newline, or with part of it: the records are complete."""
    begin = text.rfind(b"\n") + 1
    tail = text[begin:]
    if not tail or not FOOTERS[number].startswith(tail):
        return text
    return text[:begin] + (tail + b"\n" if tail == FOOTERS[number] else b"")


def _preamble(text: bytes, line: int, path: str, state: CutState) -> Iterator[RecordText]:
    """Handle text outside records: header, run information, footer; ``text`` has no E line."""
    position = 0
    for offset, raw in enumerate(text.splitlines(keepends=True)):
        content = raw.strip()
        if content.startswith(b"HepMC::") and position == 0:
            _header(content, line, path, state)
        elif content and not _is_run_information(content, state):
            yield RecordText(text[position:], line + offset, state.format)
            return
        position += len(raw)


def _header(content: bytes, line: int, path: str, state: CutState) -> None:
    if content in HEADERS:
        state.format, state.open = HEADERS[content], True
    elif content in FOOTERS.values():
        state.open = False
    elif not content.startswith(b"HepMC::Version"):
        raise InputError(
            f"{path}, line {line}: unknown kind of HepMC listing {content[:60].decode('ascii', 'replace')!r}. "
            "Expected HepMC::IO_GenEvent (HepMC2) or HepMC::Asciiv3 (HepMC3); convert the file with HepMC3's tools."
        )


def _is_run_information(content: bytes, state: CutState) -> bool:
    if state.format != 3 or content[:2] not in (b"W ", b"A ", b"T "):
        return False
    if content.startswith(b"W ") and not state.weight_names:
        names = content[2:].replace(b"\\|", b"\n").split(b"\n")
        state.weight_names = tuple(name.decode("utf-8", "replace").replace("\\\\", "\\") for name in names)
    if content.startswith(b"T ") and not state.tool:
        state.tool = content[2:].split(b"\\|")[0].decode("utf-8", "replace")
    return True


def _learn(record: bytes, state: CutState) -> None:
    """Weight names and units from a file's first record."""
    ends = [position for position in (record.find(b"\nV "), record.find(b"\nP ")) if position >= 0]
    head = record[: min(ends, default=len(record))]
    state.units_stated = b"\nU " in head
    names = head.find(b"\nN ")
    if state.format == 2 and names >= 0:
        line = head[names + 1 :].split(b"\n", 1)[0]
        state.weight_names = tuple(name.decode("utf-8", "replace") for name in _NAME_IN_QUOTES.findall(line))


__all__ = ["BLOCK", "FOOTERS", "HEADERS", "CutState", "RecordText", "cut", "segments", "sniff_format"]
