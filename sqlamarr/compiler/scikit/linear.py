"""Linear models, in double precision, because their sums are short."""

from __future__ import annotations

from typing import Any

import numpy as np

from sqlamarr.compiler.ir import Value
from sqlamarr.compiler.scikit.registry import ScikitTranslation, refuse, translates

REGRESSORS = (
    "LinearRegression", "Ridge", "RidgeCV", "Lasso", "LassoCV", "ElasticNet", "ElasticNetCV", "Lars", "LassoLars",
    "OrthogonalMatchingPursuit", "BayesianRidge", "ARDRegression", "HuberRegressor", "TheilSenRegressor",
    "SGDRegressor", "PassiveAggressiveRegressor", "QuantileRegressor", "LinearSVR",
)  # fmt: skip
LOG_LINK = ("PoissonRegressor", "GammaRegressor")
CLASSIFIERS = ("LogisticRegression", "LogisticRegressionCV", "RidgeClassifier", "LinearSVC", "SGDClassifier",
               "Perceptron", "LinearDiscriminantAnalysis")  # fmt: skip


def _linear(t: ScikitTranslation, model: Any, x: Value) -> Value:
    weights = np.atleast_2d(np.asarray(model.coef_, np.float64))
    bias = np.broadcast_to(np.asarray(model.intercept_, np.float64), (len(weights),))
    return t.graph.dense(x, weights.T, bias)


for _name in REGRESSORS:
    translates("predict", _name)(_linear)
for _name in CLASSIFIERS:
    translates("decision_function", _name)(_linear)


@translates("predict", *LOG_LINK)
def _log_link(t: ScikitTranslation, model: Any, x: Value) -> Value:
    return t.graph.unary("exp", _linear(t, model, x))


@translates("predict", "TweedieRegressor")
def _tweedie(t: ScikitTranslation, model: Any, x: Value) -> Value:
    log = model.link == "log" or (model.link == "auto" and model.power > 0)
    return _log_link(t, model, x) if log else _linear(t, model, x)


def both_classes(t: ScikitTranslation, p: Value) -> Value:
    """The probabilities of both classes from that of the second."""
    return t.graph.concat([t.graph.binary("sub", t.graph.constant(1.0, p.dtype), p), p])


@translates("predict_proba", "LogisticRegression", "LogisticRegressionCV", "LinearDiscriminantAnalysis")
def _logistic(t: ScikitTranslation, model: Any, x: Value) -> Value:
    scores = _linear(t, model, x)
    if scores.width == 1:
        return both_classes(t, t.graph.unary("sigmoid", scores))
    if getattr(model, "multi_class", "auto") == "ovr" or getattr(model, "solver", "") == "liblinear":
        refuse(model, "one-versus-rest probabilities", "Fit with a solver for multinomial loss, such as lbfgs.")
    return t.graph.softmax(scores)


def class_of(t: ScikitTranslation, model: Any, scores: Value, *, positive: str = "gt") -> Value:
    """The label of the winning class, as a number.

    :param scores: one column per class, or one, which says second class where it is ``positive`` 0
    """
    classes = np.asarray(model.classes_)
    if not np.issubdtype(classes.dtype, np.number) and classes.dtype != bool:
        refuse(
            model,
            f"predict of the labels {', '.join(map(str, classes))}",
            "Use predict_proba, or use numbers as labels in the fit.",
        )
    winner = t.graph.binary(positive, scores, 0.0) if scores.width == 1 else t.graph.reduce("argmax", scores)
    labels = classes.astype(np.float64)
    if np.array_equal(labels, np.arange(len(labels))):
        return winner
    return t.graph.interpolate(winner, [np.arange(len(labels), dtype=np.float64)], [labels])


@translates("predict", *CLASSIFIERS)
def _predict(t: ScikitTranslation, model: Any, x: Value) -> Value:
    return class_of(t, model, _linear(t, model, x))
