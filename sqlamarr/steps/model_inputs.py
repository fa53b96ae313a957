"""Code shared by steps with a model: turn rows of a query into its inputs, and check its numbers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sqlamarr.checking.wording import counted
from sqlamarr.errors import DataError, EventError, PipelineError
from sqlamarr.events.event import ROWS_PER_EVENT
from sqlamarr.models.base import Floats
from sqlamarr.models.noise import RowNoise
from sqlamarr.native.columns import FLOAT64, INT64, Columns
from sqlamarr.native.random import Random
from sqlamarr.steps.batch import Batch


@dataclass(frozen=True)
class ModelQuery:
    """A query whose rows go into a model: integer columns that identify a row, and the inputs.

    :ivar step: name of the step, for messages
    :ivar template: name of the query's template
    :ivar key: columns that identify a row; the first is an id, event_id + position in the event
    :ivar columns: all columns, in the query's order
    :ivar inputs: the columns that are inputs, in the model's order
    """

    step: str
    template: str
    key: tuple[str, ...]
    columns: tuple[str, ...]
    inputs: tuple[str, ...]

    @classmethod
    def match(
        cls,
        step: str,
        template: str,
        key: Sequence[str],
        columns: Sequence[str],
        count: int,
        expected: list[str] | None,
        model: object,
        chosen_by: str | None = None,
    ) -> ModelQuery:
        """Find the inputs among the query's columns: by name if the model has names, else by their order.

        :param count: number of inputs that the pipeline declares
        :param expected: the model's names for its inputs
        :param chosen_by: a column that is not an input because it chooses the model
        :raises PipelineError: a key column or an input is missing, or there is one too many
        """
        if missing := [name for name in key if name not in columns]:
            raise PipelineError(
                f"Step {step!r}: {template} does not return the key column {', '.join(missing)}; "
                f"it returns: {', '.join(columns)}."
            )
        found = [name for name in columns if name not in key and name != chosen_by]
        if len(found) != count:
            raise PipelineError(
                f"Step {step!r}: {template} returns {counted(len(found), 'input')} besides the key "
                f"({', '.join(found)}), expected {count}" + (f": {', '.join(expected)}." if expected else ".")
            )
        if expected is not None and len(expected) != count:
            raise PipelineError(
                f"Step {step!r}: {model} has {counted(len(expected), 'input')} ({', '.join(expected)}), but the "
                f"pipeline expects {count}: {', '.join(found)}."
            )
        if expected is not None and set(found) != set(expected):
            raise PipelineError(
                f"Step {step!r}: {template} returns {', '.join(n for n in found if n not in expected)} where {model} "
                f"expects {', '.join(n for n in expected if n not in found)}. Name the columns like the model's inputs."
            )
        return cls(step, template, tuple(key), tuple(columns), tuple(expected or found))

    @property
    def types(self) -> list[int]:
        """Types of the columns, as :meth:`sqlamarr.Database.columns` takes them."""
        return [INT64 if name in self.key else FLOAT64 for name in self.columns]

    def refuse_null_keys(self, rows: Columns) -> None:
        """Raise a DataError if a key is NULL."""
        for name in self.key:
            if np.ma.getmaskarray(rows[name]).any():
                raise DataError(f"Step {self.step!r}: the key {name!r} is NULL in a row of {self.template}.")

    def matrix(self, rows: Columns) -> Floats:
        """Return the inputs, float32 (rows, inputs).

        :raises EventError: an input is not a number
        """
        matrix = np.empty((rows.rows, len(self.inputs)), dtype=np.float32)
        with np.errstate(over="ignore"):  # numbers that are too large are refused below
            for index, name in enumerate(self.inputs):
                matrix[:, index] = rows[name]
        bad = ~np.isfinite(matrix)
        if bad.any():
            row, column = np.argwhere(bad)[0]
            key = int(rows[self.key[0]][row])
            value = matrix[row, column]
            raise EventError(
                f"input {self.inputs[column]!r} is {'NULL' if np.isnan(value) else value} for "
                f"{self.key[0]} = {key}. A model needs numbers: leave such rows out of {self.template}.",
                event_id=key - key % ROWS_PER_EVENT,
                step=self.step,
            )
        return matrix

    def count_outside(self, batch: Batch, counts: NDArray[np.int64], model: str) -> None:
        """Count in the run's summary how many rows lie outside the model's range, per input.

        :param model: the model's name in the summary: the step, or one function of the step
        """
        for name, n in zip(self.inputs, counts):
            if n:
                batch.outside[model, name] += int(n)


def row_noise(rng: Random, rows: Columns, key: str, stream: str | None, draws: int) -> RowNoise:
    """Return standard normal numbers, keyed by the id and the stream of each row."""
    streams = None if stream is None else np.ma.getdata(rows[stream])
    return RowNoise(rng, np.ma.getdata(rows[key]), streams, draws)


def refuse_nan(
    result: Floats, names: Sequence[str], step: str, key: str, ids: NDArray[np.int64], word: str = ""
) -> None:
    """Raise an EventError if a model returned something that is not a number.

    :param word: the word of the function, if the step has several
    """
    bad = ~np.isfinite(result)
    if bad.any():
        row, column = np.argwhere(bad)[0]
        value = int(ids[row])
        raise EventError(
            f"The model{f' of {word}' * bool(word)} returned {result[row, column]} as {names[column]!r} for "
            f"{key} = {value}.",
            event_id=value - value % ROWS_PER_EVENT,
            step=step,
        )
