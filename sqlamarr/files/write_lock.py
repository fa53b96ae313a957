"""A lock on the output file that a process writes: no other process overwrites or resumes it meanwhile."""

from __future__ import annotations

import fcntl
import os
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from sqlamarr.errors import OutputError

_held: set[int] = set()  # descriptors of this process's claims
PATIENCE = 0.5  # s to wait for a run that is just ending or dying


@contextmanager
def claimed(path: Path) -> Iterator[None]:
    """Claim ``path`` for writing by this process within the block.

    The claim is a lock on a file beside it, ``NAME.lock``, which the system releases when the process dies, however
    it dies. It is not on the output itself, for two reasons: SQLite has its own locks there, which are lost when a
    process closes any descriptor of the file, and ``flock`` collides with these on network file systems.

    Where no such lock is available (on some network file systems) the block runs without one;
    :class:`sqlamarr.output.file.OutputFile` then notices another writer, though only after the fact.

    :raises OutputError: another running process writes it, or no file can be created in its folder
    """
    beside = Path(f"{os.path.realpath(path)}.lock")
    owner, descriptor = os.getpid(), _take(beside, path)
    try:
        yield
    finally:
        if descriptor is not None and os.getpid() == owner:
            _release(beside, descriptor)


def _take(beside: Path, path: Path) -> int | None:
    """Take the lock and return its descriptor; None where locks are not available."""
    deadline = time.monotonic() + PATIENCE
    while True:
        try:
            # A lock file left by another user's dead run may be read-only; that is enough for the lock.
            writable = os.access(beside, os.W_OK) or not os.path.exists(beside)
            descriptor = os.open(beside, (os.O_RDWR if writable else os.O_RDONLY) | os.O_CREAT, 0o666)
        except OSError as error:
            if not os.path.exists(beside):  # SQLite could not create its journal either
                why = error.strerror or str(error)
                raise OutputError(
                    f"{path} cannot be written: no file can be created in its folder ({why}). Choose another folder."
                ) from error
            return None
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            writer = os.pread(descriptor, 200, 0).decode(errors="replace")
            os.close(descriptor)
            if time.monotonic() > deadline:
                raise OutputError(_refusal(path, writer)) from None
            time.sleep(PATIENCE / 10)
            continue
        except OSError:
            os.close(descriptor)
            return None
        if _is_at(beside, descriptor):
            _sign(descriptor)
            _held.add(descriptor)
            return descriptor
        os.close(descriptor)  # its holder removed it while we waited: try again with the next one


def _refusal(path: Path, writer: str) -> str:
    who = f" ({writer})" if writer else ""
    return (
        f"{path} is being written by another run{who}, so it cannot be overwritten or resumed. Wait until that run "
        "ends, stop it, or choose another name."
    )


def _sign(descriptor: int) -> None:
    """Write the owner into the lock file, for the messages of later runs."""
    with suppress(OSError):
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, f"process {os.getpid()} on {socket.gethostname()}".encode(), 0)


def _release(beside: Path, descriptor: int) -> None:
    # Removed before it is unlocked: a waiting process then sees that it is no longer the file at this place.
    with suppress(OSError):
        if _is_at(beside, descriptor):
            beside.unlink()
    _held.discard(descriptor)
    os.close(descriptor)


def _let_go() -> None:
    """Release the claims in a forked child, which may outlive its parent."""
    while _held:
        os.close(_held.pop())


os.register_at_fork(after_in_child=_let_go)


def _is_at(path: Path, descriptor: int) -> bool:
    try:
        there, ours = path.stat(), os.fstat(descriptor)
    except OSError:
        return False
    return (there.st_dev, there.st_ino) == (ours.st_dev, ours.st_ino)
