"""``plugin``: a compiled model, fed by a query, its answers stored in a table."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np

from sqlamarr.models.base import Floats, Sizes
from sqlamarr.native.columns import Columns
from sqlamarr.steps.batch import Batch
from sqlamarr.steps.model_inputs import ModelQuery, refuse_nan, row_noise
from sqlamarr.steps.model_outputs import OutputOrder, Probabilities, refuse_twice
from sqlamarr.steps.protocol import MODEL_OPTIONS, NAMES, FillsTable, Run
from sqlamarr.steps.registry import register
from sqlamarr.steps.workspace import Workspace


@register("plugin")
@dataclass(frozen=True)
class PluginStep(FillsTable):
    """Evaluate ``function`` of a model library on the rows of a query.

    The query returns the key columns and the inputs; inputs and outputs are matched by name where the model has
    names, else taken in their order. Generative models get standard normal numbers that depend
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
    probabilities: tuple[str, ...] = ()
    variables: Mapping[str, Any] = field(default_factory=dict)

    SCHEMA: ClassVar[Mapping[str, Any]] = {
        "type": "object",
        "properties": {
            **MODEL_OPTIONS,
            "function": {"type": "string", "description": "Function of its library."},
            "query": {"type": "string", "description": "Template of the query for keys and inputs."},
            "table": {"type": "string", "description": "Table for keys and outputs."},
            "key": {**NAMES, "description": "Key columns; the first is the id that random numbers belong to."},
            "probabilities": {
                **NAMES,
                "description": "Outputs that are probabilities, 0 to 1, of cases of which one happens at most.",
            },
            "batched": {"type": "boolean", "description": "Rows at once if the library can; default true."},
        },
        "required": ["model", "function", "query", "table", "key", "inputs", "outputs"],
        "additionalProperties": False,
    }

    def prepare(self, workspace: Workspace) -> Run:
        """Open and verify the model, compile the query, make the table."""
        model = workspace.model(self.model, self.function)
        model.verify(Sizes(self.inputs, len(self.outputs), self.noise))
        refuse_twice(self.name, self.table, (*self.key, *self.outputs))
        in_order = OutputOrder(self.name, self.outputs, model.output_names, model)
        probabilities = Probabilities(self.name, self.probabilities, self.outputs)
        sql, values = workspace.render(self.query, self.variables)
        described = list(workspace.db.describe(sql, values))
        query = ModelQuery.match(self.name, self.query, self.key, described, self.inputs, model.input_names, model)
        if self.table in workspace.db.tables():
            workspace.claim(self.name, self.table)
        else:
            columns = dict.fromkeys(self.key, "INTEGER") | dict.fromkeys(self.outputs, "REAL")
            workspace.create_table(self.name, self.table, columns, self.key)
        compiled = workspace.db.prepare(sql, values, query.types)

        def run(batch: Batch) -> None:
            with batch.random_functions(f"{self.name}.query"):
                rows = compiled()
            if not rows.rows:  # as for rare species, half of the steps of a small batch: no need to ask
                return
            query.refuse_null_keys(rows)
            matrix = query.matrix(rows)
            query.count_outside(batch, model.outside(matrix))
            noise = row_noise(batch.rng(self.name), rows, self.key[0], self.stream, self.noise)
            result = in_order(model(matrix, noise, len(self.outputs), batched=self.batched))
            ids = np.ma.getdata(rows[self.key[0]])
            refuse_nan(result, self.outputs, self.name, self.key[0], ids)
            probabilities.check(result, self.key[0], ids)
            batch.write(self.table, self._answers(rows, result))

        return run

    def _answers(self, rows: Columns, result: Floats) -> Columns:
        keys = {name: rows[name] for name in self.key}
        return Columns({**keys, **{name: result[:, i].astype(np.float64) for i, name in enumerate(self.outputs)}})
