"""What every operation of a graph means, in numpy."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sqlamarr.compiler.special import erf, normal_cdf, normal_quantile

Array = NDArray[Any]


def apply(op: str, parameters: Mapping[str, Any], width: int, dtype: np.dtype[Any], args: list[Array]) -> Array:
    """One operation; arrays of (rows, width), constants of (1, width)."""
    with np.errstate(all="ignore"):
        if op.startswith("reduce_"):
            return _reduce(op, parameters["length"], width, args[0]).astype(dtype)
        result = FUNCTIONS[op](parameters, *args)
        return np.asarray(result).astype(dtype, copy=False)


def _sigmoid(x: Array) -> Array:
    e = np.exp(-np.abs(x))
    result: Array = np.where(x >= 0, 1, e) / (1 + e)
    return result


def _reduce(op: str, length: int, width: int, x: Array) -> Array:
    groups = x.reshape(len(x), width, length)
    result: Array = getattr(np, op.removeprefix("reduce_"))(groups, axis=2)
    return result


def _interpolate(parameters: Mapping[str, Any], x: Array) -> Array:
    return np.stack([np.interp(x[:, i], p, v) for i, (p, v) in enumerate(parameters["tables"])], axis=1)


def _concat(_: Mapping[str, Any], *args: Array) -> Array:
    rows = max(len(a) for a in args)
    return np.concatenate([np.broadcast_to(a, (rows, a.shape[1])) for a in args], axis=1)


def _plain(function: Callable[..., Any]) -> Callable[..., Any]:
    return lambda _, *args: function(*args)


_SAME_NAME = (
    "abs", "sign", "reciprocal", "square", "sqrt", "cbrt", "exp", "expm1", "log", "log1p", "log2", "log10", "sin",
    "cos", "tan", "sinh", "cosh", "tanh", "arctan", "arcsinh", "floor", "ceil", "rint", "isnan",
)  # fmt: skip

FUNCTIONS: dict[str, Callable[..., Any]] = {
    **{name: _plain(getattr(np, name)) for name in _SAME_NAME},
    "constant": lambda p: p["values"][None, :],
    "cast": lambda _, x: x,
    "neg": _plain(np.negative),
    "erf": _plain(erf),
    "sigmoid": _plain(_sigmoid),
    "softplus": lambda _, x: np.maximum(x, 0) + np.log1p(np.exp(-np.abs(x))),
    "relu": lambda _, x: np.maximum(x, 0),
    "not": lambda _, x: x == 0,
    "normal_cdf": _plain(normal_cdf),
    "normal_quantile": _plain(normal_quantile),
    "leaky_relu": lambda p, x: np.where(x >= 0, x, x * x.dtype.type(p["alpha"])),
    "elu": lambda p, x: np.where(x >= 0, x, np.expm1(x) * x.dtype.type(p["alpha"])),
    "add": _plain(np.add),
    "sub": _plain(np.subtract),
    "mul": _plain(np.multiply),
    "div": _plain(np.divide),
    "min": _plain(np.minimum),
    "max": _plain(np.maximum),
    "pow": _plain(np.power),
    "lt": _plain(np.less),
    "le": _plain(np.less_equal),
    "gt": _plain(np.greater),
    "ge": _plain(np.greater_equal),
    "eq": _plain(np.equal),
    "ne": _plain(np.not_equal),
    "and": lambda _, a, b: (a != 0) & (b != 0),
    "or": lambda _, a, b: (a != 0) | (b != 0),
    "xor": lambda _, a, b: (a != 0) ^ (b != 0),
    "where": lambda _, c, a, b: np.where(c != 0, a, b),
    "select": lambda p, x: x[:, list(p["columns"])],
    "concat": _concat,
    "dense": lambda p, x: x @ p["weights"] + p["bias"],
    "interpolate": _interpolate,
    "trees": lambda p, x: p["ensemble"].evaluate(x),
}
