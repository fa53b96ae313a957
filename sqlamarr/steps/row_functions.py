"""The functions of a step with a model, each evaluated on its own rows of a query."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from sqlamarr.errors import PipelineError
from sqlamarr.models.base import Floats, Model, Sizes
from sqlamarr.native.columns import Columns
from sqlamarr.steps.batch import Batch
from sqlamarr.steps.by_column import ByColumn, Choice
from sqlamarr.steps.model_inputs import ModelQuery, refuse_nan, row_noise
from sqlamarr.steps.model_outputs import OutputOrder, Probabilities
from sqlamarr.steps.workspace import Workspace


class Options(Protocol):
    """The options of a step that these functions need; see :class:`sqlamarr.steps.kinds.plugin.PluginStep`."""

    @property
    def name(self) -> str:
        """Name of the step."""

    @property
    def query(self) -> str:
        """Template with the inputs."""

    @property
    def key(self) -> tuple[str, ...]:
        """Key columns."""

    @property
    def inputs(self) -> int:
        """Number of inputs."""

    @property
    def outputs(self) -> tuple[str, ...]:
        """Names of the outputs."""

    @property
    def noise(self) -> int:
        """Random numbers per row."""

    @property
    def stream(self) -> str | None:
        """Key column that distinguishes several rows with the same id."""

    @property
    def batched(self) -> bool:
        """Whether all rows are passed to the library in one call."""

    @property
    def probabilities(self) -> tuple[str, ...]:
        """Outputs that are probabilities."""


@dataclass(frozen=True)
class RowFunction:
    """One function, with everything needed to evaluate it on rows of the query.

    :ivar counted_as: its name in the run's counters
    """

    options: Options
    choice: Choice
    counted_as: str
    model: Model
    query: ModelQuery
    in_order: OutputOrder
    probabilities: Probabilities

    def __call__(self, batch: Batch, rows: Columns) -> Floats:
        """Return its results, float32 (rows, outputs), with outputs in the step's order.

        :param rows: the rows that this function is evaluated on
        :raises EventError: an input or a result is not a number
        """
        options, key = self.options, self.options.key[0]
        matrix = self.query.matrix(rows)
        self.query.count_outside(batch, self.model.outside(matrix), self.counted_as)
        noise = row_noise(batch.rng(self.choice.random), rows, key, options.stream, options.noise)
        result = self.in_order(self.model(matrix, noise, len(options.outputs), batched=options.batched))
        ids = np.ma.getdata(rows[key])
        refuse_nan(result, options.outputs, options.name, key, ids, self.choice.word)
        self.probabilities.check(result, key, ids)
        return result


class RowFunctions:
    """The functions of a step: one for all rows, or one for each word of a column.

    :param workspace: the workspace that opens the models
    :param options: the step's options
    :param choices: the step's functions
    :param by: how rows are assigned to functions; None if there is only one function
    :param columns: the query's columns, in its order
    :raises ModelError: a function does not exist, or does not match the step's options
    :raises PipelineError: inputs or outputs do not match
    """

    def __init__(
        self,
        workspace: Workspace,
        options: Options,
        choices: Sequence[Choice],
        by: ByColumn | None,
        columns: Sequence[str],
    ) -> None:
        self._options, self._choices, self._by = options, choices, by
        if by and by.column not in columns:
            raise PipelineError(
                f"Step {options.name!r}: {options.query} does not return {by.column}, the column of 'by'; "
                f"it returns: {', '.join(columns)}."
            )
        self._functions = [self._open(workspace, choice, columns) for choice in choices]
        self._wanted = [*options.key, *self.query.inputs]

    def _open(self, workspace: Workspace, choice: Choice, columns: Sequence[str]) -> RowFunction:
        options, by = self._options, self._by
        try:
            model = workspace.model(choice.model, choice.function)
            model.verify(Sizes(options.inputs, len(options.outputs), options.noise))
        except PipelineError as error:
            if not by:
                raise
            raise type(error)(f"Step {options.name!r}, {by.rows_of(choice)}: {error}") from error
        return RowFunction(
            options,
            choice,
            f"{options.name} ({choice.word})" if choice.word else options.name,
            model,
            ModelQuery.match(
                options.name, options.query, options.key, columns, options.inputs, model.input_names, model,
                chosen_by=by.column if by else None,
            ),
            OutputOrder(options.name, options.outputs, model.output_names, model),
            Probabilities(options.name, options.probabilities, options.outputs),
        )  # fmt: skip

    @property
    def query(self) -> ModelQuery:
        """The query, as the first function reads it."""
        return self._functions[0].query

    @property
    def types(self) -> list[int]:
        """Types of the query's columns, as :meth:`sqlamarr.Database.columns` takes them."""
        types = self.query.types
        if self._by and self._by.column not in self._options.key:
            types[self.query.columns.index(self._by.column)] = self._by.type
        return types

    def __call__(self, batch: Batch, rows: Columns) -> Floats:
        """Return the results for all rows, float32 (rows, outputs), in the order of the rows.

        :raises EventError: no function is chosen for a row, or an input or a result is not a number
        """
        self.query.refuse_null_keys(rows)
        if self._by is None:
            return self._functions[0](batch, rows)
        result = np.empty((rows.rows, len(self._options.outputs)), dtype=np.float32)
        for function, places in zip(self._functions, self._groups(self._by, rows)):
            if len(places) == rows.rows:
                return function(batch, rows)
            if len(places):
                own = Columns.of({name: np.ma.getdata(rows[name])[places] for name in self._wanted})
                result[places] = function(batch, own)
        return result

    def _groups(self, by: ByColumn, rows: Columns) -> Iterator[NDArray[np.int64]]:
        return by.groups(self._choices, rows, self._options.key[0], self._options.query)
