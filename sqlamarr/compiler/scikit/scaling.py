"""Transformers that change the scale of each column, and their inverses."""

from __future__ import annotations

from typing import Any

import numpy as np

from sqlamarr.compiler.ir import FLOAT64, Value
from sqlamarr.compiler.scikit.registry import ScikitTranslation, refuse, translates
from sqlamarr.compiler.special import normal_quantile

BOUND = 1e-7  # BOUNDS_THRESHOLD of sklearn.preprocessing: probabilities nearer to 0 and 1 are the ends


@translates("transform", "MinMaxScaler")
def _min_max(t: ScikitTranslation, scaler: Any, x: Value) -> Value:
    scaled = t.graph.affine(x, scaler.scale_, scaler.min_)
    return t.graph.clip(scaled, *scaler.feature_range) if scaler.clip else scaled


@translates("inverse_transform", "MinMaxScaler")
def _min_max_inverse(t: ScikitTranslation, scaler: Any, x: Value) -> Value:
    return t.graph.binary("div", t.graph.binary("sub", x, scaler.min_), scaler.scale_)


def _centre_and_scale(t: ScikitTranslation, x: Value, centre: Any, scale: Any) -> Value:
    if centre is not None:
        x = t.graph.binary("sub", x, centre)
    return x if scale is None else t.graph.binary("div", x, scale)


def _scale_and_centre(t: ScikitTranslation, x: Value, centre: Any, scale: Any) -> Value:
    if scale is not None:
        x = t.graph.binary("mul", x, scale)
    return x if centre is None else t.graph.binary("add", x, centre)


@translates("transform", "StandardScaler")
def _standard(t: ScikitTranslation, scaler: Any, x: Value) -> Value:
    return _centre_and_scale(t, x, scaler.mean_ if scaler.with_mean else None, scaler.scale_)


@translates("inverse_transform", "StandardScaler")
def _standard_inverse(t: ScikitTranslation, scaler: Any, x: Value) -> Value:
    return _scale_and_centre(t, x, scaler.mean_ if scaler.with_mean else None, scaler.scale_)


@translates("transform", "RobustScaler")
def _robust(t: ScikitTranslation, scaler: Any, x: Value) -> Value:
    return _centre_and_scale(t, x, scaler.center_, scaler.scale_)


@translates("inverse_transform", "RobustScaler")
def _robust_inverse(t: ScikitTranslation, scaler: Any, x: Value) -> Value:
    return _scale_and_centre(t, x, scaler.center_, scaler.scale_)


@translates("transform", "MaxAbsScaler")
def _max_abs(t: ScikitTranslation, scaler: Any, x: Value) -> Value:
    if getattr(scaler, "clip", False):
        return t.graph.clip(_centre_and_scale(t, x, None, scaler.scale_), -1.0, 1.0)
    return _centre_and_scale(t, x, None, scaler.scale_)


@translates("inverse_transform", "MaxAbsScaler")
def _max_abs_inverse(t: ScikitTranslation, scaler: Any, x: Value) -> Value:
    return _scale_and_centre(t, x, None, scaler.scale_)


# ---- quantiles ---------------------------------------------------------------------------------------


def _quantile_tables(scaler: Any) -> tuple[list[Any], list[Any]]:
    quantiles = np.asarray(scaler.quantiles_, np.float64)
    return list(quantiles.T), [np.asarray(scaler.references_, np.float64)] * quantiles.shape[1]


@translates("transform", "QuantileTransformer")
def _quantile(t: ScikitTranslation, scaler: Any, x: Value) -> Value:
    """The mean of an interpolation from below and one from above, which differ where quantiles are repeated."""
    g = t.graph
    quantiles, references = _quantile_tables(scaler)
    below = g.interpolate(x, quantiles, references)
    above = g.interpolate(g.unary("neg", x), [-q[::-1] for q in quantiles], [-r[::-1] for r in references])
    y = g.binary("mul", g.binary("sub", below, above), 0.5)
    first, last = np.array([q[0] for q in quantiles]), np.array([q[-1] for q in quantiles])
    normal = scaler.output_distribution == "normal"
    is_last = g.binary("gt", g.binary("add", x, BOUND), last) if normal else g.binary("eq", x, last)
    is_first = g.binary("lt", g.binary("sub", x, BOUND), first) if normal else g.binary("eq", x, first)
    y = g.where(is_last, g.constant(1.0, FLOAT64), y)
    y = g.where(is_first, g.constant(0.0, FLOAT64), y)
    if not normal:
        return y
    end = BOUND - np.spacing(1)
    return g.clip(g.unary("normal_quantile", y), normal_quantile(np.float64(end)), normal_quantile(np.float64(1 - end)))


@translates("inverse_transform", "QuantileTransformer")
def _quantile_inverse(t: ScikitTranslation, scaler: Any, x: Value) -> Value:
    g = t.graph
    quantiles, references = _quantile_tables(scaler)
    normal = scaler.output_distribution == "normal"
    p = g.unary("normal_cdf", x) if normal else x
    y = g.interpolate(p, references, quantiles)
    if not normal:
        return y
    first, last = (g.constant([q[end] for q in quantiles], FLOAT64) for end in (0, -1))
    y = g.where(g.binary("gt", g.binary("add", p, BOUND), 1.0), last, y)
    return g.where(g.binary("lt", g.binary("sub", p, BOUND), 0.0), first, y)


# ---- powers ------------------------------------------------------------------------------------------


def _by_column(t: ScikitTranslation, x: Value, lambdas: Any, one: Any) -> Value:
    """``one(column, lambda)`` for each column."""
    return t.graph.concat([one(t, t.graph.select(x, [i]), float(power)) for i, power in enumerate(lambdas)])


def _power(t: ScikitTranslation, x: Value, power: float) -> Value:
    """(x^power - 1) / power, the logarithm for power 0."""
    g = t.graph
    if abs(power) < np.spacing(1.0):
        return g.unary("log", x)
    return g.binary("div", g.binary("sub", g.binary("pow", x, power), 1.0), power)


def _power_inverse(t: ScikitTranslation, x: Value, power: float) -> Value:
    g = t.graph
    if abs(power) < np.spacing(1.0):
        return g.unary("exp", x)
    return g.binary("pow", g.affine(x, power, 1.0), 1.0 / power)


def _yeo_johnson(t: ScikitTranslation, x: Value, power: float) -> Value:
    g = t.graph
    size = g.binary("add", g.unary("abs", x), 1.0)
    positive, negative = _power(t, size, power), g.unary("neg", _power(t, size, 2.0 - power))
    return g.where(g.binary("lt", x, 0.0), negative, positive)


def _yeo_johnson_inverse(t: ScikitTranslation, x: Value, power: float) -> Value:
    g = t.graph
    size = g.unary("abs", x)
    positive = g.binary("sub", _power_inverse(t, size, power), 1.0)
    negative = g.unary("neg", g.binary("sub", _power_inverse(t, size, 2.0 - power), 1.0))
    return g.where(g.binary("lt", x, 0.0), negative, positive)


def _power_kind(transformer: Any, yeo_johnson: Any, box_cox: Any) -> Any:
    kinds = {"yeo-johnson": yeo_johnson, "box-cox": box_cox}
    if transformer.method not in kinds:
        refuse(transformer, f"method={transformer.method!r}", f"Use one of {', '.join(kinds)}.")
    return kinds[transformer.method]


@translates("transform", "PowerTransformer")
def _power_transform(t: ScikitTranslation, transformer: Any, x: Value) -> Value:
    kind = _power_kind(transformer, _yeo_johnson, _power)
    y = _by_column(t, x, transformer.lambdas_, kind)
    return t.apply(transformer._scaler, y, "transform") if transformer.standardize else y


@translates("inverse_transform", "PowerTransformer")
def _power_inverse_transform(t: ScikitTranslation, transformer: Any, x: Value) -> Value:
    if transformer.standardize:
        x = t.apply(transformer._scaler, x, "inverse_transform")
    kind = _power_kind(transformer, _yeo_johnson_inverse, _power_inverse)
    return _by_column(t, x, transformer.lambdas_, kind)


# ---- rotations ------------------------------------------------------------------------------------------


@translates("transform", "PCA")
def _pca(t: ScikitTranslation, pca: Any, x: Value) -> Value:
    y = t.graph.dense(t.graph.binary("sub", x, pca.mean_), pca.components_.T)
    return t.graph.binary("div", y, np.sqrt(pca.explained_variance_)) if pca.whiten else y


@translates("inverse_transform", "PCA")
def _pca_inverse(t: ScikitTranslation, pca: Any, x: Value) -> Value:
    if pca.whiten:
        x = t.graph.binary("mul", x, np.sqrt(pca.explained_variance_))
    return t.graph.dense(x, pca.components_, pca.mean_)
