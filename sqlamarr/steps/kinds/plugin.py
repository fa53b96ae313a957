"""``plugin``: a model, or one for each value of a column, evaluated on a query's rows; results go into a table."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np

from sqlamarr.models.base import Floats
from sqlamarr.native.columns import Columns
from sqlamarr.steps import by_column
from sqlamarr.steps.batch import Batch
from sqlamarr.steps.by_column import ByColumn, Choice, only_choice
from sqlamarr.steps.model_outputs import refuse_twice
from sqlamarr.steps.protocol import MODEL_OPTIONS, NAMES, FillsTable, Run
from sqlamarr.steps.registry import register
from sqlamarr.steps.row_functions import RowFunctions
from sqlamarr.steps.workspace import Workspace


@register("plugin")
@dataclass(frozen=True)
class PluginStep(FillsTable):
    """Evaluate ``function`` of a model library on the rows of a query.

    The query returns the key columns and the inputs. Inputs and outputs are matched by name if the model has
    names, else taken in their order. Generative models get standard normal numbers that depend only on the
    seed, the name of the random numbers and the row's id (the first key column). With ``by``, a column of the
    query chooses the function of each row. Each function is called on all its rows in one go.
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
    probabilities: tuple[str, ...] = ()
    variables: Mapping[str, Any] = field(default_factory=dict)
    by: Mapping[str, Any] = field(default_factory=dict)
    models: Mapping[str, str] = field(default_factory=dict)
    random: str | None = None

    SCHEMA: ClassVar[Mapping[str, Any]] = {
        "type": "object",
        "properties": {
            **MODEL_OPTIONS,
            "function": {"type": "string", "description": "Function of its library; with 'by', may contain {COLUMN}."},
            "by": by_column.SCHEMA,
            "models": by_column.MODELS_SCHEMA,
            "random": {
                "type": "string",
                "description": "Name that keys the random numbers; default: the step's name, with 'by' NAME_{COLUMN}.",
            },
            "query": {"type": "string", "description": "Template of the query for keys and inputs."},
            "table": {"type": "string", "description": "Table for keys and outputs."},
            "key": {**NAMES, "description": "Key columns; the first is the id that keys the random numbers."},
            "probabilities": {
                **NAMES,
                "description": "Outputs that are the probabilities, 0 to 1, of mutually exclusive cases.",
            },
            "batched": {
                "type": "boolean",
                "description": "Pass all rows in one call if the library can; default true.",
            },
        },
        "required": ["model", "function", "query", "table", "key", "inputs", "outputs"],
        "dependentRequired": {"models": ["by"]},
        "additionalProperties": False,
    }

    def _by(self) -> ByColumn | None:
        return ByColumn.of(self.name, self.by) if self.by else None

    def choices(self) -> list[Choice]:
        """Return the functions of the step.

        :raises PipelineError: ``by`` does not match the options that it is used with
        """
        by = self._by()
        if by is None:
            return [only_choice(self.name, self.model, self.function, self.random)]
        by.refuse_text_in_key(self.key)
        return by.choices(self.model, self.models, self.function, self.random)

    def random_names(self) -> tuple[str, ...]:
        """Return the names that key its random numbers: the step's name, or one for each function."""
        return tuple(choice.random for choice in self.choices())

    def explain(self) -> list[str]:
        """Return the lines that say which values of the column use which function."""
        by = self._by()
        return [f"{by.rows_of(choice)}: {choice.model}.{choice.function}" for choice in self.choices()] if by else []

    def prepare(self, workspace: Workspace) -> Run:
        """Open and verify the model, compile the query, make the table."""
        by, choices = self._by(), self.choices()
        refuse_twice(self.name, self.table, (*self.key, *self.outputs))
        sql, values = workspace.render(self.query, self.variables)
        errors = workspace.errors(self.query, self.variables)
        with errors:
            described = list(workspace.db.describe(sql, values))
        functions = RowFunctions(workspace, self, choices, by, described)
        if self.table in workspace.db.tables():
            workspace.claim(self.name, self.table)
        else:
            columns = dict.fromkeys(self.key, "INTEGER") | dict.fromkeys(self.outputs, "REAL")
            workspace.create_table(self.name, self.table, columns, self.key)
        with errors:
            compiled = workspace.db.prepare(sql, values, functions.types)

        def run(batch: Batch) -> None:
            with errors, batch.random_functions(f"{self.name}.query"):
                rows = compiled()
            if rows.rows:  # a small batch may have none
                batch.write(self.table, self._answers(rows, functions(batch, rows)))

        return run

    def _answers(self, rows: Columns, result: Floats) -> Columns:
        keys = {name: rows[name] for name in self.key}
        return Columns({**keys, **{name: result[:, i].astype(np.float64) for i, name in enumerate(self.outputs)}})
