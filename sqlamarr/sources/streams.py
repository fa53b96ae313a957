"""Bytes of inputs. Compression and archives are recognised by their content, never by their name."""

from __future__ import annotations

import bz2
import hashlib
import importlib
import lzma
import tarfile
import zlib
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Protocol

from sqlamarr.errors import InputError

_READ = 1 << 16
_TAR_MAGIC = slice(257, 262)
SNIFFED = 4096


class Readable(Protocol):
    """Anything with ``read``."""

    def read(self, size: int = -1, /) -> bytes:
        """Up to ``size`` bytes; empty at the end."""


class Stream:
    """Bytes that can be looked at before they are read.

    :param source: where they come from
    :param path: the name used in error messages
    """

    def __init__(self, source: Readable, path: str) -> None:
        self.path = path
        self._source = source
        self._ahead = b""
        self._damage: InputError | None = None

    def peek(self, size: int) -> bytes:
        """The next ``size`` bytes, fewer only if the stream ends earlier."""
        if len(self._ahead) < size:
            self._ahead = b"".join([self._ahead, *self._fetch(size - len(self._ahead))])
        return self._ahead[:size]

    def read(self, size: int = _READ, /) -> bytes:
        """``size`` bytes, fewer only at the end."""
        return self.read_behind(b"", size)

    def read_behind(self, rest: bytes | memoryview, size: int) -> bytes:
        """``rest`` joined with the next ``size`` bytes, fewer only at the end."""
        data, self._ahead = self._ahead[:size], self._ahead[size:]
        missing = size - len(data)
        return b"".join([rest, data, *(self._fetch(missing) if missing else ())])

    def _fetch(self, size: int) -> list[bytes]:
        """``size`` bytes in pieces, fewer at the end or before damage, which is raised once no good bytes are left."""
        pieces: list[bytes] = []
        while size > 0:
            try:
                if self._damage is not None:
                    raise self._damage
                more = self._source.read(size)
            except InputError as error:
                if not pieces:
                    raise
                self._damage = error
                break
            if not more:
                break
            pieces.append(more)
            size -= len(more)
        return pieces


class Fingerprint:
    """Reads a file unchanged and computes its size and SHA-256 along the way.

    :param mark: ``bytes`` and ``sha256`` of the required beginning; ``complete`` if the file must be no longer
    """

    def __init__(self, file: Readable, path: str, mark: Mapping[str, Any] | None = None) -> None:
        self._file, self._path, self._hash = file, path, hashlib.sha256()
        self._mark = mark if mark and mark["bytes"] is not None else None
        self.size, self.complete = 0, False

    def read(self, size: int = _READ, /) -> bytes:
        """Up to ``size`` bytes.

        :raises InputError: the system cannot read the file
        """
        try:
            data = self._file.read(size)
        except OSError as error:
            raise InputError(f"{self._path} cannot be read ({error}); check the file and its disk.") from error
        if self._mark is not None:
            self._compare(data, self._mark)
        self._hash.update(data)
        self.size += len(data)
        self.complete = self.complete or not data
        return data

    def _compare(self, data: bytes, mark: Mapping[str, Any]) -> None:
        """Check that the file begins as it did when it was marked."""
        missing = mark["bytes"] - self.size
        if len(data) < missing and data:
            return
        seen = self._hash.copy()
        seen.update(data[:missing])
        if len(data) < missing or seen.hexdigest() != mark["sha256"]:
            raise InputError(changed(self._path, f"the SHA-256 of its first {mark['bytes']} bytes"))
        if mark["complete"] and len(data) > missing:
            raise InputError(changed(self._path, f"its size (it was {mark['bytes']} bytes)"))
        if not mark["complete"] or not data:
            self._mark = None

    @property
    def so_far(self) -> str:
        """Hexadecimal SHA-256 of what has been read so far."""
        return self._hash.hexdigest()

    @property
    def sha256(self) -> str | None:
        """Hexadecimal SHA-256 of the file; None if it was not read to its end."""
        return self._hash.hexdigest() if self.complete else None


def changed(path: str, what: str) -> str:
    """The error message for an input that differs from what an earlier run read."""
    return (
        f"{path} is not what the interrupted run read: {what} differs. Give the same inputs in the same order, or "
        "start over with --overwrite."
    )


def _optional(module: str) -> Any:
    try:
        return importlib.import_module(module)
    except ImportError:
        return None


def _gzip() -> Any:
    # ISA-L inflates three to four times as fast as zlib, which is used where ISA-L has no wheel.
    return (_optional("isal.isal_zlib") or zlib).decompressobj(wbits=31)


def _zstd() -> Any:
    standard = _optional("compression.zstd") or _optional("backports.zstd")
    if standard:
        return standard.ZstdDecompressor()
    other = _optional("zstandard")
    if other:
        return other.ZstdDecompressor().decompressobj()
    raise InputError(
        "is compressed with Zstandard, which this Python cannot read. Use Python 3.14 or newer, "
        "install backports.zstd ('pip install backports.zstd'), or decompress the file with 'unzstd' first."
    )


#: A frame of Zstandard has a checksum if this bit of the byte after its magic is set (RFC 8878, 3.1.1.1).
_ZSTD, _CHECKSUM_FLAG = b"\x28\xb5\x2f\xfd", 0x04

#: First bytes -> (name, maker of a decompressor with decompress(), eof and unused_data).
COMPRESSIONS: dict[bytes, tuple[str, Callable[[], Any]]] = {
    b"\x1f\x8b": ("gzip", _gzip),
    b"BZh": ("bzip2", bz2.BZ2Decompressor),
    b"\xfd7zXZ\x00": ("xz", lzma.LZMADecompressor),
    _ZSTD: ("Zstandard", _zstd),
}


class Decompressed:
    """The content of a compressed stream, which may consist of several concatenated ones.

    :param warn: called with a sentence if damage inside the stream could go unnoticed
    """

    def __init__(self, stream: Stream, magic: bytes, warn: Callable[[str], object] = lambda _: None) -> None:
        self._stream, self._magic, self._warn = stream, magic, warn
        self._name, self._make = COMPRESSIONS[magic]
        self._machine = self._new()
        self._ready, self._taken = b"", 0
        self._note_missing_checksum(stream.peek(len(magic) + 1))

    def read(self, size: int = _READ, /) -> bytes:
        """Up to ``size`` bytes.

        :raises InputError: the stream is damaged or truncated
        """
        while self._taken == len(self._ready):
            data = self._stream.read(_READ)
            if not data:
                self._check_end()
                return b""
            self._ready, self._taken = self._decompress(data), 0
        data = self._ready[self._taken : self._taken + size]
        self._taken += len(data)
        return data

    def _new(self) -> Any:
        try:
            return self._make()
        except InputError as error:
            raise InputError(f"{self._stream.path} {error}") from None

    def _decompress(self, data: bytes) -> bytes:
        pieces = []
        while data:
            if self._machine is None or self._machine.eof:
                data = self._next_member(data)
                if not data:
                    break
            try:
                pieces.append(self._machine.decompress(data))
            except (zlib.error, OSError, lzma.LZMAError, ValueError, EOFError) as error:
                raise self._damaged(str(error)) from error
            except Exception as error:  # zstandard, compression.zstd and isal have errors of their own
                where = f"{type(error).__module__}.{type(error).__name__}".lower()
                if "zstd" not in where and "isal" not in where:
                    raise
                raise self._damaged(str(error)) from error
            data = self._machine.unused_data if self._machine.eof else b""
        return b"".join(pieces)

    def _next_member(self, data: bytes) -> bytes:
        """Handle what follows the end of a member: padding, or another member."""
        self._machine = None
        data = data.lstrip(b"\0")
        if not data:
            return b""
        data += self._stream.read(len(self._magic) + 1) if len(data) <= len(self._magic) else b""
        if not data.startswith(self._magic):
            raise self._damaged("uncompressed bytes follow the compressed data")
        self._note_missing_checksum(data)
        self._machine = self._new()
        return data

    def _note_missing_checksum(self, head: bytes) -> None:
        """gzip, bzip2 and xz always have checksums; Zstandard may not."""
        if self._magic == _ZSTD and len(head) > len(_ZSTD) and not head[len(_ZSTD)] & _CHECKSUM_FLAG:
            self._warn(
                f"{self._stream.path} was compressed with Zstandard, but without checksums: damage inside it may go "
                "unnoticed (the command 'zstd' writes them, some libraries do so only on request)."
            )

    def _check_end(self) -> None:
        if self._machine is not None and not self._machine.eof:
            raise InputError(
                f"{self._stream.path} is truncated: its {self._name} data stop before their end marker. "
                "Copy or download the file again."
            )

    def _damaged(self, why: str) -> InputError:
        return InputError(
            f"{self._stream.path} is damaged: its {self._name} data cannot be decompressed ({why}). "
            "Copy or download the file again."
        )


def unpack(stream: Stream, warn: Callable[[str], object] = lambda _: None) -> Iterator[Stream]:
    """The plain content of a stream: the stream itself, decompressed, or the files of an archive one by one.

    Each must be read before the next is requested.

    :param warn: called with sentences for the user
    :raises InputError: the stream is empty, damaged or truncated
    """
    head = stream.peek(SNIFFED)
    if not head:
        raise InputError(f"{stream.path} is empty (0 bytes). Remove it from the inputs, or write it again.")
    for magic in COMPRESSIONS:
        if head.startswith(magic):
            yield from unpack(Stream(Decompressed(stream, magic, warn), stream.path), warn)
            return
    if head[_TAR_MAGIC] == b"ustar":
        yield from _members(stream, warn)
    else:
        yield stream


def _members(stream: Stream, warn: Callable[[str], object]) -> Iterator[Stream]:
    found = False
    try:
        with tarfile.open(fileobj=stream, mode="r|", bufsize=_READ) as archive:  # type: ignore[call-overload]
            for member in archive:
                if not member.isfile():
                    continue
                found = True
                content = archive.extractfile(member)
                yield from unpack(Stream(_Member(content, stream.path), f"{stream.path}:{member.name}"), warn)
    except tarfile.TarError as error:
        raise _broken_archive(stream.path, error) from error
    while stream.read():  # padding after the archive's end, so that the checksum covers the whole file
        pass
    if not found:
        raise InputError(
            f"{stream.path} is an archive that contains no files. Remove it from the inputs, or write it again."
        )


class _Member:
    """A file in an archive that may be truncated."""

    def __init__(self, file: Any, archive: str) -> None:
        self._file, self._archive = file, archive

    def read(self, size: int = _READ, /) -> bytes:
        try:
            data: bytes = self._file.read(size)
        except tarfile.TarError as error:
            raise _broken_archive(self._archive, error) from error
        return data


def _broken_archive(path: str, error: Exception) -> InputError:
    return InputError(f"{path} is a damaged or truncated tar archive ({error}). Copy or download the file again.")


__all__ = ["COMPRESSIONS", "SNIFFED", "Decompressed", "Fingerprint", "Readable", "Stream", "changed", "unpack"]
