"""Python objects from process to process: what is large goes through a file in memory instead of a pipe."""

from __future__ import annotations

import itertools
import mmap
import os
import pickle
import tempfile
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

#: Where a file is memory, if the system has such a place.
MEMORY = Path("/dev/shm")
#: Bytes from which on a file is worth its making; a pipe passes on 64 kB at a time.
LARGE = 1 << 18


def folder() -> tempfile.TemporaryDirectory[str]:
    """A folder for the files of one run, removed with what may be left in it."""
    place = str(MEMORY) if os.access(MEMORY, os.W_OK) else None
    return tempfile.TemporaryDirectory(prefix="sqlamarr-", dir=place, ignore_cleanup_errors=True)


def pack(value: Any, where: str | None = None) -> bytes:
    """An object as a message; :func:`unpack` may be called once on it.

    :param where: folder for what is large; None, or where there is no room: all of it is in the message
    """
    buffers: list[pickle.PickleBuffer] = []
    head = pickle.dumps(value, protocol=5, buffer_callback=buffers.append)
    views = [buffer.raw() for buffer in buffers]
    sizes = [view.nbytes for view in views]
    if where is not None and sum(sizes) >= LARGE:
        with suppress(OSError):  # no room for it: the pipe has
            return pickle.dumps((head, _store(views, where), sizes))
    return pickle.dumps((head, None, [view.tobytes() for view in views]))


def unpack(message: bytes) -> Any:
    """The object of a message."""
    head, path, parts = pickle.loads(message)
    return pickle.loads(head, buffers=parts if path is None else _fetch(path, parts))


def _store(views: Sequence[memoryview], where: str) -> str:
    handle, path = tempfile.mkstemp(dir=where)
    try:
        with open(handle, "wb", buffering=0) as file:
            for view in views:
                _write(file, view)
    except OSError:
        os.unlink(path)
        raise
    return path


def _write(file: Any, view: memoryview) -> None:
    while view.nbytes:
        view = view[file.write(view) :]


def _fetch(path: str, sizes: Sequence[int]) -> list[memoryview]:
    """Views of the file's content, which is gone with the last of them."""
    with open(path, "rb") as file:
        content = memoryview(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_COPY))
    os.unlink(path)
    ends = [0]
    for size in sizes:
        ends.append(ends[-1] + size)
    return [content[begin:end] for begin, end in itertools.pairwise(ends)]
