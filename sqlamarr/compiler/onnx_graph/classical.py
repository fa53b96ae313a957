"""Operators of the domain ai.onnx.ml other than trees: scaling, linear models, probabilities."""

from __future__ import annotations

from typing import Any

import numpy as np

from sqlamarr.compiler.ir import Graph, Value
from sqlamarr.compiler.onnx_graph.tensors import Array, Node, Tensor, operator

INT64 = np.dtype(np.int64)
FLOAT = np.dtype(np.float32)


def floats(values: Any) -> Array:
    """Numbers of an attribute as an array."""
    return np.asarray([] if values is None else values, dtype=np.float32)


@operator("Scaler")
def scaler(node: Node, x: Tensor) -> Tensor:
    """(x - offset) * scale."""
    value = node.graph.cast(x.value, node.real)
    shifted = node.graph.binary("sub", value, floats(node.get("offset")))
    return node.tensor(node.graph.binary("mul", shifted, floats(node.get("scale"))), x.shape, FLOAT)


@operator("Normalizer")
def normalizer(node: Node, x: Tensor) -> Tensor:
    """A row divided by its norm; a row of zeros stays."""
    graph, value = node.graph, node.graph.cast(x.value, node.real)
    norm = node.get("norm", b"MAX")
    if norm == b"MAX":
        size = graph.reduce("max", value)
    elif norm == b"L1":
        size = graph.reduce("sum", graph.unary("abs", value))
    else:
        size = graph.unary("sqrt", graph.reduce("sum", graph.unary("square", value)))
    one = graph.constant(1, node.real)
    divisor = graph.where(graph.binary("ne", size, 0), size, one)
    return node.tensor(graph.binary("div", value, divisor), x.shape, FLOAT)


@operator("Imputer")
def imputer(node: Node, x: Tensor) -> Tensor:
    """Replace missing numbers by other values."""
    graph = node.graph
    missing = node.get("replaced_value_float", float("nan"))
    values = graph.constant(floats(node.get("imputed_value_floats")), x.value.dtype)
    is_missing = graph.unary("isnan", x.value) if np.isnan(missing) else graph.binary("eq", x.value, missing)
    return node.tensor(graph.where(is_missing, values, x.value), x.shape, x.kind)


@operator("Binarizer")
def binarizer(node: Node, x: Tensor) -> Tensor:
    """1 above a threshold, else 0."""
    return node.tensor(node.graph.binary("gt", x.value, node.get("threshold", 0.0)), x.shape, x.kind)


@operator("FeatureVectorizer")
def feature_vectorizer(node: Node, *parts: Tensor) -> Tensor:
    """Concatenate columns."""
    joined = node.graph.concat([node.graph.cast(part.value, node.real) for part in parts])
    return Tensor(joined, (joined.width,), FLOAT)


@operator("ZipMap")
def zip_map(node: Node, x: Tensor) -> Tensor:
    """The probabilities that the map would hold, in the order of the classes."""
    return x


@operator("LinearRegressor")
def linear_regressor(node: Node, x: Tensor) -> Tensor:
    """Linear in the features."""
    targets = node.get("targets", 1)
    weights = floats(node.get("coefficients")).reshape(targets, -1).T
    bias = floats(node.get("intercepts")) if node.get("intercepts") else None
    value = node.graph.dense(node.graph.cast(x.value, node.real), weights, bias)
    return node.tensor(post_transform(node, value), (targets,), FLOAT)


@operator("LinearClassifier")
def linear_classifier(node: Node, x: Tensor) -> tuple[Tensor | None, Tensor]:
    """Compute scores linear in the features, and the outputs that follow from them."""
    graph, bias = node.graph, floats(node.get("intercepts"))
    weights = floats(node.get("coefficients"))
    classes = len(bias) or len(weights) // x.value.width
    scores = graph.dense(graph.cast(x.value, node.real), weights.reshape(classes, -1).T, bias if len(bias) else None)
    if classes == 1:  # the other class is the rest
        probability = post_transform(node, scores) if node.get("post_transform") == b"LOGISTIC" else scores
        one = graph.constant(1, node.real)
        both = graph.concat([graph.binary("sub", one, probability), probability])
        return label(node, both), node.tensor(both, (2,), FLOAT)
    return label(node, scores), node.tensor(post_transform(node, scores), (classes,), FLOAT)


def label(node: Node, scores: Value) -> Tensor | None:
    """The class with the highest score as its number; None if the classes have names."""
    labels = node.get("classlabels_int64s") or node.get("classlabels_ints")
    if not labels:
        return None
    index = node.graph.reduce("argmax", scores)
    result = node.graph.constant(labels[0], index.dtype)
    for number, name in enumerate(labels[1:], start=1):
        chosen = node.graph.binary("eq", index, number)
        result = node.graph.where(chosen, node.graph.constant(name, index.dtype), result)
    return node.tensor(result, (), INT64)


def post_transform(node: Node, scores: Value) -> Value:
    """Turn scores into the outputs of classifiers."""
    graph: Graph = node.graph
    kind = node.get("post_transform", b"NONE").decode()
    if kind == "LOGISTIC":
        return graph.unary("sigmoid", scores)
    if kind == "SOFTMAX":
        return graph.softmax(scores)
    if kind == "PROBIT":
        return graph.unary("normal_quantile", scores)
    if kind == "SOFTMAX_ZERO":
        powers = graph.unary("exp", graph.binary("sub", scores, graph.reduce("max", scores)))
        zero = graph.binary("mul", scores, 0)
        kept = graph.where(graph.binary("ne", scores, 0), powers, zero)
        return graph.binary("div", kept, graph.reduce("sum", kept))
    return scores
