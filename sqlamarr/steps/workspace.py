"""The workspace in which steps are prepared before the first event."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from importlib.resources import files
from pathlib import Path
from typing import Any, Protocol

from sqlamarr.database.connection import Database, quote_identifier
from sqlamarr.database.declarations import check_foreign_keys, declaration_of, needing_rows
from sqlamarr.database.working_tables import ColumnTables
from sqlamarr.errors import PipelineError
from sqlamarr.models.base import Model
from sqlamarr.models.entry import ModelFile, find
from sqlamarr.models.events import EventModel
from sqlamarr.native.library import pipelines_folder
from sqlamarr.steps.template_lines import SqlErrors
from sqlamarr.steps.templates import Templates


class WritesTables(Protocol):
    """The part of a step that a workspace uses; see :class:`sqlamarr.steps.protocol.Step`."""

    @property
    def tables(self) -> tuple[str, ...]:
        """The tables that the step writes."""

    def writes_rows(self, workspace: Workspace) -> bool:
        """Return whether the step writes with statements of its own."""


class PipelineParts(Protocol):
    """The part of a pipeline that a workspace uses; see :class:`sqlamarr.pipeline.definition.Pipeline`."""

    @property
    def path(self) -> Path:
        """The pipeline's YAML file."""

    @property
    def folder(self) -> Path:
        """The folder with its templates and data."""

    @property
    def steps(self) -> Sequence[WritesTables]:
        """The steps in their order."""

    @property
    def output(self) -> tuple[str, ...]:
        """Tables to keep."""

    @property
    def conditions(self) -> Mapping[str, Any]:
        """Values that templates and steps may use."""

    @property
    def models(self) -> Mapping[str, Mapping[str, Any]]:
        """Entries of models, by name."""

    @property
    def schema(self) -> str | None:
        """Template with the declarations of result tables."""

    @property
    def data(self) -> Mapping[str, str]:
        """CSV files of constants, by table."""

    @property
    def views(self) -> str | None:
        """Template with the views of the output file."""


@dataclass
class Workspace:
    """An in-memory database with the event tables, and a pipeline's templates and models.

    ``check`` prepares every step in it: it compiles each query against the empty tables, and opens and
    verifies each model.

    :ivar db: the working database; most of its tables are columns in memory
    :ivar tables: the tables that are columns in memory
    :ivar declared: a database without rows, with the tables exactly as declared
    :ivar writer_of: the step that writes each table
    """

    pipeline: PipelineParts
    db: Database = field(default_factory=Database)
    declared: Database = field(default_factory=Database)
    writer_of: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.tables = ColumnTables(self.db)
        self.declared.execute((files("sqlamarr.database") / "schema.sql").read_text())
        folder = self.pipeline.folder
        self.templates = Templates(folder, pipelines_folder() / "macros")
        if self.pipeline.schema:
            sql, _ = self.render(self.pipeline.schema)
            with self.errors(self.pipeline.schema), self.declared.limited(declaring=True):
                self.declared.execute(sql)
            check_foreign_keys(self.declared, self.pipeline.schema)
        self._written_by_rows = self._find_written_by_rows()
        self._make_working_tables()
        self._constant = self._load_data(folder)
        self._models: dict[tuple[str, str], Model] = {}
        self._files: dict[str, ModelFile] = {}
        self._opened: dict[tuple[str, str], dict[str, Any]] = {}

    def _load_data(self, folder: Path) -> set[str]:
        """Load the tables of constants, one CSV file each, and return their names; types follow from the values."""
        import pandas as pd

        for table, name in self.pipeline.data.items():
            path = folder / name
            if not path.is_file():
                raise PipelineError(f"{self.pipeline.path}: data.{table}: there is no file {path}.")
            frame = pd.read_csv(path, comment="#", skipinitialspace=True)
            self.db.insert(table, {str(c): frame[c].to_numpy() for c in frame.columns}, create=True)
        return set(self.pipeline.data)

    def _find_written_by_rows(self) -> set[str]:
        """Return the tables that a step writes with statements of its own or whose declarations require it."""
        written: set[str] = set()
        for step in self.pipeline.steps:
            if step.writes_rows(self):
                written.update(step.tables)
        return written | needing_rows(self.declared)

    def writes_columns(self, step: WritesTables) -> bool:
        """Return whether a step, once prepared, changes only tables that are columns in memory."""
        return not step.writes_rows(self) and all(table in self.tables for table in step.tables)

    def _make_working_tables(self) -> None:
        rows = self.declared.execute("SELECT type, name, sql FROM sqlite_schema WHERE sql IS NOT NULL").fetchall()
        for kind, name, sql in rows:
            if kind == "table":
                self._make_working_table(str(name))
            else:
                self.db.execute(str(sql))

    def _make_working_table(self, table: str) -> None:
        """Make a table of columns in memory if possible, else an ordinary SQLite table."""
        if table in self._written_by_rows:
            self.db.execute(declaration_of(self.declared, table))
            return
        info = self.declared.execute('SELECT name, pk, "notnull" FROM pragma_table_info(?)', (table,)).fetchall()
        key = [name for _, name in sorted((int(place), str(name)) for name, place, _ in info if place)]
        required = [str(name) for name, place, filled in info if place or filled]
        self.tables.create(table, self.declared.declared_types(table), key, required)

    @property
    def event_tables(self) -> list[str]:
        """The tables that hold the batch's events and are emptied after each batch."""
        return [table for table in self.db.tables() if table not in self._constant]

    def render(self, template: str, variables: Mapping[str, Any] | None = None) -> tuple[str, dict[str, Any]]:
        """Return the SQL and bound values of a template, with the pipeline's ``conditions`` and a step's variables."""
        return self.templates.render(template, self._variables(variables))

    def errors(self, template: str, variables: Mapping[str, Any] | None = None) -> SqlErrors:
        """Return a block in which errors of SQL from :meth:`render` name file and line; it can be used repeatedly."""
        return self.templates.errors(template, self._variables(variables))

    def _variables(self, own: Mapping[str, Any] | None) -> dict[str, Any]:
        return {"conditions": self.pipeline.conditions, **(own or {})}

    def model(self, name: str, function: str) -> Model:
        """Return a function of one of the pipeline's models, opened once; ``NAME.FUNCTION`` overrides ``NAME``."""
        model: Model = self._open(name, function, "rows", ModelFile.open)
        return model

    def event_model(self, name: str, function: str) -> EventModel:
        """Return an event model; see :meth:`model`."""
        model: EventModel = self._open(name, function, "events", ModelFile.open_event)
        return model

    def _open(self, name: str, function: str, kind: str, opener: Callable[[ModelFile, str], Any]) -> Any:
        key = f"{name}.{function}" if f"{name}.{function}" in self.pipeline.models else name
        if key not in self.pipeline.models:
            known = ", ".join(self.pipeline.models) or "none"
            raise PipelineError(f"{self.pipeline.path}: there is no model {name!r}; there are: {known}.")
        self._refuse_second_function(key, name, function)
        opened = self._opened.setdefault((key, function), {})
        if kind not in opened:
            opened[kind] = opener(self.model_file(key), function)
        return opened[kind]

    def _refuse_second_function(self, key: str, name: str, function: str) -> None:
        others = [other for model, other in self._opened if model == key and other != function]
        if others and self.model_file(key).single:
            raise PipelineError(
                f"{self.pipeline.path}: models.{key} is a single function, but steps use it for {others[0]!r} and "
                f"{function!r}. Give each its own entry, as in '{name}.{function}: {{...}}'."
            )

    def model_file(self, name: str) -> ModelFile:
        """Return the file of an entry of the pipeline's ``models``, after comparing its checksum if one is given."""
        if name not in self._files:
            self._files[name] = find(self.pipeline.models[name], self.pipeline.folder)
        return self._files[name]

    def refuse_unused_models(self) -> None:
        """Refuse models that no step uses and that are not valid; to be called when all steps are prepared.

        :raises PipelineError: no step uses a model for one function (``NAME.FUNCTION``)
        :raises ModelError: a model that no step uses has no file, which the output would name
        """
        used = {key for key, _ in self._opened}
        if idle := [name for name in self.pipeline.models if "." in name and name not in used]:
            model = idle[0].partition(".")[0]
            known = sorted({f"{model}.{function}" for name, function in self._opened if name.split(".")[0] == model})
            raise PipelineError(
                f"{self.pipeline.path}: no step uses models.{idle[0]}; the steps use: {', '.join(known) or 'none'}."
            )
        for name in self.pipeline.models:
            try:
                self.model_file(name)
            except PipelineError as error:
                raise type(error)(f"{self.pipeline.path}: models.{name}, which no step uses: {error}") from error

    def claim(self, step: str, table: str) -> None:
        """Record ``step`` as the writer of ``table``.

        :raises PipelineError: the table does not exist yet, or holds constants
        """
        if table in self._constant:
            raise PipelineError(f"Step {step!r} would write {table!r}, a table of constants of the pipeline.")
        self.db.declared_types(table)
        self.writer_of[table] = step

    def create_table(
        self,
        step: str,
        table: str,
        columns: Mapping[str, str],
        key: Sequence[str],
        *,
        remedy: str = "The query must return every key column.",
    ) -> None:
        """Make a table for the results of ``step``, and record the step as its writer.

        :param columns: type by column name: INTEGER, REAL or TEXT
        :param key: columns of the primary key
        :param remedy: what to do if a key column is not among the columns
        :raises PipelineError: the table already exists, or a key column is missing
        """
        if table in self.db.tables():
            owner = self.writer_of.get(table, "the schema")
            raise PipelineError(f"Step {step!r} would make table {table!r}, which {owner!r} has made. Rename it.")
        if not key:
            raise PipelineError(
                f"Step {step!r}: table {table!r} is not in the schema, so the step must name the columns of its key: "
                f"key: [...], some of {', '.join(columns)}."
            )
        if any(name not in columns for name in key):
            raise PipelineError(
                f"Step {step!r}: key {list(key)} is not among the columns of {table!r}: {', '.join(columns)}. {remedy}"
            )
        body = [f"{quote_identifier(name)} {kind}{' NOT NULL' * (name in key)}" for name, kind in columns.items()]
        body.append(f"PRIMARY KEY ({', '.join(map(quote_identifier, key))})")
        # STRICT: a value of another type is an error here instead of a surprise later.
        self.declared.execute(f"CREATE TABLE {quote_identifier(table)} ({', '.join(body)}) STRICT")
        self._make_working_table(table)
        self.writer_of[table] = step
