"""User functions: finding them by name, and describing the errors that they raise."""

from __future__ import annotations

import importlib
import importlib.util
import traceback
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

from sqlamarr.errors import PipelineError
from sqlamarr.user_code.fresh_modules import modules_beside


def load_function(source: str, name: str, folder: Path) -> Callable[..., Any]:
    """Load a function of a module.

    :param source: an importable module, or a file ``NAME.py``; either may be beside the pipeline
    :param name: the function's name there
    :param folder: the pipeline's folder
    :raises PipelineError: there is no such module or function
    """
    try:
        with modules_beside(folder):
            module = _load(folder / Path(source).expanduser()) if _is_file(source) else importlib.import_module(source)
        function = getattr(module, name)
    except (ImportError, AttributeError, OSError, SyntaxError) as error:
        raise PipelineError(_not_found(f"{source}:{name}", error, folder)) from error
    if not callable(function):
        raise PipelineError(f"'{source}:{name}' is not a function.")
    if isinstance(function, type):
        raise PipelineError(
            f"'{source}:{name}' is a class, not a function. Create an object in the module, as in 'my_{name.lower()} = "
            f"{name}(...)', and give the name of the object."
        )
    return function  # type: ignore[no-any-return]


def find_module(source: str, folder: Path) -> Path | None:
    """Return the file of the module that :func:`load_function` would use; None if it has no file of its own.

    :raises PipelineError: there is no such module
    """
    if _is_file(source):
        return folder / Path(source).expanduser()
    try:
        with modules_beside(folder):
            spec = importlib.util.find_spec(source)
    except (ImportError, ValueError) as error:
        raise PipelineError(_not_found(source, error, folder)) from error
    if spec is None:
        raise PipelineError(_not_found(source, f"No module named {source!r}", folder))
    return Path(spec.origin) if spec.has_location and spec.origin else None


def _is_file(source: str) -> bool:
    return source.endswith(".py")


def _not_found(what: str, why: object, folder: Path) -> str:
    return f"cannot import {what!r} ({why}). It is searched for beside the pipeline, in {folder}, and in PYTHONPATH."


def _load(path: Path) -> ModuleType:
    path = path.absolute()
    spec = importlib.util.spec_from_file_location(path.stem, path)
    if spec is None or spec.loader is None:
        raise ImportError(f"{path} is not a Python file")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def error_in_words(error: BaseException) -> str:
    """Return what a user's function raised and where, without the caller's own frame."""
    frames = traceback.extract_tb(error.__traceback__)[1:]
    where = "".join(f"\n  {frame.filename}, line {frame.lineno}: {frame.line}" for frame in frames[-3:])
    return f"raised {type(error).__name__}: {error}{where}"
