"""The runner: events from the inputs, in batches through a worker, in order into the output."""

from __future__ import annotations

import secrets
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import chain
from pathlib import Path
from typing import Any

from sqlamarr import provenance
from sqlamarr.errors import EventError, InterruptedRunError, SqlamarrError, TooManyRejectedError
from sqlamarr.output import OutputFile, check_output
from sqlamarr.pipeline import Pipeline, load
from sqlamarr.random import check_seed
from sqlamarr.sources import open_inputs
from sqlamarr.sources.base import ROWS_PER_EVENT, Chunk, Rejected
from sqlamarr.steps.truth import AT_ORIGIN, PRIMARIES
from sqlamarr.summary import RunSummary
from sqlamarr.worker import BatchResult, Worker, WorkerOptions

Progress = Callable[[int], object]
Input = str | Path | Mapping[str, Any]
JUDGED_EVERY = 1000  # events
MIN_REJECTED = 10  # so many bad events are always tolerated where skipping is asked for
LAST_ORDINAL = 2**63 // ROWS_PER_EVENT - 1  # ids are 64-bit integers


def run(
    pipeline: Pipeline | str | Path,
    inputs: Input | Sequence[Input],
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
    models: Mapping[str, str | Mapping[str, Any]] | None = None,
    progress: Progress | None = None,
) -> RunSummary:
    """Simulate events and write the results to an SQLite file.

    :param pipeline: a pipeline, the name of a shipped one, or the path of its YAML file
    :param inputs: HepMC files, globs, archives, YAML files that describe a source, what such a file says as a dict
        (``{"gun": {...}}``), or ``-`` for the standard input
    :param output: the file to write
    :param seed: 0 to 2^64 - 1; the same seed gives the same results. None: drawn, and in the summary
    :param batch_size: events that go through the steps together; no influence on the results
    :param first_event: ordinal of the first event, for jobs that are parts of one production
    :param max_events: stop after so many events
    :param collisions: ``record`` (every HepMC record is an event), ``file`` (all records of a file are
        collisions of one event), or ``auto`` (``record`` unless the content shows LHCb's status codes)
    :param on_error: ``stop``, or ``skip`` to reject events that cannot be processed
    :param max_rejected: with ``skip``, the fraction of rejected events above which the run stops; ten are
        always tolerated
    :param generator: how much of the generator's record to keep: ``none``, ``selected``, ``full``
    :param weights: keep all generator weights in GenWeights
    :param keep_tmp: keep the steps' own tables
    :param overwrite: replace an existing output file
    :param conditions: changes to the pipeline's conditions
    :param models: other models, by the pipeline's names: see :meth:`sqlamarr.pipeline.Pipeline.with_models`
    :param progress: called with the number of events done after every batch
    :raises SqlamarrError: one of the classes in :mod:`sqlamarr.errors`
    """
    given = [inputs] if isinstance(inputs, (str, Path, Mapping)) else inputs
    arguments = [entry if isinstance(entry, Mapping) else str(entry) for entry in given]
    _check_options(generator, on_error, max_rejected, max_events, first_event)
    seed = secrets.randbits(63) if seed is None else check_seed(seed)
    path = Path(output)
    check_output(path, overwrite=overwrite, inputs=[entry for entry in arguments if isinstance(entry, str)])
    prepared = pipeline if isinstance(pipeline, Pipeline) else load(pipeline)
    prepared = prepared.with_conditions(conditions or {}).with_models(models or {})
    skip = on_error == "skip"
    worker = Worker(prepared, WorkerOptions(seed, generator, weights, keep_tmp, skip))
    source = open_inputs(
        arguments, seed=seed, first_event=first_event, collisions=collisions, max_events=max_events, on_error=on_error
    )
    summary = RunSummary(prepared.name, seed, str(output))
    options = {
        "seed": str(seed), "first_event": first_event, "max_events": max_events, "batch_size": batch_size,
        "collisions": collisions, "on_error": on_error, "max_rejected": max_rejected, "generator": generator,
    }  # fmt: skip
    start = time.perf_counter()
    results = _results(worker, source.chunks(batch_size), skip)
    # The file is made when the first batch is there: what fails at once leaves nothing, and spoils nothing.
    first = next(results, None)
    out = OutputFile(path, worker.output_tables, worker.workspace.db, views=worker.views, overwrite=overwrite)
    try:
        out.describe(provenance.before(prepared, worker, options))
        _append(out, chain([first] if first else [], results), summary, max_rejected, progress)
        summary.elapsed = time.perf_counter() - start
        _judge(summary, summary.rejected, summary.events, max_rejected)
        for warning in [*source.warnings, *_advice(summary, prepared)]:
            summary.warn(warning)
        out.describe({**provenance.after(source, summary), "cross_section": out.cross_section()})
    finally:
        out.close()
    return summary


def _append(
    out: OutputFile,
    results: Iterable[BatchResult],
    summary: RunSummary,
    max_rejected: float,
    progress: Progress | None,
) -> None:
    """Write what comes, batch by batch, until there is no more or too much was rejected."""
    try:
        for result in results:
            out.append(result)
            summary.add(result)
            _tolerate(summary, result, max_rejected)
            if progress:
                progress(len(result.events))
    except KeyboardInterrupt:
        raise InterruptedRunError(
            f"Interrupted. {out.path} holds the first {summary.events} events, complete ones; "
            "its status is 'incomplete'."
        ) from None


def _check_options(
    generator: str, on_error: str, max_rejected: float, max_events: int | None, first_event: int
) -> None:
    """Refuse values that mean nothing before anything is done."""
    choices = {"generator": (generator, ("none", "selected", "full")), "on_error": (on_error, ("stop", "skip"))}
    for name, (value, known) in choices.items():
        if value not in known:
            raise SqlamarrError(f"{name} must be one of {', '.join(known)}, found {value!r}.")
    if not 0 <= max_rejected <= 1:
        raise SqlamarrError(f"max_rejected is a fraction from 0 to 1, found {max_rejected!r}.")
    if max_events is not None and max_events < 1:
        raise SqlamarrError(f"max_events must be at least 1, found {max_events!r}.")
    if not 0 <= first_event <= LAST_ORDINAL:
        raise SqlamarrError(f"first_event must be from 0 to {LAST_ORDINAL}, found {first_event!r}.")


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


def _tolerate(summary: RunSummary, result: BatchResult, fraction: float) -> None:
    """Judge the rejected events at every thousandth event, so that it does not depend on the batches."""
    end = summary.events
    begin = end - len(result.events)
    for mark in range((begin // JUDGED_EVERY + 1) * JUDGED_EVERY, end + 1, JUDGED_EVERY):
        later = {event.event_id for event in result.events[mark - begin :]}
        _judge(summary, summary.rejected - sum(row.event_id in later for row in result.rejected), mark, fraction)


def _judge(summary: RunSummary, rejected: int, events: int, fraction: float) -> None:
    if rejected > max(MIN_REJECTED, fraction * events):
        raise TooManyRejectedError(
            f"{rejected} of {events} events were rejected, more than --max-rejected {fraction:g} allows. "
            f"The reasons are in the table RejectedEvents of {summary.output}."
        )


def _advice(summary: RunSummary, pipeline: Pipeline) -> Iterator[str]:
    primaries = summary.counts[PRIMARIES]
    all_at_origin = primaries and summary.counts[AT_ORIGIN] == primaries
    if all_at_origin and pipeline.conditions.get("luminous_region") == "none":
        yield (
            "every primary vertex of the input lies at the origin. To spread them over the luminous region "
            "use --condition luminous_region=lhcb."
        )
    if pipeline.conditions.get("luminous_region") == "lhcb" and summary.counts[AT_ORIGIN] < primaries:
        yield (
            "the input's collisions were spread already, and luminous_region=lhcb moved them once more. "
            "It is meant for inputs whose collisions all lie at the origin."
        )
