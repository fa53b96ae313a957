"""``python``: a user's function, called with the batch."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar

from sqlamarr.database.connection import quote_identifier
from sqlamarr.errors import PipelineError, SqlamarrError
from sqlamarr.steps.batch import Batch
from sqlamarr.steps.protocol import Run
from sqlamarr.steps.registry import register
from sqlamarr.steps.workspace import Workspace
from sqlamarr.user_code.functions import error_in_words, find_module, load_function

_FOREIGN = """
    SELECT ifnull(event_id, 'NULL') FROM {table}
    WHERE event_id IS NULL OR event_id NOT IN (SELECT event_id FROM Events) LIMIT 1"""


@register("python")
@dataclass(frozen=True)
class PythonStep:
    """Call ``module:function`` with the batch and the step's arguments.

    The function must treat every event independently; ``check --split`` detects one that does not.
    """

    name: str
    function: str
    creates: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    writes: tuple[str, ...] = ()
    arguments: Mapping[str, Any] = field(default_factory=dict)

    SCHEMA: ClassVar[Mapping[str, Any]] = {
        "type": "object",
        "properties": {
            "function": {"type": "string", "pattern": "^[\\w.]+:\\w+$", "description": "module:function"},
            "creates": {
                "type": "object",
                "description": "Tables that the step makes.",
                "additionalProperties": {
                    "type": "object",
                    "properties": {
                        "columns": {
                            "type": "object",
                            "additionalProperties": {"enum": ["INTEGER", "REAL", "TEXT"]},
                            "description": "Types, by column name.",
                        },
                        "key": {"type": "array", "items": {"type": "string"}, "description": "Key columns."},
                    },
                    "required": ["columns", "key"],
                    "additionalProperties": False,
                },
            },
            "writes": {
                "type": "array",
                "items": {"type": "string"},
                "description": "Tables of the schema that the step writes.",
            },
            "arguments": {"type": "object", "description": "Keyword arguments of the function."},
            "name": {"type": "string", "description": "Name of the step; default: the function's."},
        },
        "required": ["function"],
        "additionalProperties": False,
    }

    @classmethod
    def from_options(cls, options: Mapping[str, Any]) -> PythonStep:
        """Make a step from the options of a pipeline file."""
        name = options.get("name", options["function"].split(":")[1])
        return cls(
            name,
            options["function"],
            options.get("creates", {}),
            tuple(options.get("writes", ())),
            options.get("arguments", {}),
        )

    @property
    def tables(self) -> tuple[str, ...]:
        """The tables that the step makes, and those of the schema that it writes."""
        return (*self.creates, *self.writes)

    def source(self, folder: Path) -> Path | None:
        """Return the file of the function's module, if it has one."""
        return find_module(self.function.partition(":")[0], folder)

    def prepare(self, workspace: Workspace) -> Run:
        """Import the function and make its tables.

        :raises PipelineError: there is no such function, or a table cannot be made
        """
        function = self._import(workspace.pipeline.folder)
        for table, spec in self.creates.items():
            remedy = (
                f"List every key column under 'columns' of creates.{table}, with its type, as in 'event_id: INTEGER'."
            )
            workspace.create_table(self.name, table, spec["columns"], spec["key"], remedy=remedy)
        for table in self.writes:
            workspace.claim(self.name, table)

        complete = {table: spec["columns"].keys() for table, spec in self.creates.items()}
        of_events = [table for table in self.tables if "event_id" in workspace.db.declared_types(table)]

        def run(batch: Batch) -> None:
            try:
                function(batch.within(self.name, complete), **self.arguments)
            except SqlamarrError:
                raise
            except (Exception, SystemExit) as error:
                raise PipelineError(self._story(error)) from error
            finally:
                batch.forget()  # the function may have written any table through the database
            for table in of_events:
                self._refuse_foreign_events(batch, table)

        return run

    def _refuse_foreign_events(self, batch: Batch, table: str) -> None:
        """Refuse rows whose event is not in the batch: they would be lost, or merged into an event of another batch."""
        found = batch.db.execute(_FOREIGN.format(table=quote_identifier(table))).fetchone()
        if found:
            raise PipelineError(
                f"Step {self.name!r}: {self.function} wrote a row of {table} with event_id = {found[0]}, which is not "
                "an event of the batch. Copy the event_id of the rows that it is made from."
            )

    def _story(self, error: BaseException) -> str:
        """Return the message for an error of the user's function, with its place."""
        remedy = "To reject only one event, raise sqlamarr.errors.EventError with its event_id."
        if "read-only" in str(error):
            remedy = (
                "Arrays of batch.columns(...) are the table itself and cannot be changed in place. Make new ones, as "
                "in 'pz = pz + noise' or with .copy(), and write those."
            )
        return f"Step {self.name!r}: {self.function} {error_in_words(error)}\n{remedy}"

    def _import(self, folder: Path) -> Callable[..., object]:
        module, _, attribute = self.function.partition(":")
        function = load_function(module, attribute, folder)
        try:
            inspect.signature(function).bind(None, **self.arguments)
        except TypeError as error:
            raise PipelineError(
                f"Step {self.name!r}: {self.function} cannot be called with the batch and "
                f"{dict(self.arguments)}: {error}."
            ) from error
        return function
