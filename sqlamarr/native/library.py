"""The native library: find it, load it once, and turn its failures into exceptions."""

from __future__ import annotations

from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from typing import Any

from sqlamarr import errors

_ERROR_OF_STATUS = {
    1: errors.SqlamarrError,
    2: errors.SqlError,
    3: errors.DataError,
    4: errors.ModelError,
}


#: The folder of the package, in a source tree also for an editable installation.
PACKAGE = Path(__file__).resolve().parent.parent


def native_folder() -> Path:
    """The folder with the native library and the compiled models.

    In a source tree, this is what CMake has installed there or, failing that, what ``pip install`` has compiled.
    """
    own = PACKAGE / "_native"
    if own.is_dir():
        return own
    from importlib.metadata import PackageNotFoundError, distribution  # slow, and rarely needed

    try:
        installed = Path(str(distribution(errors.DISTRIBUTION).locate_file("sqlamarr/_native")))
    except PackageNotFoundError:
        return own
    return installed if installed.is_dir() else own


def pipelines_folder() -> Path:
    """The folder with the shipped pipelines, one folder each, and their macros.

    In a source tree these are the tree's own, so that a change in a template takes effect in the next run.
    """
    tree = PACKAGE.parent
    own = tree / "pipelines"
    return own if own.is_dir() and (tree / "CMakeLists.txt").is_file() else native_folder() / "pipelines"


def library_path() -> Path:
    """Path of the shared library: a cffi library and an SQLite extension in one file."""
    return native_folder() / "libsqlamarr.so"


def _load() -> tuple[Any, Any]:
    try:
        spec = spec_from_file_location("sqlamarr._native.api", native_folder() / "api.py")
        assert spec is not None
        assert spec.loader is not None
        api = module_from_spec(spec)
        spec.loader.exec_module(api)
        return api.ffi, api.ffi.dlopen(str(library_path()))
    except (ImportError, OSError) as error:
        raise errors.InstallationError(
            f"The compiled part of sqlamarr is missing from {native_folder()} ({error}). "
            "Install the package with 'pip install .' from its source folder, or with "
            f"'pip install {errors.DISTRIBUTION}'; a copy of the Python files alone is not enough."
        ) from error


ffi, lib = _load()


def check(status: int, error: type[Exception] | None = None) -> None:
    """Raise the error that a native call reports.

    :param status: the call's result
    :param error: the exception to raise in place of the one that belongs to the status
    """
    if status:
        message = ffi.string(lib.sqlamarr_last_error()).decode("utf-8", "replace")
        raise (error or _ERROR_OF_STATUS[status])(message)


def listener() -> tuple[Any, list[BaseException]]:
    """Make a function that long native calls call now and then, so that Python's signal handlers run.

    It returns 1, and the call must end, if a handler raised an exception (as for Ctrl-C), which is then in the list.
    It is NULL where the system does not allow functions made at run time; signals are then delayed.
    """
    raised: list[BaseException] = []
    try:
        stop = ffi.callback("int(void)", lambda: 0, error=1, onerror=lambda kind, error, trace: raised.append(error))
    except MemoryError:
        stop = ffi.NULL
    return stop, raised


def text(pointer: Any) -> str | None:
    """Convert a C string to ``str``, and a null pointer to None."""
    return None if pointer == ffi.NULL else ffi.string(pointer).decode("utf-8", "replace")


version = text(lib.sqlamarr_version())

__all__ = ["check", "ffi", "lib", "library_path", "listener", "native_folder", "pipelines_folder", "text", "version"]
