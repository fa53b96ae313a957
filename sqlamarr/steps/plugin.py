"""``plugin``: a compiled model, fed by a query, its answers stored in a table."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from sqlamarr.batch import Batch
from sqlamarr.columns import FLOAT64, INT64, Columns
from sqlamarr.errors import DataError, EventError, PipelineError
from sqlamarr.models import Floats, Model, Sizes
from sqlamarr.random import Random
from sqlamarr.sources.base import ROWS_PER_EVENT
from sqlamarr.steps import VARIABLES, Run, register
from sqlamarr.workspace import Workspace

OUTSIDE = "rows outside the model's range, "  # counters of the inputs of a step


@register("plugin")
@dataclass(frozen=True)
class PluginStep:
    """Evaluate ``function`` of a model library on the rows of a query.

    The query returns the key columns and the inputs; inputs are matched by name where the model has
    names, else taken in the query's order. Generative models get standard normal numbers that depend
    on the seed, the step's name and the row's id (the first key column) alone.
    """

    name: str
    model: str
    function: str
    query: str
    table: str
    key: tuple[str, ...]
    inputs: int
    outputs: tuple[str, ...]
    noise: int = 0
    stream: str | None = None
    batched: bool = True
    variables: Mapping[str, Any] = field(default_factory=dict)

    SCHEMA: ClassVar[Mapping[str, Any]] = {
        "type": "object",
        "properties": {
            "model": {"type": "string", "description": "One of the pipeline's models."},
            "function": {"type": "string", "description": "Function of its library."},
            "query": {"type": "string", "description": "Template of the query for keys and inputs."},
            "table": {"type": "string", "description": "Table for keys and outputs."},
            "key": {
                "type": "array",
                "items": {"type": "string"},
                "minItems": 1,
                "description": "Key columns; the first is the id that random numbers belong to.",
            },
            "inputs": {"type": "integer", "minimum": 1, "description": "Number of inputs."},
            "outputs": {
                "type": "array",
                "items": {"type": "string"},
                "minItems": 1,
                "description": "Names of the outputs, in the model's order.",
            },
            "noise": {"type": "integer", "minimum": 0, "description": "Random numbers per row; default 0."},
            "stream": {
                "type": "string",
                "description": "Key column that tells apart several rows of one id (0 to 4294967295).",
            },
            "batched": {"type": "boolean", "description": "Rows at once if the library can; default true."},
            "variables": VARIABLES,
            "name": {"type": "string", "description": "Name of the step; default: the table."},
        },
        "required": ["model", "function", "query", "table", "key", "inputs", "outputs"],
        "additionalProperties": False,
    }

    @classmethod
    def from_options(cls, options: Mapping[str, Any]) -> PluginStep:
        """From the options of a pipeline file."""
        named = {"name": options["table"], **options}
        values: dict[str, Any] = {k: tuple(v) if isinstance(v, list) else v for k, v in named.items()}
        return cls(**values)

    @property
    def tables(self) -> tuple[str, ...]:
        """The one table it fills."""
        return (self.table,)

    def prepare(self, workspace: Workspace) -> Run:
        """Open and verify the model, compile the query, make the table."""
        model = workspace.model(self.model, self.function)
        model.verify(Sizes(self.inputs, len(self.outputs), self.noise))
        sql, values = workspace.render(self.query, self.variables)
        described = list(workspace.db.describe(sql, values))
        names = self._input_columns(model, described)
        if self.table in workspace.db.tables():
            workspace.claim(self.name, self.table)
        else:
            columns = dict.fromkeys(self.key, "INTEGER") | dict.fromkeys(self.outputs, "REAL")
            workspace.create_table(self.name, self.table, columns, self.key)
        types = {**dict.fromkeys(names, FLOAT64), **dict.fromkeys(self.key, INT64)}
        order = [types[name] for name in described]

        def run(batch: Batch) -> None:
            with batch.random_functions(f"{self.name}.query"):
                rows = batch.db.columns(sql, values, order)
            self._refuse_null_keys(rows)
            matrix = self._matrix(rows, names)
            self._count_outside(batch, model, names, matrix)
            result = model(matrix, self._noise(batch.rng(self.name), rows), len(self.outputs), batched=self.batched)
            self._refuse_nan(rows, result)
            batch.write(self.table, self._answers(rows, result))

        return run

    def _input_columns(self, model: Model, columns: list[str]) -> list[str]:
        """The names of the query's columns that are the model's inputs, in the model's order."""
        if missing := [name for name in self.key if name not in columns]:
            raise PipelineError(
                f"Step {self.name!r}: {self.query} does not return the key {', '.join(missing)}; "
                f"it returns: {', '.join(columns)}."
            )
        found = [name for name in columns if name not in self.key]
        expected = model.input_names
        if expected is None or set(found) == set(expected) or len(found) != self.inputs:
            if len(found) != self.inputs:
                raise PipelineError(
                    f"Step {self.name!r}: {self.query} returns {len(found)} inputs beside the key "
                    f"({', '.join(found)}), expected {self.inputs}" + (f": {', '.join(expected)}." if expected else ".")
                )
            return expected or found
        raise PipelineError(
            f"Step {self.name!r}: {self.query} returns {', '.join(sorted(set(found) - set(expected)))} where {model} "
            f"expects {', '.join(sorted(set(expected) - set(found)))}. Name the columns as the model's inputs."
        )

    def _matrix(self, rows: Columns, names: list[str]) -> Floats:
        matrix = np.empty((rows.rows, len(names)), dtype=np.float32)
        for index, name in enumerate(names):
            matrix[:, index] = rows[name]
        bad = ~np.isfinite(matrix)
        if bad.any():
            row, column = np.argwhere(bad)[0]
            key = int(rows[self.key[0]][row])
            raise EventError(
                f"Step {self.name!r}: input {names[column]!r} is {_value(matrix[row, column])} for "
                f"{self.key[0]} = {key}. A model needs a number: leave such rows out of {self.query}.",
                event_id=key - key % ROWS_PER_EVENT,
                step=self.name,
            )
        return matrix

    def _refuse_null_keys(self, rows: Columns) -> None:
        for name in self.key:
            if np.ma.getmaskarray(rows[name]).any():
                raise DataError(f"Step {self.name!r}: the key {name!r} is NULL in a row of {self.query}.")

    def _noise(self, rng: Random, rows: Columns) -> Floats | None:
        if not self.noise:
            return None
        ids: NDArray[np.int64] = np.ma.getdata(rows[self.key[0]])
        if self.stream is None:
            return rng.normal(ids, self.noise)
        streams = np.ma.getdata(rows[self.stream])
        noise = np.empty((len(ids), self.noise), dtype=np.float32)
        for stream in np.unique(streams):
            chosen = streams == stream
            noise[chosen] = rng.normal(ids[chosen], self.noise, stream=int(stream))
        return noise

    def _count_outside(self, batch: Batch, model: Model, names: list[str], matrix: Floats) -> None:
        for name, n in zip(names, model.outside(matrix)):
            if n:
                batch.count(f"{OUTSIDE}{self.name}: {name}", n)

    def _refuse_nan(self, rows: Columns, result: Floats) -> None:
        bad = ~np.isfinite(result)
        if bad.any():
            row, column = np.argwhere(bad)[0]
            key = int(rows[self.key[0]][row])
            raise EventError(
                f"The model gave {result[row, column]} as {self.outputs[column]!r} for {self.key[0]} = {key}.",
                event_id=key - key % ROWS_PER_EVENT,
                step=self.name,
            )

    def _answers(self, rows: Columns, result: Floats) -> Columns:
        keys = {name: rows[name] for name in self.key}
        return Columns({**keys, **{name: result[:, i].astype(np.float64) for i, name in enumerate(self.outputs)}})


def _value(value: Any) -> str:
    return "NULL" if np.isnan(value) else str(value)
