"""Checks of Python arguments: one of a wrong type is named before anything is done."""

from __future__ import annotations

import operator
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from sqlamarr.errors import SqlamarrError


def whole(name: str, value: Any) -> int:
    """Check for an integer: of Python or numpy, or a float without a fraction such as 1e6.

    :raises SqlamarrError: it is not an integer
    """
    if isinstance(value, (float, np.floating)) and float(value).is_integer():
        return int(value)
    if not isinstance(value, (bool, np.bool_)):
        try:
            return operator.index(value)
        except TypeError:
            pass
    raise unexpected(name, "an integer", value)


def real(name: str, value: Any) -> float:
    """Check for a number.

    :raises SqlamarrError: it is not a number
    """
    if isinstance(value, (int, float, np.integer, np.floating)) and not isinstance(value, bool):
        return float(value)
    raise unexpected(name, "a number", value)


def path_like(name: str, value: Any, expected: str = "a path") -> Path:
    """Check for the path of a file or folder.

    :param expected: what to expect, for the message
    :raises SqlamarrError: it is not a path
    """
    if isinstance(value, (str, os.PathLike)):
        return Path(value)
    raise unexpected(name, expected, value)


def mapping(name: str, value: Any, example: str) -> dict[str, Any]:
    """Check for a dict with strings as keys, and convert numpy values to Python's own types.

    :param example: an example, for the message
    :raises SqlamarrError: it is not such a dict
    """
    if isinstance(value, Mapping) and all(isinstance(key, str) for key in value):
        return {key: entry.item() if isinstance(entry, np.generic) else entry for key, entry in value.items()}
    raise unexpected(name, f"a dict such as {example}", value)


def unexpected(name: str, expected: str, value: Any, kind: type[SqlamarrError] = SqlamarrError) -> SqlamarrError:
    """Make the error about an argument, to be raised by the caller.

    :param expected: what the argument can be, for the message
    :param kind: the class of the exception
    """
    return kind(f"{name} must be {expected}, found {_short(value)} (of type {type(value).__name__}).")


def _short(value: Any) -> str:
    text = " ".join(repr(value).split())
    return text if len(text) <= 60 else f"{text[:57]}..."
