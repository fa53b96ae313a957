"""The one way in which files are written: under a temporary name, then moved to their place once they are complete.

An output therefore changes only if its writer succeeds. Symbolic links stay: what they point to is replaced.
"""

from __future__ import annotations

import errno
import os
import shutil
import stat
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from sqlamarr.errors import OutputError


@contextmanager
def replacing(path: Path, *, mode: int | None = None) -> Iterator[Path]:
    """Yield the temporary path of a file that replaces ``path`` if the block succeeds.

    The file is empty at first. It is in the folder of ``path``, after following symbolic links, and is removed if the
    block fails.

    :param mode: permissions of the file; default: those of the file that it replaces, or those of any new file
    :raises OutputError: the file cannot be written; the message names ``path`` and the system's reason
    """
    with _telling(path):
        target = target_of(path)
        part = _new_file(target, mode)
        try:
            yield part
            _sync(part)
            os.replace(part, target)
        except BaseException:
            part.unlink(missing_ok=True)
            raise
        _sync(target.parent)


@contextmanager
def replacing_folder(path: Path) -> Iterator[Path]:
    """Yield the temporary path of a folder of files that replaces ``path`` if the block succeeds.

    :raises OutputError: as for :func:`replacing`
    """
    with _telling(path):
        target = Path(os.path.realpath(path))
        part = Path(tempfile.mkdtemp(dir=target.parent, prefix=f".{target.name}.", suffix=".part"))
        old = part.with_suffix(".old")
        try:
            os.chmod(part, 0o777 & ~_umask())
            yield part
            for file in part.iterdir():
                _sync(file)
            _sync(part)
            if target.exists():
                os.replace(target, old)
            os.replace(part, target)
        except BaseException:
            if old.exists() and not target.exists():
                os.replace(old, target)
            shutil.rmtree(part, ignore_errors=True)
            raise
        shutil.rmtree(old, ignore_errors=True)
        _sync(target.parent)


def write_text(path: Path, text: str) -> None:
    """Write a text file in UTF-8; terminals, pipes and other devices are written to directly.

    :raises OutputError: it cannot be written
    """
    if path.exists() and not path.is_file() and not path.is_dir():
        with _telling(path), path.open("w", encoding="utf-8") as device:
            device.write(text)
        return
    with replacing(path) as part:
        part.write_text(text, encoding="utf-8")


def copy(source: Path, path: Path) -> None:
    """Copy a file, possibly to another file system.

    :raises OutputError: it cannot be written
    """
    with replacing(path) as part:
        shutil.copyfile(source, part)


def move(source: Path, path: Path) -> None:
    """Move a file, possibly to another file system; at any time it is at its old or its new place.

    :raises OutputError: it cannot be moved, and stays at its old place
    """
    target = target_of(path)
    with _telling(path):
        _sync(source)
        try:
            os.replace(source, target)
        except OSError as error:
            if error.errno != errno.EXDEV:
                raise
            copy(source, path)
            source.unlink()
        else:
            _sync(target.parent)


def target_of(path: Path) -> Path:
    """The file to write for ``path``: the end of its symbolic links, which need not exist.

    :raises OutputError: something other than a plain file is there
    """
    target = Path(os.path.realpath(path))
    try:
        kind = target.lstat().st_mode
    except (FileNotFoundError, NotADirectoryError):
        return target
    if stat.S_ISDIR(kind):
        raise OutputError(f"{path} is a folder; expected the name of a file to write.")
    if stat.S_ISLNK(kind):
        raise OutputError(f"{path} is a symbolic link that leads back to itself. Choose another name.")
    if not stat.S_ISREG(kind):
        raise OutputError(f"{path} is not a plain file but a device or a pipe. Choose another name.")
    return target


def _new_file(target: Path, mode: int | None) -> Path:
    handle, name = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.", suffix=".part")
    os.close(handle)
    part = Path(name)
    if mode is None:
        mode = stat.S_IMODE(target.stat().st_mode) if target.exists() else 0o666 & ~_umask()
    with suppress(OSError):  # some file systems have no permissions
        part.chmod(mode)
    return part


def _umask() -> int:
    """The permission mask of this process, which can be read only by setting it."""
    mask = os.umask(0o077)
    os.umask(mask)
    return mask


def _sync(path: Path) -> None:
    """Make sure that what was written is on disk; some file systems support that only for files."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    except OSError as error:
        if error.errno not in (errno.EINVAL, errno.ENOTSUP, errno.EBADF) or not path.is_dir():
            raise
    finally:
        os.close(handle)


@contextmanager
def _telling(path: Path) -> Iterator[None]:
    """Let errors of the system name the file that was to be written, not the temporary one."""
    try:
        yield
    except OSError as error:
        raise OutputError(f"{path} cannot be written: {error.strerror or error}.") from error
