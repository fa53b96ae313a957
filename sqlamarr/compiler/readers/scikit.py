"""``scikit``: fitted estimators in pickles."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from sqlamarr.compiler.function import ModelSource
from sqlamarr.compiler.reader import Reader


class Scikit(Reader):
    """A pickled estimator of scikit-learn, or of a compatible package. Loading it runs code from the file."""

    SUFFIXES = (".pkl", ".pickle", ".joblib")

    def read(self, path: Path, method: str | None, dtype: np.dtype[Any], noise: int | str | None) -> ModelSource:
        """A function from a file; estimators take no random numbers."""
        from sqlamarr.compiler.scikit import read_file

        return read_file(path, method, dtype)


reader = Scikit()
