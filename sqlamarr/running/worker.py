"""The worker: a pipeline that is prepared once and then processes batches of events."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from sqlamarr.database.connection import quote_identifier
from sqlamarr.database.declarations import RUN_TABLES
from sqlamarr.database.page_images import ImageMaker
from sqlamarr.errors import EventError, InputError, PipelineError, SqlamarrError
from sqlamarr.events.chunk import Chunk, ParsedChunk
from sqlamarr.events.counters import Counters
from sqlamarr.events.event import Rejected
from sqlamarr.native.columns import Columns
from sqlamarr.output.batch_result import BatchResult, event_columns, source_columns
from sqlamarr.output.checksums import Hasher, Sums
from sqlamarr.pipeline.advice import Advice
from sqlamarr.pipeline.definition import Pipeline
from sqlamarr.pipeline.views import checked_views
from sqlamarr.running.options import RunOptions
from sqlamarr.steps.batch import Batch
from sqlamarr.steps.protocol import Run, Step
from sqlamarr.steps.registry import complete
from sqlamarr.steps.table_order import reading, refuse_reading_ahead
from sqlamarr.steps.workspace import Workspace

GENERATOR_TABLES = ("GenVertices", "GenParticles")


class Worker:
    """Takes chunks of events through the steps of a pipeline.

    :raises PipelineError: the pipeline, its queries or its models are wrong
    """

    def __init__(self, pipeline: Pipeline, options: RunOptions) -> None:
        if options.seed is None:
            raise SqlamarrError("A worker needs the seed of its run.")
        self.pipeline, self.options, self._seed = pipeline, options, options.seed
        for step in pipeline.steps:
            complete(type(step))  # a class that was unpickled by its name alone
        self.workspace = Workspace(pipeline)
        self._runs: list[tuple[Step, Run]] = []
        reads = []
        for step in pipeline.steps:
            with _StepName(step), reading(self.workspace.db) as tables:
                self._runs.append((step, step.prepare(self.workspace)))
            reads.append(tables)
        refuse_reading_ahead(pipeline.steps, reads, str(pipeline.path))
        self.workspace.refuse_unused_models()
        self.output_tables = _output_tables(self.workspace, options)
        self._hasher = Hasher(self.workspace.declared)
        self._images = ImageMaker(self.workspace.declared, self.output_tables)
        self._advice = Advice(pipeline)
        self.views = checked_views(self.workspace, self.output_tables)
        self._known_tables = set(self.workspace.db.tables())
        self._row_tables = [table for table in self.workspace.event_tables if table not in self.workspace.tables]
        self._by_columns = {step.name for step in pipeline.steps if self.workspace.writes_columns(step)}
        self.trace: Path | None = None  # where to note the step that runs

    def process(self, chunk: Chunk) -> BatchResult:
        """Simulate the events of a chunk.

        :raises EventError: one event cannot be processed; the message names it
        """
        start = time.perf_counter()
        parsed = chunk.parse()
        if parsed.rejected and not self.options.skips_bad_events:
            raise InputError(_describe(chunk, parsed.rejected[0]))
        reading = time.perf_counter() - start
        batch = self.batch()
        try:
            seconds = {"reading": reading, **self._simulate(chunk, parsed, batch)}
            start = time.perf_counter()
            tables = {table: self._collect(batch, table) for table in self.output_tables}
            seconds["collecting"] = time.perf_counter() - start
        finally:
            self._clear()
        return BatchResult(
            tables,
            chunk.events,
            chunk.sources,
            parsed.rejected,
            batch.counts,
            batch.notes,
            seconds,
            outside=batch.outside,
        )

    def advice(self, counts: Counters) -> list[str]:
        """The pipeline's advice at the end of a run with these counters."""
        return self._advice.sentences(counts)

    def pack(self, result: BatchResult) -> BatchResult:
        """The same result, packed so that a file can take it over."""
        start = time.perf_counter()
        checksums = Sums()
        for table, columns in result.tables.items():
            checksums.update(self._hasher.of(table, columns))
        middle = time.perf_counter()
        image, tables = self._images.make(result.tables)
        seconds = {**result.seconds, "checksums": middle - start, "packing": time.perf_counter() - middle}
        return replace(result, tables=tables, image=image, checksums=checksums, seconds=seconds)

    def batch(self) -> Batch:
        """An empty batch."""
        workspace = self.workspace
        return Batch(workspace.db, self.pipeline.conditions, self._seed, tables=workspace.tables)

    def _simulate(self, chunk: Chunk, parsed: ParsedChunk, batch: Batch) -> dict[str, float]:
        seconds = {"loading": _timed(partial(_load, batch, chunk, parsed))}
        for step, run in self._runs:
            if self.trace:
                self.trace.write_text(step.name)
            with _StepName(step), self._transaction(step):
                seconds[step.name] = _timed(partial(run, batch))
        return seconds

    @contextmanager
    def _transaction(self, step: Step) -> Iterator[None]:
        """Run the step as a whole or not at all; column tables need no transaction, as they are written in one go."""
        if step.name in self._by_columns:
            yield
            return
        db = self.workspace.db
        with db.atomic(), db.limited(step.tables):
            yield

    def _collect(self, batch: Batch, table: str) -> Columns:
        if table in GENERATOR_TABLES and self.options.generator == "selected":
            return batch.db.columns(_SELECTED[table], types=list(batch.db.declared_types(table).values()))
        return batch.columns(table)

    def _clear(self) -> None:
        """Empty the events' tables, and drop everything else that steps have made."""
        db = self.workspace.db
        self.workspace.tables.clear()
        for table in self._row_tables:
            db.execute(f"DELETE FROM {quote_identifier(table)}")
        for schema, name, kind in db.execute(_MADE_MEANWHILE).fetchall():
            if schema == "temp" or (kind == "table" and name not in self._known_tables):
                db.execute(f"DROP {kind} IF EXISTS {schema}.{quote_identifier(str(name))}")


_MADE_MEANWHILE = """
    SELECT 'temp', name, type FROM sqlite_temp_schema WHERE type IN ('table', 'view')
    UNION ALL
    SELECT 'main', name, type FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite!_%' ESCAPE '!'
"""

# The rows that the kept MC rows refer to: their generator particles, and the vertices of both.
_SELECTED = {
    "GenParticles": "SELECT * FROM GenParticles WHERE genparticle_id IN (SELECT genparticle_id FROM MCParticles)",
    "GenVertices": """
        SELECT * FROM GenVertices WHERE genvertex_id IN (
            SELECT genvertex_id FROM MCVertices
            UNION SELECT g.production_vertex FROM GenParticles g JOIN MCParticles m USING (genparticle_id)
            UNION SELECT g.end_vertex FROM GenParticles g JOIN MCParticles m USING (genparticle_id))""",
}


def _output_tables(workspace: Workspace, options: RunOptions) -> list[str]:
    known = workspace.db.tables()
    wanted = [*workspace.pipeline.output]
    if missing := [table for table in wanted if table not in known]:
        raise PipelineError(
            f"{workspace.pipeline.path}: output.tables names {', '.join(missing)}, which no step makes; "
            f"there are: {', '.join(known)}."
        )
    for table in wanted:
        if "event_id" not in workspace.db.declared_types(table):
            raise PipelineError(
                f"{workspace.pipeline.path}: output.tables names {table}, which has no column event_id. "
                "Every output table needs it: add it to the query, or to the step's key."
            )
    if options.generator != "none":
        wanted += GENERATOR_TABLES
    if options.weights:
        wanted.append("GenWeights")
    if options.keep_tmp:
        wanted += [table for table in workspace.event_tables if table in workspace.writer_of]
    return [table for table in known if table in wanted and table not in RUN_TABLES]


def _load(batch: Batch, chunk: Chunk, parsed: ParsedChunk) -> None:
    bad = {rejected.event_id for rejected in parsed.rejected}
    batch.write("DataSources", source_columns(chunk.sources))
    events = [event for event in chunk.events if event.event_id not in bad] if bad else chunk.events
    batch.write("Events", event_columns(events, bad))
    for table, columns in parsed.tables.items():
        if columns.rows:
            batch.write(table, columns)


def _describe(chunk: Chunk, rejected: Rejected) -> str:
    event = next(event for event in chunk.events if event.event_id == rejected.event_id)
    paths: Mapping[int, str] = {source.datasource_id: source.path for source in chunk.sources}
    line = f", line {rejected.line}" if rejected.line else ""
    where = f"{paths[event.datasource_id]}{line}, event {event.number}"
    return f"{where}: {rejected.message} Use --on-error skip to leave out such events."


def _timed(work: Any) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


class _StepName:
    """Add the step's name to errors from inside the step."""

    def __init__(self, step: Step) -> None:
        self.step = step

    def __enter__(self) -> None:
        pass

    def __exit__(self, _: object, error: BaseException | None, __: object) -> None:
        if isinstance(error, EventError):
            error.step = error.step or self.step.name
        elif isinstance(error, SqlamarrError) and f"{self.step.name!r}" not in str(error):
            raise type(error)(f"Step {self.step.name!r}: {error}") from error
