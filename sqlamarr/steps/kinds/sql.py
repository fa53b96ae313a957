"""``sql``: one query whose rows go into one table."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar

from sqlamarr.database.connection import quote_identifier
from sqlamarr.errors import PipelineError
from sqlamarr.steps.batch import Batch
from sqlamarr.steps.protocol import VARIABLES, FillsTable, Run
from sqlamarr.steps.registry import register
from sqlamarr.steps.template_lines import SqlErrors
from sqlamarr.steps.workspace import Workspace

TYPES = ["INTEGER", "REAL", "TEXT"]

_KEYS = "SELECT name FROM pragma_table_info(?) WHERE pk > 0"


@register("sql")
@dataclass(frozen=True)
class SqlStep(FillsTable):
    """Fill ``table`` with the rows of the query in ``template``.

    A table of the pipeline's schema takes the columns by name. Any other table is made with the
    query's columns and the given key. ``uniform_at``, ``normal_at`` and ``category_at`` draw from
    the stream named after the step.
    """

    name: str
    table: str
    template: str
    key: tuple[str, ...] = ()
    types: Mapping[str, str] = field(default_factory=dict)
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
            "types": {
                "type": "object",
                "additionalProperties": {"enum": TYPES},
                "description": "Types of its columns that are not plain columns of other tables; default REAL.",
            },
            "variables": VARIABLES,
            "name": {"type": "string", "description": "Name of the step; default: the table."},
        },
        "required": ["table", "template"],
        "additionalProperties": False,
    }

    def prepare(self, workspace: Workspace) -> Run:
        """Compile the query against the empty tables; make the table if the schema does not declare it."""
        sql, values = workspace.render(self.template, self.variables)
        errors = workspace.errors(self.template, self.variables)
        with errors:
            described = workspace.db.describe(sql, values)
        if self.table in workspace.db.tables():
            self._fit(workspace, list(described))
        else:
            workspace.create_table(self.name, self.table, self._types(described), self.key)
        if self.table not in workspace.tables:
            return self._fill_rows(self._insert(workspace, sql, list(described)), values, errors)
        types = workspace.db.declared_types(self.table)
        with errors:
            query = workspace.db.prepare(sql, values, [types[name] for name in described])

        def run(batch: Batch) -> None:
            with errors, batch.random_functions(self.name):
                rows = query()
            batch.write(self.table, rows)

        return run

    def _fill_rows(self, insert: str, values: Mapping[str, Any], errors: SqlErrors) -> Run:
        """Return the function for a table that other steps write with statements of their own."""

        def run(batch: Batch) -> None:
            with errors, batch.random_functions(self.name):
                batch.change(self.table, insert, values)

        return run

    def _types(self, described: Mapping[str, str]) -> dict[str, str]:
        """Return the types of a table outside the schema: as given, else those of the columns taken over, else REAL."""
        if unknown := [name for name in self.types if name not in described]:
            raise PipelineError(
                f"Step {self.name!r}: types lists {', '.join(unknown)}, which {self.template} does not return."
            )
        types = {}
        for name, declared in described.items():
            default = "INTEGER" if name in self.key else "REAL"
            types[name] = self.types.get(name) or (declared if declared in TYPES else default)
        return types

    def _insert(self, workspace: Workspace, sql: str, names: list[str]) -> str:
        keys = {str(row[0]) for row in workspace.db.execute(_KEYS, (self.table,))}
        quoted = {name: quote_identifier(name) for name in names}
        values = [f"sqlamarr_required({quoted[n]}, '{n}')" if n in keys and "'" not in n else quoted[n] for n in names]
        table, columns = quote_identifier(self.table), ", ".join(quoted.values())
        return f"INSERT INTO {table} ({columns})\nSELECT {', '.join(values)} FROM (\n{sql.rstrip().rstrip(';')}\n)"

    def _fit(self, workspace: Workspace, names: list[str]) -> None:
        workspace.claim(self.name, self.table)
        known = workspace.db.declared_types(self.table)
        if unknown := [name for name in names if name not in known]:
            raise PipelineError(
                f"Step {self.name!r}: {self.template} returns {', '.join(unknown)}, "
                f"which is not in table {self.table!r}; it has: {', '.join(known)}."
            )
