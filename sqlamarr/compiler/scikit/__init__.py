"""The front end for scikit-learn, which makes a graph from the fitted, numeric attributes.

Each module translates a family of estimators; which estimators exist is the registry in
:mod:`sqlamarr.compiler.scikit.registry`.
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sqlamarr.compiler.function import Doubles, ModelSource
from sqlamarr.compiler.ir import FLOAT64, Graph
from sqlamarr.compiler.scikit import columns, ensembles, linear, networks, ranges, scaling  # noqa: F401 (they register)
from sqlamarr.compiler.scikit.registry import ScikitTranslation, default_method, label
from sqlamarr.errors import CompilerError, SqlamarrError, missing_package


def read_file(path: Path, method: str | None, dtype: np.dtype[Any]) -> ModelSource:
    """Load a pickled or joblib-dumped estimator. This runs code from the file, so only load files that you trust.

    :raises CompilerError: it cannot be loaded or compiled
    """
    try:
        import joblib  # comes with scikit-learn, and reads plain pickles too
    except ImportError as error:
        raise _missing(path, "sklearn") from error
    try:
        estimator = joblib.load(path)
    except ModuleNotFoundError as error:
        raise _missing(path, error.name or str(error)) from error
    except Exception as error:  # a pickle may raise anything
        raise CompilerError(f"{path} cannot be loaded: {type(error).__name__}: {error}") from error
    return read_object(estimator, method, dtype, name=path.name)


def _missing(path: Path, module: str) -> SqlamarrError:
    """Return the error for a pickle whose classes are not installed."""
    package = module.partition(".")[0]
    if find_spec(package):
        return CompilerError(
            f"{path} cannot be loaded: the installed {package} has no module {module}. The file was probably made "
            f"with another version of {package}. Install that version, or save the model with this one."
        )
    if package in ("sklearn", "joblib"):
        return missing_package(str(path), "scikit-learn", "sklearn")
    return missing_package(str(path), package, package)


def read_object(estimator: Any, method: str | None, dtype: np.dtype[Any], name: str = "") -> ModelSource:
    """Read a fitted estimator.

    :param method: the method to compile; default: predict_proba of classifiers, predict of others, else transform
    :param dtype: the type in which networks are computed and leaves of trees are kept
    :raises CompilerError: it is not fitted, or uses something that is not supported
    """
    method = method or default_method(estimator)
    inputs = input_names(estimator, method)
    graph = Graph(inputs)
    value = ScikitTranslation(graph, dtype).apply(estimator, graph.cast(graph.input, FLOAT64), method)
    graph.set_output(value, output_names(estimator, method, value.width))
    low, high = np.full((2, len(inputs)), np.nan)
    guess = None
    if method != "inverse_transform":
        low, high = ranges.known_range(estimator, len(inputs))
        guess = ranges.guessed(estimator, len(inputs))
    return ModelSource(graph, _original(estimator, method, inputs), low, high, _origin(estimator, method, name), guess)


def _origin(estimator: Any, method: str, name: str) -> str:
    from importlib.metadata import version

    whose = f"{name}: " if name else ""
    return f"{whose}{type(estimator).__name__}.{method}, scikit-learn {version('scikit-learn')}"


def input_names(estimator: Any, method: str) -> list[str]:
    """Return the names that it was fitted with, or x0, x1, ..."""
    if method == "inverse_transform":
        return [f"x{i}" for i in range(ranges.output_width(estimator))]
    if (names := getattr(estimator, "feature_names_in_", None)) is not None:
        return [str(name) for name in names]
    return [f"x{i}" for i in range(ranges.input_width(estimator))]


def output_names(estimator: Any, method: str, width: int) -> list[str]:
    """Return the names of the outputs: classes or columns, if they have names."""
    if method == "inverse_transform" and (names := getattr(estimator, "feature_names_in_", None)) is not None:
        return [str(name) for name in names]
    if method == "transform":
        try:
            names = [str(name) for name in estimator.get_feature_names_out()]
        except Exception:  # not every transformer knows them
            names = []
        if len(names) == width:
            return names
    classes = getattr(estimator, "classes_", None)
    if method == "predict_proba" and isinstance(classes, np.ndarray) and len(classes) == width:
        return [f"p_{c}" for c in classes]
    return [method] if width == 1 else [f"y{i}" for i in range(width)]


def _original(estimator: Any, method: str, inputs: Sequence[str]) -> Any:
    """Return the estimator's own method as a function of float64 matrices."""
    names = getattr(estimator, "feature_names_in_", None)

    def reference(x: Doubles, _: Doubles) -> NDArray[Any]:
        data: Any = np.array(x)  # a copy: transformers may work in place
        if names is not None and method != "inverse_transform":
            import pandas as pd

            data = pd.DataFrame(data, columns=list(inputs))
        with warnings.catch_warnings(), np.errstate(all="ignore"):
            warnings.simplefilter("ignore")
            result = getattr(estimator, method)(data)
        result = result.toarray() if hasattr(result, "toarray") else np.asarray(result)
        return result.astype(np.float64).reshape(len(x), -1)

    return reference


__all__ = ["label", "read_file", "read_object"]
