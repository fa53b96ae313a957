"""Python modules beside a pipeline: they are this pipeline's own, as their files are now.

Python keeps modules by their bare name for as long as a process lives. A notebook runs several pipelines, each with
its ``own_steps.py``, and edits them between two runs.
"""

from __future__ import annotations

import importlib
import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

_START = time.time_ns()
_NOT_OURS = {"__main__", __name__.partition(".")[0]}
_Stamp = tuple[int, int, int]
_stamps: dict[str, _Stamp | None] = {}  # by name, of modules that were imported here: their files at that time
_kept: set[str] = set()  # modules that are never imported anew
_added: set[str] = set()  # folders that are in sys.path because a pipeline is there


def keep_module(name: str) -> None:
    """Never import this module anew: objects of its classes are in use."""
    _kept.add(name)


@contextmanager
def modules_beside(folder: Path) -> Iterator[None]:
    """Inside the block modules of the folder come before all others, as for a script; behind it they are found too.

    Those of another pipeline's folder, and of files that have changed, are imported anew, unless kinds of steps are
    registered there. Nothing is compiled into files: these are told apart by their times in seconds.
    """
    path, bytecode = str(folder.absolute()), sys.dont_write_bytecode
    _leave(_added - {path})
    _forget_changed(path)
    importlib.invalidate_caches()
    before = set(sys.modules)
    sys.path.insert(0, path)
    sys.dont_write_bytecode = True
    try:
        yield
    finally:
        sys.dont_write_bytecode = bytecode
        if path in sys.path:
            sys.path.remove(path)
        if path not in sys.path:
            sys.path.append(path)  # for what functions import when they are called
            _added.add(path)
        found = _modules_in(path)
        _stamps.update({name: _stamp(found[name]) for name in found.keys() - before})


def _leave(folders: set[str]) -> None:
    """Folders of other pipelines are not looked at any more."""
    for path in folders:
        if path in sys.path:
            sys.path.remove(path)
        for name in _modules_in(path).keys() & _stamps.keys():
            _forget(name)
        _added.discard(path)


def _forget_changed(path: str) -> None:
    """If a file has changed, all modules of the folder are imported anew that were imported here: they may use it."""
    found = _modules_in(path)
    changed = {name for name, file in found.items() if _has_changed(name, file)}
    for name in changed | (found.keys() & _stamps.keys() if changed else set()):
        _forget(name)
    for name in _shadowing(path):
        _forget(name)


def _shadowing(path: str) -> list[str]:
    """Modules from elsewhere with the name of one in this folder; Python's own and installed ones are left alone."""
    files = [*Path(path).glob("*.py"), *Path(path).glob("*/__init__.py")]
    names = {file.parent.name if file.name == "__init__.py" else file.stem for file in files}
    elsewhere = set()
    for name in names - sys.stdlib_module_names - _NOT_OURS:
        file = _file_of(name)
        if file and not _is_in(file, path) and not {"site-packages", "dist-packages"} & set(Path(file).parts):
            elsewhere.add(name)
    return [name for name in sys.modules if name.partition(".")[0] in elsewhere]


def _has_changed(name: str, file: str) -> bool:
    stamp = _stamp(file)
    if name in _stamps:
        return stamp != _stamps[name]
    return stamp is not None and stamp[0] > _START  # somebody else has imported it since this process began


def _forget(name: str) -> None:
    if name not in _kept:
        _stamps.pop(name, None)
        module = sys.modules.pop(name, None)
        # What was imported outside the block may have been compiled into a file, which a change within the same second
        # that leaves the size as it is does not make invalid.
        if cached := getattr(module, "__dict__", {}).get("__cached__"):
            with suppress(OSError):
                os.unlink(cached)


def _modules_in(path: str) -> dict[str, str]:
    """Files by name of the loaded modules whose file, or whose package, is in the folder."""
    found = {}
    for name in list(sys.modules):
        top = _file_of(name.partition(".")[0])
        file = _file_of(name)
        if top and file and name.partition(".")[0] not in _NOT_OURS and _is_in(top, path):
            found[name] = file
    return found


def _file_of(name: str) -> str | None:
    found = getattr(sys.modules.get(name), "__dict__", {}).get("__file__")  # lazy modules are left asleep
    return found if isinstance(found, str) else None


def _is_in(file: str, path: str) -> bool:
    folder, _, name = file.rpartition("/")
    return folder == path or (name == "__init__.py" and folder.rpartition("/")[0] == path)


def _stamp(file: str) -> _Stamp | None:
    try:
        found = Path(file).stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size, found.st_ino
