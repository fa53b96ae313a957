"""``script``: several SQL statements, of which all take effect or none."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from sqlamarr.steps.batch import Batch
from sqlamarr.steps.protocol import Run
from sqlamarr.steps.registry import register
from sqlamarr.steps.workspace import Workspace


@register("script")
@dataclass(frozen=True)
class ScriptStep:
    """Run the statements of a template, which may write the tables that the step names."""

    name: str
    template: str
    tables: tuple[str, ...]

    SCHEMA: ClassVar[Mapping[str, Any]] = {
        "type": "object",
        "properties": {
            "template": {"type": "string", "description": "File with the statements."},
            "tables": {
                "type": "array",
                "items": {"type": "string"},
                "description": "Tables that the statements write.",
            },
            "name": {"type": "string", "description": "Name of the step; default: the template's."},
        },
        "required": ["template", "tables"],
        "additionalProperties": False,
    }

    @classmethod
    def from_options(cls, options: Mapping[str, Any]) -> ScriptStep:
        """Make a step from the options of a pipeline file."""
        name = options.get("name", options["template"].removesuffix(".sql"))
        return cls(name, options["template"], tuple(options["tables"]))

    def writes_rows(self, workspace: Workspace) -> bool:
        """Return True, unless the template is empty under the pipeline's conditions."""
        return bool(workspace.render(self.template)[0].strip())

    def prepare(self, workspace: Workspace) -> Run:
        """Try the statements on the empty tables, and roll them back."""
        sql, values = workspace.render(self.template)
        errors = workspace.errors(self.template)
        for table in self.tables:
            workspace.claim(self.name, table)
        workspace.db.execute("SAVEPOINT trial")
        try:
            with errors, workspace.db.limited(self.tables):
                workspace.db.execute(sql, values)
        finally:
            workspace.db.execute("ROLLBACK TO trial; RELEASE trial")

        def run(batch: Batch) -> None:
            if sql.strip():
                with errors, batch.random_functions(self.name):
                    batch.execute(sql, values)

        return run
