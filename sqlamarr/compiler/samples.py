"""Files of real inputs for verification."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sqlamarr.errors import CompilerError


def read_sample(file: str) -> NDArray[Any]:
    """Read rows of inputs from a .npy file, or from a .csv file with or without a line of names.

    :raises CompilerError: the file has another suffix, or is not readable
    """
    path = Path(file)
    try:
        if path.suffix == ".npy":
            return np.asarray(np.load(path, allow_pickle=False), np.float64)
        if path.suffix == ".csv":
            with path.open() as lines:
                first = lines.readline()
            return np.loadtxt(path, delimiter=",", skiprows=int(_has_names(first)), ndmin=2)
    except (OSError, ValueError) as error:
        raise CompilerError(f"The sample {path} cannot be read: {error}.") from error
    raise CompilerError(f"The sample {path} must be a .npy or a .csv file.")


def _has_names(line: str) -> bool:
    try:
        [float(word) for word in line.split(",")]
    except ValueError:
        return True
    return False
