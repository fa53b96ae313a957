"""The methods of estimators that can be translated, and how their translations are found."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NoReturn

import numpy as np

from sqlamarr.compiler.ir import FLOAT64, Graph, Value
from sqlamarr.errors import CompilerError

Translator = Callable[["ScikitTranslation", Any, Value], Value]
TRANSLATORS: dict[tuple[str, str], Translator] = {}
METHODS = ("transform", "inverse_transform", "predict_proba", "predict", "decision_function")


def translates(method: str, *estimators: str) -> Callable[[Translator], Translator]:
    """Register the translation of a method of some estimators, by their class names."""

    def register(function: Translator) -> Translator:
        for name in estimators:
            TRANSLATORS[name, method] = function
        return function

    return register


def label(estimator: Any) -> str:
    """Return the name of an estimator for messages."""
    return type(estimator).__name__


def refuse(estimator: Any, what: str, remedy: str) -> NoReturn:
    """Raise a CompilerError that says what is not supported and what to do."""
    raise CompilerError(f"{label(estimator)}: {what} cannot be compiled. {remedy}")


def _classes(estimator: Any) -> list[str]:
    """Return the names of the estimator's classes in scikit-learn, the most specific first."""
    return [c.__name__ for c in type(estimator).__mro__ if c.__module__.split(".")[0] == "sklearn"]


def find(estimator: Any, method: str) -> Translator | None:
    """Find the translation of this method of this estimator, or of a class that it inherits from."""
    own = type(estimator)
    for name in _classes(estimator):
        if (name, method) in TRANSLATORS:
            redefined = own.__module__.split(".")[0] != "sklearn" and method in vars(own)
            return None if redefined else TRANSLATORS[name, method]
    return None


def default_method(estimator: Any) -> str:
    """Return the main method of an estimator of this kind.

    :raises CompilerError: it is not an estimator, or has no method that can be compiled
    """
    if not _classes(estimator):
        raise CompilerError(
            f"{type(estimator).__module__}.{label(estimator)} is not a scikit-learn estimator. Export it to ONNX "
            "(onnxmltools, skl2onnx, torch.onnx) and compile that file."
        )
    for method in ("predict_proba", "predict", "transform"):
        try:
            present = hasattr(estimator, method)
        except Exception:  # a property that needs a fitted estimator
            present = False
        if present:
            return method
    raise CompilerError(f"{label(estimator)} has none of predict_proba, predict and transform.")


class ScikitTranslation:
    """A graph under construction.

    :param graph: the graph that operations are added to
    :param weights: the type in which networks are computed and leaves of trees are kept
    """

    def __init__(self, graph: Graph, weights: np.dtype[Any]) -> None:
        self.graph, self.weights = graph, weights

    def apply(self, estimator: Any, x: Value, method: str) -> Value:
        """Return the result of ``estimator.method`` on ``x``; both are float64.

        :raises CompilerError: it has no translation, or is not fitted
        """
        translator = find(estimator, method)
        if translator is None:
            known = sorted({name for name, m in TRANSLATORS if m == method})
            own = [m for m in METHODS if find(estimator, m) is not None]
            remedy = (
                f"Of this estimator: {', '.join(own)}." if own else f"Estimators with this method: {', '.join(known)}."
            )
            raise CompilerError(
                f"{label(estimator)}.{method} cannot be compiled. {remedy} Or export it to ONNX (skl2onnx)."
            )
        wanted = getattr(estimator, "n_features_in_", None)
        if wanted is not None and method != "inverse_transform" and wanted != x.width:
            raise CompilerError(f"{label(estimator)} was fitted on {wanted} columns but was given {x.width}.")
        try:
            return self.graph.cast(translator(self, estimator, x), FLOAT64)
        except AttributeError as error:
            if any(name.endswith("_") and not name.startswith("_") for name in vars(estimator)):
                raise
            raise CompilerError(f"{label(estimator)} is not fitted: {error}.") from error
