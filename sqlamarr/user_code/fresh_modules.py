"""Python modules beside a pipeline: loaded for this pipeline alone, from the current state of their files.

Python keeps modules by their bare name for the lifetime of a process. In a notebook, however, several pipelines may
run, each with its own ``own_steps.py``, and these files may be edited between two runs.
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
_stamps: dict[
    str, _Stamp | None
] = {}  # state of the files of modules that were imported here, at that time; by module name
_kept: set[str] = set()  # modules that are never reloaded
_added: set[str] = set()  # folders that were added to sys.path because a pipeline is there


def keep_module(name: str) -> None:
    """Never reload this module, because objects of its classes are in use."""
    _kept.add(name)


@contextmanager
def modules_beside(folder: Path) -> Iterator[None]:
    """Import modules of the folder before all others within the block, as for a script. They are also found after it.

    Modules from another pipeline's folder, and those whose files have changed, are reloaded, unless they register
    kinds of steps. No bytecode files are written, because Python validates them by times in whole seconds.
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
            sys.path.append(path)  # for imports made when functions are called
            _added.add(path)
        found = _modules_in(path)
        _stamps.update({name: _stamp(found[name]) for name in found.keys() - before})


def _leave(folders: set[str]) -> None:
    """Remove the folders of other pipelines from the search path."""
    for path in folders:
        if path in sys.path:
            sys.path.remove(path)
        for name in _modules_in(path).keys() & _stamps.keys():
            _forget(name)
        _added.discard(path)


def _forget_changed(path: str) -> None:
    """Forget all modules imported from the folder if one of their files has changed: any of them may use it."""
    found = _modules_in(path)
    changed = {name for name, file in found.items() if _has_changed(name, file)}
    for name in changed | (found.keys() & _stamps.keys() if changed else set()):
        _forget(name)
    for name in _shadowing(path):
        _forget(name)


def _shadowing(path: str) -> list[str]:
    """Forget modules from elsewhere with the name of one in this folder, except Python's own and installed ones."""
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
    return stamp is not None and stamp[0] > _START  # imported elsewhere since this process began


def _forget(name: str) -> None:
    if name not in _kept:
        _stamps.pop(name, None)
        module = sys.modules.pop(name, None)
        # A module that was imported outside the block may have a bytecode file. A change within the same second that
        # keeps the file's size would not invalidate it.
        if cached := getattr(module, "__dict__", {}).get("__cached__"):
            with suppress(OSError):
                os.unlink(cached)


def _modules_in(path: str) -> dict[str, str]:
    """Return the files of the loaded modules whose file or package is in the folder, by module name."""
    found = {}
    for name in list(sys.modules):
        top = _file_of(name.partition(".")[0])
        file = _file_of(name)
        if top and file and name.partition(".")[0] not in _NOT_OURS and _is_in(top, path):
            found[name] = file
    return found


def _file_of(name: str) -> str | None:
    found = getattr(sys.modules.get(name), "__dict__", {}).get(
        "__file__"
    )  # does not trigger the import of lazy modules
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
