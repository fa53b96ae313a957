"""A scratch folder: the file grows there, on a fast disk of this machine, and moves to its place at the end."""

from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlamarr.errors import OutputError


@contextmanager
def staged(path: Path, scratch: Path | None, *, overwrite: bool, resume: bool) -> Iterator[Path]:
    """The file to write in place of ``path``, which it becomes at the end, however the block ends.

    What a killed run left in the folder is found again by its name when the run is resumed there.

    :param scratch: the folder; None: the file is written where it belongs
    :raises OutputError: there is no such folder, a killed run has left its file there, or moving fails
    """
    if scratch is None:
        yield path
        return
    if not scratch.is_dir():
        raise OutputError(f"The scratch folder {scratch} does not exist; make it first.")
    key = hashlib.sha256(os.fsencode(path.absolute())).hexdigest()[:12]
    working = scratch / f"{path.name}.{key}.part"
    _prepare(path, working, overwrite=overwrite, resume=resume)
    try:
        yield working
    finally:
        if working.exists() and not Path(f"{working}-journal").exists():
            _move(working, path)


def _prepare(path: Path, working: Path, *, overwrite: bool, resume: bool) -> None:
    if working.exists() and not (overwrite or resume):
        raise OutputError(f"A run that was killed has left {working}. Continue it with --resume, or --overwrite it.")
    if resume and path.exists() and not working.exists():
        shutil.copyfile(path, working)


def _move(working: Path, path: Path) -> None:
    """Into a folder of perhaps another file system, whole or not at all."""
    beside = path.with_name(f"{path.name}.part")
    try:
        shutil.copyfile(working, beside)
        with beside.open("rb+") as file:
            os.fsync(file.fileno())
        beside.replace(path)
    except OSError as error:
        beside.unlink(missing_ok=True)
        raise OutputError(f"{working} cannot be moved to {path} ({error.strerror}). Move it yourself.") from error
    working.unlink()
