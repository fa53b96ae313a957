"""``event_plugin``: a model of whole events, which makes m output rows, and links to them, from n input rows."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from sqlamarr.errors import DataError, EventError
from sqlamarr.events.event import ROWS_PER_EVENT
from sqlamarr.models.base import Floats
from sqlamarr.models.events import EventAnswers, EventBatch, EventLimits, EventSizes
from sqlamarr.native.columns import Columns
from sqlamarr.steps.batch import Batch
from sqlamarr.steps.model_inputs import ModelQuery, refuse_nan, row_noise
from sqlamarr.steps.model_outputs import OutputOrder, refuse_twice
from sqlamarr.steps.protocol import COUNT, MODEL_OPTIONS, NAMES, FillsTable, Run
from sqlamarr.steps.registry import register
from sqlamarr.steps.workspace import Workspace

_IDS = "SELECT event_id FROM Events ORDER BY event_id"


@register("event_plugin")
@dataclass(frozen=True)
class EventPluginStep(FillsTable):
    """Evaluate ``function`` of a model library on all rows of an event together, for every event.

    The output rows go into ``table``, with the ids event_id + position in the event. The links to the input rows
    that they come from go into ``links``. The model is also called for events without input rows. It gets the
    rows in the order of their keys, whatever the query's order.
    """

    name: str
    model: str
    function: str
    query: str
    key: tuple[str, ...]
    table: str
    id: str
    links: str
    inputs: int
    outputs: tuple[str, ...]
    max_rows: int
    max_links: int
    weight: str = "weight"
    max_inputs: int | None = None
    event_query: str | None = None
    event_inputs: int = 0
    noise: int = 0
    event_noise: int = 0
    stream: str | None = None
    variables: Mapping[str, Any] = field(default_factory=dict)

    SCHEMA: ClassVar[Mapping[str, Any]] = {
        "type": "object",
        "properties": {
            **MODEL_OPTIONS,
            "function": {"type": "string", "description": "Function of its library, without '_event'."},
            "query": {"type": "string", "description": "Template of the query for event_id, keys and inputs."},
            "key": {
                **NAMES,
                "description": "Columns that identify an input row; the first is the id that keys its random numbers "
                "belong to.",
            },
            "table": {"type": "string", "description": "Table for the output rows: id, event_id, outputs."},
            "id": {"type": "string", "description": "Name of the column with the id of an output row."},
            "links": {"type": "string", "description": "Table for the links: id, event_id, key, weight."},
            "weight": {"type": "string", "description": "Column with the weight of a link; default: weight."},
            "max_rows": {"type": "integer", "minimum": 1, "description": "Maximum number of output rows of an event."},
            "max_links": {**COUNT, "description": "Maximum number of links of an event."},
            "max_inputs": {
                "type": "integer",
                "minimum": 1,
                "description": "Maximum number of input rows of an event; models of fixed size are padded to it. "
                "Default: no limit.",
            },
            "event_query": {
                "type": "string",
                "description": "Template of the query for event_id and the inputs of the event; one row per event.",
            },
            "event_inputs": {**COUNT, "description": "Number of inputs of the event; default 0."},
            "event_noise": {**COUNT, "description": "Random numbers per event; default 0."},
        },
        "required": [
            "model", "function", "query", "key", "table", "id", "links", "inputs", "outputs", "max_rows", "max_links",
        ],
        "dependentRequired": {"event_inputs": ["event_query"], "event_query": ["event_inputs"]},
        "additionalProperties": False,
    }  # fmt: skip

    @property
    def tables(self) -> tuple[str, ...]:
        """The tables for the output rows and the links."""
        return (self.table, self.links)

    @property
    def sizes(self) -> EventSizes:
        """The sizes that the model must have."""
        return EventSizes(self.inputs, self.event_inputs, len(self.outputs), self.noise, self.event_noise)

    def prepare(self, workspace: Workspace) -> Run:
        """Open and verify the model, compile the queries, make the tables."""
        model = workspace.event_model(self.model, self.function)
        limits = EventLimits(self.max_rows, self.max_links, self.max_inputs)
        model.verify(self.sizes, limits)
        sql, values = workspace.render(self.query, self.variables)
        # The id comes first: messages name it, and the event follows from it.
        identity = (*self.key, "event_id")
        errors = workspace.errors(self.query, self.variables)
        with errors:
            described = list(workspace.db.describe(sql, values))
        query = ModelQuery.match(self.name, self.query, identity, described, self.inputs, model.input_names, model)
        event_inputs = self._prepare_event(workspace, model.event_input_names, model)
        in_order = OutputOrder(self.name, self.outputs, model.output_names, model)
        self._make_tables(workspace)
        ids = workspace.db.prepare(_IDS)
        with errors:
            compiled = workspace.db.prepare(sql, values, query.types)

        def run(batch: Batch) -> None:
            with errors, batch.random_functions(f"{self.name}.query"):
                rows = self._in_order(compiled())
            query.refuse_null_keys(rows)
            events = ids()["event_id"].astype(np.int64)
            of_events = event_inputs(batch, events, rows.rows)
            if of_events is None:
                return
            matrix = query.matrix(rows)
            query.count_outside(batch, model.outside(matrix), self.name)
            given = EventBatch(
                events,
                self._offsets(rows, events),
                matrix,
                of_events,
                row_noise(batch.rng(self.name), rows, self.key[0], self.stream, self.noise).matrix(),
                batch.rng(f"{self.name}.event").normal(events, self.event_noise),
            )
            answers = model(given, self.sizes, limits)
            self._write(batch, rows, given, replace(answers, rows=in_order(answers.rows)))

        return run

    def _prepare_event(
        self, workspace: Workspace, names: list[str] | None, model: object
    ) -> Callable[[Batch, NDArray[np.int64], int], Floats | None]:
        """Return a function that reads the inputs of the events themselves, or None if the model has nothing to do.

        It takes the events and their total number of rows.
        """
        if self.event_query is None:
            return lambda _, events, __: np.empty((len(events), 0), np.float32)
        template = self.event_query
        sql, values = workspace.render(template, self.variables)
        errors = workspace.errors(template, self.variables)
        with errors:
            described = list(workspace.db.describe(sql, values))
            query = ModelQuery.match(self.name, template, ("event_id",), described, self.event_inputs, names, model)
            compiled = workspace.db.prepare(sql, values, query.types)

        def read(batch: Batch, events: NDArray[np.int64], n_rows: int) -> Floats | None:
            with errors, batch.random_functions(f"{self.name}.event_query"):
                rows = compiled()
            query.refuse_null_keys(rows)
            if not rows.rows and not n_rows:
                return None
            order = np.argsort(rows["event_id"], kind="stable")
            found = rows["event_id"][order]
            if not np.array_equal(found, events):
                odd = sorted(set(found.tolist()) ^ set(events.tolist())) or found[1:][found[1:] == found[:-1]].tolist()
                raise DataError(
                    f"Step {self.name!r}: {template} must return exactly one row for every event; "
                    f"it does not for event_id = {odd[0]}."
                )
            return query.matrix(rows)[order]

        return read

    def _make_tables(self, workspace: Workspace) -> None:
        refuse_twice(self.name, self.table, (self.id, "event_id", *self.outputs))
        refuse_twice(self.name, self.links, (self.id, "event_id", *self.key, self.weight))
        own = {self.id: "INTEGER", "event_id": "INTEGER"}
        tables = {
            self.table: ({**own, **dict.fromkeys(self.outputs, "REAL")}, (self.id,)),
            self.links: ({**own, **dict.fromkeys(self.key, "INTEGER"), self.weight: "REAL"}, (self.id, *self.key)),
        }
        for table, (columns, key) in tables.items():
            if table in workspace.db.tables():
                workspace.claim(self.name, table)
            else:
                workspace.create_table(self.name, table, columns, key)

    def _in_order(self, rows: Columns) -> Columns:
        """Return the rows ordered by event and key, so that a query need not order them."""
        order = np.lexsort([np.ma.getdata(rows[name]) for name in (*reversed(self.key), "event_id")])
        if np.array_equal(order, np.arange(rows.rows)):
            return rows
        return Columns({name: array[order] for name, array in rows.items()})

    def _offsets(self, rows: Columns, events: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return the positions at which each event's rows begin."""
        of_rows = np.ma.getdata(rows["event_id"])
        if strange := np.setdiff1d(of_rows, events).tolist():
            raise DataError(
                f"Step {self.name!r}: {self.query} returns event_id = {strange[0]}, which is not in Events."
            )
        offsets = np.append(np.searchsorted(of_rows, events), len(of_rows))
        counts = np.diff(offsets)
        if self.max_inputs is not None and len(counts) and counts.max() > self.max_inputs:
            raise EventError(
                f"Step {self.name!r}: an event has {counts.max()} input rows, more than the {self.max_inputs} that "
                "max_inputs allows.",
                int(events[counts.argmax()]),
                self.name,
            )
        return offsets.astype(np.int64)

    def _write(self, batch: Batch, rows: Columns, given: EventBatch, answers: EventAnswers) -> None:
        counts = np.diff(answers.offsets)
        if len(counts) and counts.max() > ROWS_PER_EVENT:
            raise EventError(
                f"{counts.max()} output rows, more than the {ROWS_PER_EVENT} ids of an event.",
                int(given.event_ids[counts.argmax()]),
                self.name,
            )
        event_ids = np.repeat(given.event_ids, counts)
        ids = event_ids + np.arange(len(event_ids)) - np.repeat(answers.offsets[:-1], counts)
        refuse_nan(answers.rows, self.outputs, self.name, self.id, ids)
        refuse_nan(answers.link_weight[:, None], [self.weight], self.name, self.id, ids[answers.link_out])
        outputs = {name: answers.rows[:, i].astype(np.float64) for i, name in enumerate(self.outputs)}
        batch.write(self.table, Columns({self.id: ids, "event_id": event_ids, **outputs}))
        keys = {name: rows[name][answers.link_in] for name in self.key}
        own = {self.id: ids[answers.link_out], "event_id": event_ids[answers.link_out]}
        batch.write(self.links, Columns({**own, **keys, self.weight: answers.link_weight.astype(np.float64)}))
