"""``onnx``: graphs of ONNX files."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from sqlamarr.compiler.function import ModelSource
from sqlamarr.compiler.reader import Reader


class Onnx(Reader):
    """The graph of an ONNX file."""

    SUFFIXES = (".onnx",)

    def read(self, path: Path, method: str | None, dtype: np.dtype[Any], noise: int | str | None) -> ModelSource:
        """A function from a file."""
        from sqlamarr.compiler.onnx_graph import read_file

        return read_file(path, method, dtype, noise=noise)


reader = Onnx()
