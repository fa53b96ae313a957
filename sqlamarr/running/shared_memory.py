"""Python objects from process to process: large data go through files in memory instead of a pipe.

The files are reused: allocating new pages of memory costs more than writing to them.
"""

from __future__ import annotations

import fcntl
import itertools
import mmap
import os
import pickle
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from threading import Lock
from typing import Any, NamedTuple

from sqlamarr.native.library import ffi

#: A folder whose files are in memory, if the system has one.
MEMORY = Path("/dev/shm")
#: Size in bytes above which a file pays off; a pipe passes on 64 kB at a time.
LARGE = 1 << 18
#: Seconds after which a folder without an owner is considered abandoned.
FORSAKEN = 60
_PREFIX = "sqlamarr-"
_ALIVE = "alive"  # a file in each folder, which the folder's owner keeps locked


def folder() -> tempfile.TemporaryDirectory[str]:
    """Make a folder for the files of one run; it is removed with whatever is left in it."""
    place = str(MEMORY) if os.access(MEMORY, os.W_OK) else None
    _sweep(Path(place or tempfile.gettempdir()))
    return _Folder(prefix=_PREFIX, dir=place, ignore_cleanup_errors=True)


class _Folder(tempfile.TemporaryDirectory[str]):
    """A folder that other processes can see is in use: the system releases its lock however its owner dies."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self._lock = open(Path(self.name) / _ALIVE, "wb")  # noqa: SIM115 - until the folder goes
        with suppress(OSError):
            fcntl.flock(self._lock, fcntl.LOCK_EX)

    def cleanup(self) -> None:
        """Remove the folder."""
        super().cleanup()
        self._lock.close()


def _sweep(place: Path) -> None:
    """Remove the folders of runs that were killed with all their processes: they occupy memory."""
    for lock in place.glob(f"{_PREFIX}*/{_ALIVE}"):
        with suppress(OSError), open(lock, "rb") as file:  # folders of other users cannot be read
            if time.time() - os.fstat(file.fileno()).st_mtime > FORSAKEN:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                shutil.rmtree(lock.parent, ignore_errors=True)


#: A memory map needs no descriptor of its own where Python supports that.
_NO_DESCRIPTOR: dict[str, Any] = {"trackfd": False} if sys.version_info >= (3, 13) else {}


class Message(NamedTuple):
    """The data to send through a pipe.

    :ivar path: the file that the data refer to, if there is one; see :meth:`Outbox.free`
    """

    data: bytes
    path: str | None


class Outbox:
    """Makes messages; several threads may share it.

    :param where: folder for the files of large data
    """

    def __init__(self, where: str) -> None:
        self._where = where
        self._lock = Lock()
        self._spare: list[str] = []
        self._out: set[str] = set()

    def pack(self, value: Any) -> Message:
        """Pack an object as a message."""
        buffers: list[pickle.PickleBuffer] = []
        head = pickle.dumps(value, protocol=5, buffer_callback=buffers.append)
        views = [buffer.raw() for buffer in buffers]
        sizes = [view.nbytes for view in views]
        if sum(sizes) >= LARGE:
            with suppress(OSError):  # no space in memory: use the pipe
                path = self._store(views)
                return Message(pickle.dumps((head, path, sizes)), path)
        return Message(pickle.dumps((head, None, [view.tobytes() for view in views])), None)

    def free(self, path: str | None) -> None:
        """Reuse a file that is no longer read; None and files of other outboxes are ignored."""
        with self._lock:
            if path not in self._out:
                return
            self._out.remove(path)
            self._spare.append(path)  # never more than were in flight at a time

    def _store(self, views: Sequence[memoryview]) -> str:
        with self._lock:
            path = self._spare.pop() if self._spare else None
        if path is None:
            handle, path = tempfile.mkstemp(dir=self._where)
            os.close(handle)
        try:
            with open(path, "r+b", buffering=0) as file:
                for view in views:
                    _write(file, view)
        except OSError:
            os.unlink(path)
            raise
        with self._lock:
            self._out.add(path)
        return path


class Inbox:
    """Reads the messages of one or more senders."""

    def __init__(self) -> None:
        self._files: dict[str, mmap.mmap] = {}

    def unpack(self, message: bytes, done: Callable[[str], object] | None = None) -> Any:
        """Unpack the object of a message; its large data are read-only.

        :param done: called with the path of the message's file, if it has one, when all large data of the object have
            been released; without it, the object must be gone before the sender frees the file
        """
        head, path, parts = pickle.loads(message)
        return pickle.loads(head, buffers=parts if path is None else self._fetch(path, parts, done))

    def _fetch(self, path: str, sizes: Sequence[int], done: Callable[[str], object] | None) -> list[memoryview]:
        content = self._map(path, sum(sizes))
        if done is not None:
            content = _noticed(content, lambda: done(path))
        ends = [0]
        for size in sizes:
            ends.append(ends[-1] + size)
        return [content[begin:end] for begin, end in itertools.pairwise(ends)]

    def _map(self, path: str, size: int) -> memoryview:
        found = self._files.get(path)
        if found is None or len(found) < size:
            with open(path, "rb") as file:
                # Read-only: a private copy of a page would hide what the file holds next.
                found = self._files[path] = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ, **_NO_DESCRIPTOR)
        return memoryview(found)


def _noticed(content: memoryview, gone: Callable[[], object]) -> memoryview:
    """The same bytes; ``gone`` is called when the last view of them is released."""
    buffer = ffi.from_buffer(content)
    handle = ffi.gc(ffi.cast("char *", buffer), lambda _, keep=buffer: gone())
    return memoryview(ffi.buffer(handle, len(content))).toreadonly()


def _write(file: Any, view: memoryview) -> None:
    while view.nbytes:
        view = view[file.write(view) :]
