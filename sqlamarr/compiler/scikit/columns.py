"""Estimators that combine others, and functions of columns."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from sqlamarr.compiler.ir import Value
from sqlamarr.compiler.scikit.registry import ScikitTranslation, refuse, translates
from sqlamarr.errors import CompilerError

# numpy's and scipy's functions of one argument, and what they are here
UFUNCS = {
    name: name
    for name in (
        "sign", "reciprocal", "square", "sqrt", "cbrt", "exp", "expm1", "log", "log1p", "log2", "log10", "sin", "cos",
        "tan", "sinh", "cosh", "tanh", "arctan", "arcsinh", "floor", "ceil", "rint", "erf",
    )
} | {"absolute": "abs", "fabs": "abs", "negative": "neg", "expit": "sigmoid", "ndtr": "normal_cdf",
     "ndtri": "normal_quantile"}  # fmt: skip
UFUNC_MODULES = ("numpy", "scipy")


# ---- pipelines --------------------------------------------------------------------------------------------


def _steps(pipeline: Any) -> list[Any]:
    """The estimators of a pipeline that do something."""
    return [step for _, step in pipeline.steps if step is not None and step != "passthrough"]


@translates("transform", "Pipeline")
def _pipeline(t: ScikitTranslation, pipeline: Any, x: Value) -> Value:
    for step in _steps(pipeline):
        x = t.apply(step, x, "transform")
    return x


@translates("inverse_transform", "Pipeline")
def _pipeline_inverse(t: ScikitTranslation, pipeline: Any, x: Value) -> Value:
    for step in reversed(_steps(pipeline)):
        x = t.apply(step, x, "inverse_transform")
    return x


def _pipeline_end(method: str) -> None:
    @translates(method, "Pipeline")
    def translate(t: ScikitTranslation, pipeline: Any, x: Value) -> Value:
        *before, last = pipeline.steps
        for _, step in before:
            if step is not None and step != "passthrough":
                x = t.apply(step, x, "transform")
        return t.apply(last[1], x, method)


for _method in ("predict_proba", "predict", "decision_function"):
    _pipeline_end(_method)


@translates("transform", "FeatureUnion")
def _union(t: ScikitTranslation, union: Any, x: Value) -> Value:
    if union.transformer_weights:
        refuse(union, "transformer_weights", "Put a FunctionTransformer or a scaler after the transformers.")
    parts = [
        x if step == "passthrough" else t.apply(step, x, "transform")
        for _, step in union.transformer_list
        if step != "drop"
    ]
    return t.graph.concat(parts)


# ---- columns ---------------------------------------------------------------------------------------------


def column_indices(transformer: Any, columns: Any) -> list[int]:
    """Numbers of the columns that a ColumnTransformer gives to one of its parts."""
    n = transformer.n_features_in_
    if isinstance(columns, slice) and not isinstance(columns.start, str) and not isinstance(columns.stop, str):
        return list(range(n))[columns]
    names = [str(name) for name in getattr(transformer, "feature_names_in_", [])]
    if isinstance(columns, slice):  # a slice of names includes the last one
        start = 0 if columns.start is None else names.index(columns.start)
        return list(range(start, n if columns.stop is None else names.index(columns.stop) + 1, columns.step or 1))
    if callable(columns):
        refuse(transformer, "a function that selects columns", "Give the columns' names or numbers.")
    listed = np.atleast_1d(np.asarray(columns, dtype=object)).tolist()
    if listed and all(isinstance(c, bool | np.bool_) for c in listed):
        return [i for i, keep in enumerate(listed) if keep]
    return [names.index(c) if isinstance(c, str) else int(c) % n for c in listed]


def parts(transformer: Any) -> Iterator[tuple[Any, list[int]]]:
    """The fitted parts of a ColumnTransformer and the columns that each gets, in the order of the outputs."""
    for _, part, columns in transformer.transformers_:
        if isinstance(part, str) and part == "drop":
            continue
        if indices := column_indices(transformer, columns):
            yield part, indices


def _passes(part: Any) -> bool:
    """Whether a part leaves its columns alone: scikit-learn writes "passthrough" as a FunctionTransformer."""
    return isinstance(part, str) or (type(part).__name__ == "FunctionTransformer" and part.func is None)


@translates("transform", "ColumnTransformer")
def _columns(t: ScikitTranslation, transformer: Any, x: Value) -> Value:
    weights = transformer.transformer_weights
    if weights:
        refuse(transformer, "transformer_weights", "Put a scaler after the transformers instead.")
    values = []
    for part, indices in parts(transformer):
        chosen = t.graph.select(x, indices)
        values.append(chosen if _passes(part) else t.apply(part, chosen, "transform"))
    if not values:
        raise CompilerError("The ColumnTransformer drops every column.")
    return t.graph.concat(values)


# ---- functions ----------------------------------------------------------------------------------------------


def _function(t: ScikitTranslation, transformer: Any, function: Any, options: Any, x: Value) -> Value:
    if function is None:
        return x
    name = getattr(function, "__name__", repr(function))
    module = str(getattr(function, "__module__", None) or type(function).__module__).split(".")[0]
    if not isinstance(function, np.ufunc) or name not in UFUNCS or module not in UFUNC_MODULES:
        refuse(
            transformer, f"the function {name!r}",
            f"Use one of numpy's (or scipy.special's) functions of one argument: {', '.join(sorted(UFUNCS))}.",
        )  # fmt: skip
    if options:
        refuse(transformer, f"keyword arguments ({', '.join(options)})", "Use a function without them.")
    return t.graph.unary(UFUNCS[name], x)


@translates("transform", "FunctionTransformer")
def _function_transform(t: ScikitTranslation, transformer: Any, x: Value) -> Value:
    return _function(t, transformer, transformer.func, transformer.kw_args, x)


@translates("inverse_transform", "FunctionTransformer")
def _function_inverse(t: ScikitTranslation, transformer: Any, x: Value) -> Value:
    return _function(t, transformer, transformer.inverse_func, transformer.inv_kw_args, x)


@translates("predict", "TransformedTargetRegressor")
def _transformed_target(t: ScikitTranslation, regressor: Any, x: Value) -> Value:
    return t.apply(regressor.transformer_, t.apply(regressor.regressor_, x, "predict"), "inverse_transform")
