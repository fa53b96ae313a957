"""The views of an output file."""

from __future__ import annotations

from collections.abc import Collection

from sqlamarr.database.connection import quote_identifier
from sqlamarr.database.declarations import RUN_TABLES
from sqlamarr.errors import PipelineError, SqlError
from sqlamarr.steps.table_order import reading
from sqlamarr.steps.workspace import Workspace


def checked_views(workspace: Workspace, tables: Collection[str]) -> str:
    """Return the statements that make the pipeline's views, after checking that each works in an output file.

    :param tables: tables of the output file, besides those that every file has
    :raises SqlError: a view cannot be evaluated
    :raises PipelineError: a view reads a table that the output file will not have
    """
    template = workspace.pipeline.views
    if template is None:
        return ""
    sql, _ = workspace.render(template)
    with workspace.errors(template), workspace.db.limited(declaring=True):
        workspace.db.execute(sql)
    for view in workspace.db.views():
        _check(workspace, view, tables, template)
    return sql


def _check(workspace: Workspace, view: str, tables: Collection[str], template: str) -> None:
    try:
        with reading(workspace.db) as read:
            workspace.db.columns(f"SELECT * FROM {quote_identifier(view)}")
    except SqlError as error:
        raise SqlError(f"{template}: view {view!r}: {error}") from error
    known = set(workspace.db.tables())
    if missing := sorted((read & known) - {*RUN_TABLES, *tables}):
        raise PipelineError(
            f"{workspace.pipeline.path}: the view {view!r} of {template} reads {', '.join(missing)}, which is not "
            "in output.tables and would be missing in the output file. Add it there, or leave the view out."
        )
