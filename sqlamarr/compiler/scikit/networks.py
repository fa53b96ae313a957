"""Multi-layer perceptrons: layers in the type that was chosen for weights."""

from __future__ import annotations

from typing import Any

from sqlamarr.compiler.ir import FLOAT64, Value
from sqlamarr.compiler.scikit.linear import both_classes, class_of
from sqlamarr.compiler.scikit.registry import ScikitTranslation, refuse, translates

ACTIVATIONS = {"identity": None, "logistic": "sigmoid", "tanh": "tanh", "relu": "relu", "exp": "exp"}


def _activated(t: ScikitTranslation, network: Any, name: str, x: Value) -> Value:
    if name == "softmax":
        return t.graph.softmax(x)
    if name not in ACTIVATIONS:
        refuse(network, f"the activation {name!r}", f"Use one of {', '.join(ACTIVATIONS)}.")
    operation = ACTIVATIONS[name]
    return x if operation is None else t.graph.unary(operation, x)


def _scores(t: ScikitTranslation, network: Any, x: Value) -> Value:
    """The last layer before its activation."""
    x = t.graph.cast(x, t.weights)
    last = len(network.coefs_) - 1
    for number, (weights, bias) in enumerate(zip(network.coefs_, network.intercepts_)):
        x = t.graph.dense(x, weights, bias)
        if number < last:
            x = _activated(t, network, network.activation, x)
    return t.graph.cast(x, FLOAT64)


@translates("predict", "MLPRegressor")
def _regressor(t: ScikitTranslation, network: Any, x: Value) -> Value:
    return _activated(t, network, network.out_activation_, _scores(t, network, x))


@translates("predict_proba", "MLPClassifier")
def _probabilities(t: ScikitTranslation, network: Any, x: Value) -> Value:
    p = _activated(t, network, network.out_activation_, _scores(t, network, x))
    return both_classes(t, p) if p.width == 1 else p


@translates("predict", "MLPClassifier")
def _predict(t: ScikitTranslation, network: Any, x: Value) -> Value:
    if network.out_activation_ == "logistic" and network.n_outputs_ > 1:
        refuse(network, "predict of several labels", "Use predict_proba.")
    return class_of(t, network, _scores(t, network, x))
