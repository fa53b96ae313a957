"""Special functions of arrays, from Python's own library: exact enough for a reference, and not fast."""

from __future__ import annotations

import math
from statistics import NormalDist
from typing import Any

import numpy as np
from numpy.typing import NDArray


def _each(function: Any) -> Any:
    def of_array(x: NDArray[Any]) -> NDArray[np.float64]:
        values = [function(v) for v in np.asarray(x, np.float64).ravel().tolist()]
        return np.array(values, np.float64).reshape(np.shape(x))

    return of_array


def _quantile(p: float) -> float:
    if 0.0 < p < 1.0:
        return NormalDist().inv_cdf(p)
    return -math.inf if p == 0.0 else math.inf if p == 1.0 else math.nan


erf = _each(math.erf)
normal_cdf = _each(lambda x: 0.5 * math.erfc(-x / math.sqrt(2.0)))
normal_quantile = _each(_quantile)
