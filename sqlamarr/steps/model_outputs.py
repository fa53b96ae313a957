"""The columns of a step that the outputs of its model become."""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from sqlamarr.errors import EventError, PipelineError
from sqlamarr.events.event import ROWS_PER_EVENT
from sqlamarr.models.base import Floats

_NUMBERED = re.compile(r"(.*?)(\d+|False|True)")
_TRUTH = {"False": "0", "True": "1"}  # classes of a yes-or-no question
_TOLERANCE, _SUM_TOLERANCE = 1e-6, 1e-5  # rounding of float32 models, as in src/functions/random.cpp


class OutputOrder:
    """Find the outputs of a step among those of its model: by name if the model has names, else by their order.

    A single output may have any name, and names that only count (``y0``, ``y1``) are taken as an order.

    :param step: name of the step, for messages
    :param outputs: the step's names for the outputs
    :param names: the model's names, if it has any
    :param model: the model as messages name it
    :raises PipelineError: the names do not match
    """

    def __init__(self, step: str, outputs: Sequence[str], names: Sequence[str] | None, model: object) -> None:
        self._order: list[int] | None = None
        if names is None or list(names) == list(outputs) or len(names) == len(outputs) == 1 or _only_count(names):
            return
        if sorted(names) != sorted(outputs):
            raise PipelineError(
                f"Step {step!r}: outputs are {', '.join(outputs)}, but {model} returns {', '.join(names)}. Use the "
                "model's names in the step, in any order, or the step's names in the model (sqlamarr compile "
                "--outputs FUNCTION=NAME,...)."
            )
        self._order = [list(names).index(name) for name in outputs]

    def __call__(self, answers: Floats) -> Floats:
        """Return a model's results (rows, outputs) with their columns in the step's order."""
        return answers if self._order is None else answers[:, self._order]


def _only_count(names: Sequence[str]) -> bool:
    """Return whether the names are one prefix, or none, followed by ascending numbers (or False and True)."""
    found = [_NUMBERED.fullmatch(name) for name in names]
    words = {match[1] for match in found if match}
    numbers = [int(_TRUTH.get(match[2], match[2])) for match in found if match]
    return len(numbers) == len(names) and len(words) == 1 and numbers in [[*range(i, len(names) + i)] for i in (0, 1)]


def refuse_twice(step: str, table: str, columns: Sequence[str]) -> None:
    """Raise a PipelineError if a step's table would have two columns with the same name."""
    seen: set[str] = set()
    for name in columns:
        if name.casefold() in seen:
            raise PipelineError(
                f"Step {step!r}: table {table!r} would have two columns {name!r} ({', '.join(columns)}). Give every "
                "output a name of its own that is not the name of a key column."
            )
        seen.add(name.casefold())


class Probabilities:
    """Outputs that are the probabilities of mutually exclusive cases.

    :param step: name of the step, for messages
    :param names: which outputs
    :param outputs: the step's outputs in their order
    :raises PipelineError: there is no such output
    """

    def __init__(self, step: str, names: Sequence[str], outputs: Sequence[str]) -> None:
        if unknown := [name for name in names if name not in outputs]:
            raise PipelineError(
                f"Step {step!r}: probabilities names {', '.join(unknown)}, which is not among its outputs: "
                f"{', '.join(outputs)}."
            )
        self._step, self._names = step, list(names)
        self._columns = [list(outputs).index(name) for name in names]

    def check(self, result: Floats, key: str, ids: NDArray[np.int64]) -> None:
        """Raise an EventError if a probability is not between 0 and 1, or if they sum to more than 1.

        :param result: (rows, outputs) in the step's order
        :param key: name of the rows' id
        """
        if not self._names:
            return
        given = result[:, self._columns].astype(np.float64)
        outside = (given < -_TOLERANCE) | (given > 1 + _TOLERANCE)
        if outside.any():
            row, column = np.argwhere(outside)[0]
            what = f"{given[row, column]:g} as {self._names[column]!r}"
            self._refuse(f"The model returned {what} for {key} = {ids[row]}; expected a probability, 0 to 1.", ids[row])
        sums = given.clip(0, 1).sum(axis=1)
        if (above := sums > 1 + _SUM_TOLERANCE).any():
            row = int(above.argmax())
            listed = ", ".join(f"{name} {value:g}" for name, value in zip(self._names, given[row]))
            what = f"for {key} = {ids[row]} ({listed})"
            self._refuse(f"The model returned probabilities {what} that sum to {sums[row]:g}, more than 1.", ids[row])

    def _refuse(self, message: str, id_: np.int64) -> None:
        event = int(id_) - int(id_) % ROWS_PER_EVENT
        hint = "Take them from a classifier's predict_proba, not from its decision_function or its logits."
        raise EventError(f"{message} {hint}", event_id=event, step=self._step)
