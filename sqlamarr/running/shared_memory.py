"""Python objects from process to process: what is large goes through files in memory instead of a pipe.

The files are used again and again: pages of memory that are new cost more than what is written to them.
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

#: Where a file is memory, if the system has such a place.
MEMORY = Path("/dev/shm")
#: Bytes from which on a file is worth its making; a pipe passes on 64 kB at a time.
LARGE = 1 << 18
#: Seconds after which a folder without an owner is taken for what it is.
FORSAKEN = 60
_PREFIX = "sqlamarr-"
_ALIVE = "alive"  # file in a folder that its owner keeps locked


def folder() -> tempfile.TemporaryDirectory[str]:
    """A folder for the files of one run, removed with what is left in it."""
    place = str(MEMORY) if os.access(MEMORY, os.W_OK) else None
    _sweep(Path(place or tempfile.gettempdir()))
    return _Folder(prefix=_PREFIX, dir=place, ignore_cleanup_errors=True)


class _Folder(tempfile.TemporaryDirectory[str]):
    """A folder that others can see to be in use: the system takes the lock back however its owner dies."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self._lock = open(Path(self.name) / _ALIVE, "wb")  # noqa: SIM115 - until the folder goes
        with suppress(OSError):
            fcntl.flock(self._lock, fcntl.LOCK_EX)

    def cleanup(self) -> None:
        """Remove it."""
        super().cleanup()
        self._lock.close()


def _sweep(place: Path) -> None:
    """Remove the folders of runs that were killed with all their processes: they are memory."""
    for lock in place.glob(f"{_PREFIX}*/{_ALIVE}"):
        with suppress(OSError), open(lock, "rb") as file:  # others' folders cannot be read
            if time.time() - os.fstat(file.fileno()).st_mtime > FORSAKEN:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                shutil.rmtree(lock.parent, ignore_errors=True)


#: A map needs no descriptor of its own, if Python can do without.
_NO_DESCRIPTOR: dict[str, Any] = {"trackfd": False} if sys.version_info >= (3, 13) else {}


class Message(NamedTuple):
    """What goes through a pipe.

    :ivar path: the file that it speaks of, if there is one; see :meth:`Outbox.free`
    """

    data: bytes
    path: str | None


class Outbox:
    """Makes messages; those of several threads.

    :param where: folder for the files of what is large
    """

    def __init__(self, where: str) -> None:
        self._where = where
        self._lock = Lock()
        self._spare: list[str] = []
        self._out: set[str] = set()

    def pack(self, value: Any) -> Message:
        """An object as a message."""
        buffers: list[pickle.PickleBuffer] = []
        head = pickle.dumps(value, protocol=5, buffer_callback=buffers.append)
        views = [buffer.raw() for buffer in buffers]
        sizes = [view.nbytes for view in views]
        if sum(sizes) >= LARGE:
            with suppress(OSError):  # no room for it: the pipe has
                path = self._store(views)
                return Message(pickle.dumps((head, path, sizes)), path)
        return Message(pickle.dumps((head, None, [view.tobytes() for view in views])), None)

    def free(self, path: str | None) -> None:
        """Nobody reads this file any more; None, and what others have made, is none of ours."""
        with self._lock:
            if path not in self._out:
                return
            self._out.remove(path)
            self._spare.append(path)  # as many as were under way at a time, and no more

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
        """The object of a message's data; what is large of it cannot be written to.

        :param done: called with the path of the message's file, if it has one, when nothing of the object that is
            large is there any more; without it the object must be gone when the sender frees the file
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
                # Not to be written to: a page of one's own would hide what the file is used for next.
                found = self._files[path] = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ, **_NO_DESCRIPTOR)
        return memoryview(found)


def _noticed(content: memoryview, gone: Callable[[], object]) -> memoryview:
    """The same bytes; ``gone`` is called with the last view of them."""
    buffer = ffi.from_buffer(content)
    handle = ffi.gc(ffi.cast("char *", buffer), lambda _, keep=buffer: gone())
    return memoryview(ffi.buffer(handle, len(content))).toreadonly()


def _write(file: Any, view: memoryview) -> None:
    while view.nbytes:
        view = view[file.write(view) :]
