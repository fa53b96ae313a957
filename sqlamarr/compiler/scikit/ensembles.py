"""Decision trees and ensembles of them: comparisons exactly as scikit-learn makes them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sqlamarr.compiler.ir import FLOAT32, Value
from sqlamarr.compiler.scikit.linear import both_classes, class_of
from sqlamarr.compiler.scikit.registry import ScikitTranslation, refuse, translates
from sqlamarr.compiler.trees import Tree, ensemble, tree

FORESTS = ("RandomForest", "ExtraTrees")
SINGLE = ("DecisionTree", "ExtraTree")
CLASSIFIERS = tuple(f"{kind}Classifier" for kind in (*FORESTS, *SINGLE))
REGRESSORS = tuple(f"{kind}Regressor" for kind in (*FORESTS, *SINGLE))


def _tree(fitted: Any, values: NDArray[np.float64]) -> Tree:
    """A tree of sklearn.tree, with these values of its nodes."""
    missing = getattr(fitted, "missing_go_to_left", None)
    return tree(
        fitted.feature, fitted.threshold, fitted.children_left, fitted.children_right, values,
        None if missing is None else np.asarray(missing, bool),
    )  # fmt: skip


def _in_single(t: ScikitTranslation, x: Value) -> Value:
    """Round inputs to float32, as trees of sklearn.tree do."""
    return t.graph.cast(x, FLOAT32)


# ---- trees, and averages of them ---------------------------------------------------------------------------


def _members(model: Any) -> list[Any]:
    return list(model.estimators_) if hasattr(model, "estimators_") else [model]


def _averaged(t: ScikitTranslation, model: Any, x: Value, trees: Sequence[Tree]) -> Value:
    outputs = trees[0].values.shape[1]
    total = t.graph.trees(_in_single(t, x), ensemble(trees, np.zeros(outputs), t.weights))
    return total if len(trees) == 1 else t.graph.binary("div", total, float(len(trees)))


def _class_fractions(fitted: Any) -> NDArray[np.float64]:
    values: NDArray[np.float64] = fitted.value[:, 0, :]
    fractions: NDArray[np.float64] = values / values.sum(axis=1, keepdims=True)
    return fractions


@translates("predict_proba", *CLASSIFIERS)
def _fractions(t: ScikitTranslation, model: Any, x: Value) -> Value:
    if model.n_outputs_ > 1:
        refuse(model, "several targets", "Fit one classifier per target.")
    return _averaged(t, model, x, [_tree(m.tree_, _class_fractions(m.tree_)) for m in _members(model)])


@translates("predict", *CLASSIFIERS)
def _predict_class(t: ScikitTranslation, model: Any, x: Value) -> Value:
    return class_of(t, model, _fractions(t, model, x))


@translates("predict", *REGRESSORS)
def _mean(t: ScikitTranslation, model: Any, x: Value) -> Value:
    return _averaged(t, model, x, [_tree(m.tree_, m.tree_.value[:, :, 0]) for m in _members(model)])


# ---- gradient boosting -----------------------------------------------------------------------------------------


def _boosted(t: ScikitTranslation, model: Any, x: Value) -> Value:
    if not isinstance(model.init_, str) and "Dummy" not in type(model.init_).__name__:
        refuse(model, f"init={type(model.init_).__name__}", "Fit with the default init, or init='zero'.")
    base = model._raw_predict_init(np.zeros((1, model.n_features_in_), np.float32))[0]
    outputs = model.estimators_.shape[1]
    trees = []
    for stage in model.estimators_:
        for output, member in enumerate(stage):
            values = np.zeros((member.tree_.node_count, outputs))
            values[:, output] = model.learning_rate * member.tree_.value[:, 0, 0]
            trees.append(_tree(member.tree_, values))
    return t.graph.trees(_in_single(t, x), ensemble(trees, base, t.weights))


translates("predict", "GradientBoostingRegressor")(_boosted)
translates("decision_function", "GradientBoostingClassifier")(_boosted)


def _link(t: ScikitTranslation, raw: Value) -> Value:
    return both_classes(t, t.graph.unary("sigmoid", raw)) if raw.width == 1 else t.graph.softmax(raw)


@translates("predict_proba", "GradientBoostingClassifier")
def _boosted_probabilities(t: ScikitTranslation, model: Any, x: Value) -> Value:
    raw = _boosted(t, model, x)
    return _link(t, t.graph.binary("mul", raw, 2.0) if model.loss == "exponential" else raw)


@translates("predict", "GradientBoostingClassifier")
def _boosted_class(t: ScikitTranslation, model: Any, x: Value) -> Value:
    return class_of(t, model, _boosted(t, model, x), positive="ge")


# ---- histogram gradient boosting ---------------------------------------------------------------------------------


def _histogram_tree(model: Any, predictor: Any, output: int, outputs: int) -> Tree:
    nodes = predictor.nodes
    leaf = nodes["is_leaf"].astype(bool)
    if "is_categorical" in nodes.dtype.names and nodes["is_categorical"][~leaf].any():
        refuse(model, "categorical features", "Encode them as numbers (OrdinalEncoder) before the fit.")
    values = np.zeros((len(nodes), outputs))
    values[:, output] = np.where(leaf, nodes["value"], 0.0)
    return tree(
        np.where(leaf, -1, nodes["feature_idx"]), np.where(leaf, 0.0, nodes["num_threshold"]), nodes["left"],
        nodes["right"], values, nodes["missing_go_to_left"],
    )  # fmt: skip


def _histogram_raw(t: ScikitTranslation, model: Any, x: Value) -> Value:
    if getattr(model, "_preprocessor", None) is not None:
        refuse(model, "categorical features", "Encode them as numbers (OrdinalEncoder) before the fit.")
    base = np.atleast_1d(np.asarray(model._baseline_prediction, np.float64).ravel())
    trees = [
        _histogram_tree(model, predictor, output, len(base))
        for stage in model._predictors
        for output, predictor in enumerate(stage)
    ]
    return t.graph.trees(x, ensemble(trees, base, t.weights))


translates("decision_function", "HistGradientBoostingClassifier")(_histogram_raw)


@translates("predict", "HistGradientBoostingRegressor")
def _histogram(t: ScikitTranslation, model: Any, x: Value) -> Value:
    raw = _histogram_raw(t, model, x)
    return t.graph.unary("exp", raw) if model.loss in ("poisson", "gamma") else raw


@translates("predict_proba", "HistGradientBoostingClassifier")
def _histogram_probabilities(t: ScikitTranslation, model: Any, x: Value) -> Value:
    return _link(t, _histogram_raw(t, model, x))


@translates("predict", "HistGradientBoostingClassifier")
def _histogram_class(t: ScikitTranslation, model: Any, x: Value) -> Value:
    return class_of(t, model, _histogram_raw(t, model, x))
