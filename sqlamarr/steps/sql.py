"""``sql``: one query whose rows go into one table."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar

from sqlamarr.batch import Batch
from sqlamarr.database import quote_identifier
from sqlamarr.errors import PipelineError
from sqlamarr.steps import VARIABLES, Run, register
from sqlamarr.workspace import Workspace


@register("sql")
@dataclass(frozen=True)
class SqlStep:
    """Fill ``table`` with the rows of the query in ``template``.

    A table of the pipeline's schema takes the columns by name; any other table is made with the
    query's columns and the given key. ``uniform_at``, ``normal_at`` and ``category_at`` draw from
    the stream of the step's name.
    """

    name: str
    table: str
    template: str
    key: tuple[str, ...] = ()
    variables: Mapping[str, Any] = field(default_factory=dict)

    SCHEMA: ClassVar[Mapping[str, Any]] = {
        "type": "object",
        "properties": {
            "table": {"type": "string", "description": "Table to fill."},
            "template": {"type": "string", "description": "File with the query."},
            "key": {
                "type": "array",
                "items": {"type": "string"},
                "description": "Key columns of a table that the schema does not declare.",
            },
            "variables": VARIABLES,
            "name": {"type": "string", "description": "Name of the step; default: the table."},
        },
        "required": ["table", "template"],
        "additionalProperties": False,
    }

    @classmethod
    def from_options(cls, options: Mapping[str, Any]) -> SqlStep:
        """From the options of a pipeline file."""
        named = {"name": options["table"], **options}
        return cls(**{**named, "key": tuple(options.get("key", ()))})

    @property
    def tables(self) -> tuple[str, ...]:
        """The one table it fills."""
        return (self.table,)

    def prepare(self, workspace: Workspace) -> Run:
        """Compile the query against the empty tables; make the table if the schema has it not."""
        sql, values = workspace.render(self.template, self.variables)
        names = list(workspace.db.columns(sql, values))
        if self.table in workspace.db.tables():
            self._fit(workspace, names)
        else:
            workspace.create_table(self.name, self.table, dict.fromkeys(names, ""), self.key)
        columns = ", ".join(map(quote_identifier, names))
        insert = f"INSERT INTO {quote_identifier(self.table)} ({columns})\n{sql}"

        def run(batch: Batch) -> None:
            batch.forget(self.table)
            with batch.random_functions(self.name):
                batch.db.execute(insert, values)

        return run

    def _fit(self, workspace: Workspace, names: list[str]) -> None:
        workspace.claim(self.name, self.table)
        known = workspace.db.declared_types(self.table)
        if unknown := [name for name in names if name not in known]:
            raise PipelineError(
                f"Step {self.name!r}: {self.template} returns {', '.join(unknown)}, "
                f"which table {self.table!r} has not; it has: {', '.join(known)}."
            )
