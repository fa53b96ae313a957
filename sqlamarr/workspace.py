"""The workspace: what steps are prepared in before any event comes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sqlamarr._library import native_folder
from sqlamarr.database import Database, quote_identifier
from sqlamarr.declarations import check_foreign_keys
from sqlamarr.errors import ModelError, PipelineError
from sqlamarr.event_models import CompiledEventModel, EventModel
from sqlamarr.models import Model, find_library, sha256
from sqlamarr.templates import Templates

if TYPE_CHECKING:
    from sqlamarr.pipeline import Pipeline


@dataclass
class Workspace:
    """An in-memory database with the event tables, and a pipeline's templates and models.

    Preparing every step in it is what ``check`` does: each query is compiled against the empty
    tables, each model is opened and verified.
    """

    pipeline: Pipeline
    db: Database = field(default_factory=Database)
    writer_of: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.db.execute((files("sqlamarr") / "schema.sql").read_text())
        folder = self.pipeline.folder
        self.templates = Templates(folder, native_folder() / "pipelines" / "macros")
        if self.pipeline.schema:
            sql, _ = self.render(self.pipeline.schema)
            self.db.execute(sql)
            check_foreign_keys(self.db, self.pipeline.schema)
        self._constant = self._load_data(folder)
        self._models: dict[tuple[str, str], Model] = {}
        self._event_models: dict[tuple[str, str], EventModel] = {}

    def _load_data(self, folder: Path) -> set[str]:
        """Tables of constants: one CSV file each, types found from the values."""
        import pandas as pd

        for table, name in self.pipeline.data.items():
            path = folder / name
            if not path.is_file():
                raise PipelineError(f"{self.pipeline.path}: data.{table}: there is no file {path}.")
            frame = pd.read_csv(path, comment="#", skipinitialspace=True)
            self.db.insert(table, {str(c): frame[c].to_numpy() for c in frame.columns}, create=True)
        return set(self.pipeline.data)

    @property
    def event_tables(self) -> list[str]:
        """Tables that belong to the batch's events and are emptied after it."""
        return [table for table in self.db.tables() if table not in self._constant]

    def render(self, template: str, variables: Mapping[str, Any] | None = None) -> tuple[str, dict[str, Any]]:
        """SQL and bound values of a template, with the pipeline's ``conditions`` and a step's own variables."""
        return self.templates.render(template, {"conditions": self.pipeline.conditions, **(variables or {})})

    def model(self, name: str, function: str) -> Model:
        """A function of one of the pipeline's model libraries, opened once."""
        self._refuse_unknown(name)
        if (name, function) not in self._models:
            self._models[name, function] = Model(self.library(name), function)
        return self._models[name, function]

    def event_model(self, name: str, function: str) -> EventModel:
        """A model of whole events, a function of one of the pipeline's model libraries; opened once."""
        self._refuse_unknown(name)
        if (name, function) not in self._event_models:
            self._event_models[name, function] = CompiledEventModel(self.library(name), function)
        return self._event_models[name, function]

    def _refuse_unknown(self, model: str) -> None:
        if model not in self.pipeline.models:
            known = ", ".join(self.pipeline.models) or "none"
            raise PipelineError(f"{self.pipeline.path}: there is no model {model!r}; there are: {known}.")

    def library(self, name: str) -> Path:
        """The file of a model library; its checksum is compared if the pipeline gives one."""
        model = self.pipeline.models[name]
        path = find_library(model["library"], self.pipeline.folder)
        expected = model.get("sha256")
        if expected and (found := sha256(path)) != expected:
            raise ModelError(f"Model library {path}: expected sha256 {expected}, found {found}. Is it the right file?")
        return path

    def claim(self, step: str, table: str) -> None:
        """Note that ``step`` writes ``table``.

        :raises PipelineError: the table does not exist yet, or holds constants
        """
        if table in self._constant:
            raise PipelineError(f"Step {step!r} would write {table!r}, which holds constants of the pipeline.")
        self.db.declared_types(table)
        self.writer_of[table] = step

    def create_table(self, step: str, table: str, columns: Mapping[str, str], key: Sequence[str]) -> None:
        """Make a table for the results of ``step`` and note that it writes it.

        :param columns: type by column name: INTEGER, REAL or TEXT
        :param key: columns of the primary key
        :raises PipelineError: the table is there already, or a key column is missing
        """
        if table in self.db.tables():
            owner = self.writer_of.get(table, "the schema")
            raise PipelineError(f"Step {step!r} would make table {table!r}, which {owner!r} has made. Rename it.")
        missing = [name for name in key if name not in columns]
        if missing or not key:
            raise PipelineError(
                f"Step {step!r}: key {list(key)} is not among the columns of {table!r}: {', '.join(columns)}. "
                "The query must return every key column."
            )
        body = [f"{quote_identifier(name)} {kind}{' NOT NULL' * (name in key)}" for name, kind in columns.items()]
        body.append(f"PRIMARY KEY ({', '.join(map(quote_identifier, key))})")
        # STRICT: a value of another type is an error here, not a surprise later.
        self.db.execute(f"CREATE TABLE {quote_identifier(table)} ({', '.join(body)}) STRICT")
        self.writer_of[table] = step
