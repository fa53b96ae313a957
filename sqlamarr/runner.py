"""The runner: events from the inputs, in batches through a worker, in order into the output."""

from __future__ import annotations

import platform
import secrets
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import sqlamarr
from sqlamarr.errors import EventError, SqlamarrError
from sqlamarr.models import sha256
from sqlamarr.output import OutputFile
from sqlamarr.pipeline import Pipeline, load
from sqlamarr.sources import open_inputs
from sqlamarr.sources.base import Chunk, Rejected
from sqlamarr.summary import RunSummary
from sqlamarr.worker import BatchResult, Worker, WorkerOptions

Progress = Callable[[int], object]
MIN_REJECTED = 10  # so many bad events are always tolerated where skipping is asked for


class TooManyRejectedError(SqlamarrError):
    """More events were rejected than the run tolerates."""


def run(
    pipeline: Pipeline | str | Path,
    inputs: Sequence[str | Path],
    output: str | Path,
    *,
    seed: int | None = None,
    batch_size: int = 500,
    first_event: int = 0,
    max_events: int | None = None,
    collisions: str = "auto",
    on_error: str = "stop",
    max_rejected: float = 0.01,
    generator: str = "none",
    weights: bool = False,
    keep_tmp: bool = False,
    overwrite: bool = False,
    conditions: Mapping[str, Any] | None = None,
    models: Mapping[str, str] | None = None,
    progress: Progress | None = None,
) -> RunSummary:
    """Simulate events and write the results to an SQLite file.

    :param pipeline: a pipeline, the name of a shipped one, or the path of its YAML file
    :param inputs: HepMC files, globs, archives, or ``-`` for the standard input
    :param output: the file to write
    :param seed: 0 to 2^64 - 1; the same seed gives the same results. None: drawn, and in the summary
    :param batch_size: events that go through the steps together; no influence on the results
    :param first_event: ordinal of the first event, for jobs that are parts of one production
    :param max_events: stop after so many events
    :param collisions: ``record`` (every HepMC record is an event), ``file`` (all records of a file are
        collisions of one event), or ``auto`` (``record`` unless the content shows LHCb's status codes)
    :param on_error: ``stop``, or ``skip`` to reject events that cannot be processed
    :param max_rejected: with ``skip``, the fraction of rejected events at which the run stops
    :param generator: how much of the generator's record to keep: ``none``, ``selected``, ``full``
    :param weights: keep all generator weights in GenWeights
    :param keep_tmp: keep the steps' own tables
    :param overwrite: replace an existing output file
    :param conditions: changes to the pipeline's conditions
    :param models: other model libraries, by the pipeline's names
    :param progress: called with the number of events done after every batch
    :raises SqlamarrError: one of the classes in :mod:`sqlamarr.errors`
    """
    prepared = pipeline if isinstance(pipeline, Pipeline) else load(pipeline)
    prepared = prepared.with_conditions(conditions or {}).with_models(models or {})
    seed = secrets.randbits(63) if seed is None else seed
    skip = on_error == "skip"
    worker = Worker(prepared, WorkerOptions(seed, generator, weights, keep_tmp, skip))
    source = open_inputs(
        [str(path) for path in inputs],
        first_event=first_event,
        collisions=collisions,
        max_events=max_events,
        on_error=on_error,
    )
    out = OutputFile(Path(output), worker.output_tables, worker.workspace.db, views=worker.views, overwrite=overwrite)
    summary = RunSummary(prepared.name, seed, str(output))
    try:
        out.describe(_provenance_before(prepared, worker, seed, collisions, first_event))
        start = time.perf_counter()
        for result in _results(worker, source.chunks(batch_size), skip):
            out.append(result)
            summary.add(result)
            _tolerate(summary, max_rejected)
            if progress:
                progress(len(result.events))
        summary.elapsed = time.perf_counter() - start
        for warning in [*source.warnings, *_advice(summary, prepared)]:
            summary.warn(warning)
        out.describe({**_provenance_after(source, summary), "cross_section": out.cross_section()})
    finally:
        out.close()
    return summary


def _results(worker: Worker, chunks: Iterator[Chunk], skip: bool) -> Iterator[BatchResult]:
    for chunk in chunks:
        yield from _process(worker, chunk, skip)


def _process(worker: Worker, chunk: Chunk, skip: bool) -> Iterator[BatchResult]:
    """The results of a chunk; one that fails is split until only the guilty event is left out."""
    try:
        yield worker.process(chunk)
        return
    except EventError as error:
        if not skip:
            raise type(error)(_event_message(chunk, error), error.event_id, error.step) from error
        failure = error
    if len(chunk.events) > 1:
        for part in chunk.split():
            yield from _process(worker, part, skip)
    else:
        (event,) = chunk.events
        rejected = Rejected(event.event_id, event.line, str(failure), failure.step)
        yield BatchResult({}, chunk.events, chunk.sources, [rejected], Counter(), set())


def _event_message(chunk: Chunk, error: EventError) -> str:
    event = next((event for event in chunk.events if event.event_id == error.event_id), None)
    if event is None:
        return f"Step {error.step!r}: {error}"
    paths = {source.datasource_id: source.path for source in chunk.sources}
    return (
        f"{paths[event.datasource_id]}, event {event.number}: step {error.step!r}: {error} "
        "Use --on-error skip to leave out such events."
    )


def _tolerate(summary: RunSummary, fraction: float) -> None:
    if summary.rejected > max(MIN_REJECTED, fraction * summary.events):
        raise TooManyRejectedError(
            f"{summary.rejected} of {summary.events} events were rejected, more than --max-rejected "
            f"{fraction:g} allows. The reasons are in the table RejectedEvents of {summary.output}."
        )


def _advice(summary: RunSummary, pipeline: Pipeline) -> Iterator[str]:
    primaries = summary.counts["primary vertices"]
    all_at_origin = primaries and summary.counts["primary vertices at the origin"] == primaries
    if all_at_origin and pipeline.conditions.get("luminous_region") == "none":
        yield (
            "every primary vertex of the input lies at the origin. To spread them over the luminous region "
            "use --condition luminous_region=lhcb."
        )


def _provenance_before(
    pipeline: Pipeline, worker: Worker, seed: int, collisions: str, first_event: int
) -> dict[str, Any]:
    libraries = {name: worker.workspace.library(name) for name in pipeline.models}
    return {
        "status": "incomplete",
        "sqlamarr": str(sqlamarr.__version__),
        "platform": f"{platform.system()} {platform.machine()}, Python {platform.python_version()}",
        "started": datetime.now(timezone.utc).isoformat(timespec="seconds"),
        "pipeline": pipeline.name,
        "pipeline_file": str(pipeline.path),
        "pipeline_text": pipeline.text,
        "templates": {path.name: path.read_text() for path in sorted(pipeline.folder.glob("*.sql"))},
        "conditions": dict(pipeline.conditions),
        "models": {name: {"library": str(path), "sha256": sha256(path)} for name, path in libraries.items()},
        "seed": str(seed),
        "first_event": first_event,
        "collisions": collisions,
    }


def _provenance_after(source: Any, summary: RunSummary) -> dict[str, Any]:
    return {
        "status": "complete",
        "finished": datetime.now(timezone.utc).isoformat(timespec="seconds"),
        "inputs": source.inputs(),
        "weight_names": list(source.weight_names),
        "collisions": source.collisions,
        "summary": summary.as_dict(),
    }
