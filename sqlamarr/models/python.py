"""``python``: a user's function on numpy arrays."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from sqlamarr.errors import ModelError
from sqlamarr.models.base import Floats, ModelDescription, Sizes
from sqlamarr.models.blocks import BlockModel, Evaluate
from sqlamarr.user_code.functions import error_in_words, load_function


class PythonModel(BlockModel):
    """A function ``f(inputs)`` or, with random numbers, ``f(inputs, noise)``; or any object with this call.

    It takes float32 arrays (rows, inputs) and (rows, noise), always with the same number of rows, and returns
    (rows, outputs). Names and ranges are taken from its attributes ``input_names``, ``output_names``,
    ``input_min`` and ``input_max`` if it has them.

    :param source: ``module`` or ``file.py``, importable or relative to ``folder``
    :param function: its name there
    :raises PipelineError: it cannot be imported
    """

    def __init__(self, source: str, function: str, folder: Path) -> None:
        self._call = load_function(source, function, folder)
        super().__init__(f"function '{source}:{function}'", description_of(self._call))

    def _function(self, sizes: Sizes) -> Evaluate:
        try:
            inspect.signature(self._call).bind(*range(1 + bool(sizes.noise)))
        except TypeError as error:
            arguments = "(inputs, noise)" if sizes.noise else "(inputs)"
            raise ModelError(f"cannot be called as f{arguments}: {error}.") from error

        def function(inputs: Floats, noise: Floats) -> Floats:
            arguments = (inputs, noise) if sizes.noise else (inputs,)
            try:
                with np.errstate(all="ignore"):  # results that are not numbers are refused afterwards, naming the row
                    answers = np.asarray(self._call(*arguments), dtype=np.float32)
            except (Exception, SystemExit) as error:
                raise ModelError(error_in_words(error)) from error
            return answers.reshape(-1, 1) if answers.ndim == 1 and sizes.outputs == 1 else answers

        return function


def description_of(function: Callable[..., Any]) -> ModelDescription:
    """Return the description in the attributes of a function."""
    limits = [getattr(function, name, None) for name in ("input_min", "input_max")]
    return ModelDescription(
        _listed(getattr(function, "input_names", None)),
        _listed(getattr(function, "output_names", None)),
        function.__doc__ and function.__doc__.strip().splitlines()[0],
        None if any(limit is None for limit in limits) else np.array(limits, dtype=np.float32),
    )


def _listed(names: object) -> list[str] | None:
    return None if names is None else [str(name) for name in names]  # type: ignore[attr-defined]
