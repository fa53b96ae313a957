"""The number of columns of an estimator, and its training range."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sqlamarr.compiler.scikit.columns import parts
from sqlamarr.errors import CompilerError

# Inverses of increasing functions that scale inputs, for transformers without an inverse.
INVERSES: dict[str, Callable[[Any], Any]] = {
    "log": np.exp, "log2": np.exp2, "log10": lambda y: 10.0**y, "log1p": np.expm1, "exp": np.log, "expm1": np.log1p,
    "sqrt": np.square, "cbrt": lambda y: y**3, "arcsinh": np.sinh, "sinh": np.arcsinh,
}  # fmt: skip
Range = NDArray[np.float64]  # (2, columns): lower and upper ends; NaN where unknown


def input_width(estimator: Any) -> int:
    """Return the number of columns that an estimator takes.

    :raises CompilerError: it is not fitted, so the number is unknown
    """
    width = getattr(estimator, "n_features_in_", None)
    if width is None:
        raise CompilerError(f"{type(estimator).__name__} is not fitted, so its number of inputs is unknown.")
    return int(width)


def output_width(estimator: Any) -> int:
    """Return the number of columns that a transformer makes, which its inverse takes."""
    kind = type(estimator).__name__
    if kind == "Pipeline":
        steps = [s for _, s in estimator.steps if s is not None and s != "passthrough"]
        return output_width(steps[-1]) if steps else input_width(estimator)
    if kind == "PCA":
        return int(estimator.n_components_)
    return input_width(estimator)


def known_range(estimator: Any, width: int) -> Range:
    """Return the range of the data that it was fitted on, where the estimator keeps it."""
    kind, nothing = type(estimator).__name__, np.full((2, width), np.nan)
    if kind == "MinMaxScaler":
        return np.array([estimator.data_min_, estimator.data_max_], np.float64)
    if kind == "QuantileTransformer":
        return np.array([estimator.quantiles_[0], estimator.quantiles_[-1]], np.float64)
    return _of_parts(known_range, estimator, width, nothing)


def guessed(estimator: Any, width: int) -> Range:
    """Guess the range of its inputs: three standard deviations, or the range of the cuts of trees."""
    kind, nothing = type(estimator).__name__, np.full((2, width), np.nan)
    if kind == "StandardScaler" and estimator.scale_ is not None:
        mean = estimator.mean_ if estimator.mean_ is not None else 0.0
        return np.array([mean - 3 * estimator.scale_, mean + 3 * estimator.scale_], np.float64)
    if kind == "PowerTransformer":
        return _behind_powers(estimator, width)
    if kind in ("MinMaxScaler", "QuantileTransformer"):
        return known_range(estimator, width)
    cuts = _cuts(estimator)
    return _of_parts(guessed, estimator, width, nothing) if cuts is None else _around(cuts, width)


def _behind_powers(transformer: Any, width: int) -> Range:
    """Return the range of inputs that becomes -3 to 3, where there is one."""
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        values = transformer.inverse_transform(np.linspace([-3.0] * width, [3.0] * width, 25))
    possible = np.isfinite(values) & ((values > 0) | (transformer.method != "box-cox"))
    ends = np.array([
        np.min(values, axis=0, initial=np.inf, where=possible), np.max(values, axis=0, initial=-np.inf, where=possible)
    ])  # fmt: skip
    return np.where(np.isfinite(ends).all(axis=0), ends, np.nan)


def _of_parts(function: Callable[[Any, int], Range], estimator: Any, width: int, nothing: Range) -> Range:
    """Combine the ranges of the parts of a pipeline or of a ColumnTransformer."""
    kind = type(estimator).__name__
    if kind == "Pipeline":
        return _of_pipeline(function, estimator, width, nothing)
    if kind == "ColumnTransformer":
        found: Range = nothing.copy()
        for part, columns in parts(estimator):
            if not isinstance(part, str):
                one = function(part, len(columns))
                found[:, columns] = np.where(np.isnan(found[:, columns]), one, found[:, columns])
        return found
    return nothing


def _of_pipeline(function: Callable[[Any, int], Range], pipeline: Any, width: int, nothing: Range) -> Range:
    """Return the range of the first step; for a function, the range of the next step, inverted."""
    steps = [s for _, s in pipeline.steps if s is not None and s != "passthrough"]
    if not steps:
        return nothing
    found = function(steps[0], width)
    if np.isnan(found).all() and type(steps[0]).__name__ == "FunctionTransformer" and len(steps) > 1:
        behind = function(steps[1], width)
        return _before(steps[0], behind)
    return found


def _before(transformer: Any, behind: Range) -> Range:
    """Return the range that a FunctionTransformer maps to this one; unknown if its function has no inverse."""
    if transformer.func is None:
        return behind
    inverse = transformer.inverse_func or INVERSES.get(getattr(transformer.func, "__name__", ""))
    if inverse is None:
        return np.full_like(behind, np.nan)
    with np.errstate(all="ignore"):
        ends: Range = np.sort(np.asarray(inverse(behind), np.float64), axis=0)
    return ends


def _cuts(estimator: Any) -> list[tuple[NDArray[Any], NDArray[Any]]] | None:
    """Return (columns, thresholds) of every tree, if it is made of trees."""
    if hasattr(estimator, "_predictors"):
        nodes = [p.nodes[p.nodes["is_leaf"] == 0] for stage in estimator._predictors for p in stage]
        return [(n["feature_idx"], n["num_threshold"]) for n in nodes]
    members = getattr(estimator, "estimators_", [estimator])
    members = members.ravel().tolist() if isinstance(members, np.ndarray) else members
    trees = [m.tree_ for m in members if hasattr(m, "tree_")]
    return [(t.feature[t.feature >= 0], t.threshold[t.feature >= 0]) for t in trees] or None


def _around(cuts: list[tuple[NDArray[Any], NDArray[Any]]], width: int) -> Range:
    """Return slightly more than the range of the cuts in each column."""
    columns = np.concatenate([c for c, _ in cuts]).astype(int)
    thresholds = np.concatenate([t for _, t in cuts]).astype(np.float64)
    columns, thresholds = columns[np.isfinite(thresholds)], thresholds[np.isfinite(thresholds)]
    low, high = np.full(width, np.inf), np.full(width, -np.inf)
    np.minimum.at(low, columns, thresholds)
    np.maximum.at(high, columns, thresholds)
    seen = low <= high
    low, high = np.where(seen, low, np.nan), np.where(seen, high, np.nan)
    margin = 0.1 * (high - low) + 0.1 * np.abs(high) + 1e-3
    return np.array([low - margin, high + margin])
