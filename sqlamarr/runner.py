"""The runner: events from the inputs, in batches through a worker, in order into the output."""

from __future__ import annotations

import secrets
import signal
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Executor
from pathlib import Path
from typing import Any

from sqlamarr import provenance
from sqlamarr.errors import InterruptedRunError, SqlamarrError
from sqlamarr.output import OutputFile, check_output
from sqlamarr.pipeline import Pipeline, load
from sqlamarr.random import check_seed
from sqlamarr.running.coordinator import Coordinator
from sqlamarr.running.signals import Interruptions, interruptible
from sqlamarr.running.tasks import Job, adopt
from sqlamarr.running.tolerance import judge, tolerate
from sqlamarr.running.workers import hired
from sqlamarr.sources import as_arguments, open_inputs
from sqlamarr.sources.base import ROWS_PER_EVENT
from sqlamarr.steps.truth import AT_ORIGIN, PRIMARIES
from sqlamarr.summary import RunSummary
from sqlamarr.worker import BatchResult, Worker, WorkerOptions

Progress = Callable[[int], object]
Input = str | Path | Mapping[str, Any]
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
    jobs: int = 1,
    executor: Executor | None = None,
    progress: Progress | None = None,
) -> RunSummary:
    """Simulate events and write the results to an SQLite file.

    :param pipeline: a pipeline, the name of a shipped one, or the path of its YAML file
    :param inputs: HepMC files, globs, archives, YAML files that describe a source, what such a file says as a dict
        (``{"gun": {...}}``), a table of particles (a frame, or a dict of arrays), or ``-`` for the standard input
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
    :param jobs: processes that work on batches; 1: this one itself. No influence on the results
    :param executor: any :class:`concurrent.futures.Executor` to work on batches instead, such as
        ``dask.distributed.Client(...).get_executor(pure=False)``
    :param progress: called with the number of events done after every batch
    :raises SqlamarrError: one of the classes in :mod:`sqlamarr.errors`
    """
    arguments = as_arguments(inputs)
    _check_options(generator, on_error, max_rejected, max_events, first_event)
    seed = secrets.randbits(63) if seed is None else check_seed(seed)
    path = Path(output)
    check_output(path, overwrite=overwrite, inputs=[entry for entry in arguments if isinstance(entry, str)])
    prepared = pipeline if isinstance(pipeline, Pipeline) else load(pipeline)
    prepared = prepared.with_conditions(conditions or {}).with_models(models or {})
    skip = on_error == "skip"
    chosen = WorkerOptions(seed, generator, weights, keep_tmp, skip)
    worker = Worker(prepared, chosen)
    source = open_inputs(
        arguments, seed=seed, first_event=first_event, collisions=collisions, max_events=max_events, on_error=on_error
    )
    summary = RunSummary(prepared.name, seed, str(output))
    options = {
        "seed": str(seed), "first_event": first_event, "max_events": max_events, "batch_size": batch_size,
        "collisions": collisions, "on_error": on_error, "max_rejected": max_rejected, "generator": generator,
    }  # fmt: skip
    job = Job.of(prepared, chosen)
    adopt(job, worker)
    start = time.perf_counter()
    out: OutputFile | None = None
    with interruptible() as interruptions, hired(job, jobs=jobs, executor=executor) as workers:
        try:
            for results in Coordinator(workers, skip=skip).results(source.chunks(batch_size)):
                with interruptions.shielded():
                    # The file is made when the first batch is there: what fails at once leaves nothing.
                    out = out or _begin(path, worker, overwrite, provenance.before(prepared, worker, options))
                    _append(out, results, summary, max_rejected)
                if progress:
                    progress(sum(len(result.events) for result in results))
            out = out or _begin(path, worker, overwrite, provenance.before(prepared, worker, options))
            summary.elapsed = time.perf_counter() - start
            judge(summary, max_rejected)
            for warning in [*source.warnings, *_advice(summary, prepared)]:
                summary.warn(warning)
            out.describe({**provenance.after(source, summary), "cross_section": out.cross_section()})
        except KeyboardInterrupt:
            raise _interrupted(path, summary, interruptions) from None
        finally:
            if out is not None:
                out.close()
    return summary


def _begin(path: Path, worker: Worker, overwrite: bool, description: Mapping[str, Any]) -> OutputFile:
    out = OutputFile(path, worker.output_tables, worker.workspace.declared, views=worker.views, overwrite=overwrite)
    out.describe(description)
    return out


def _append(out: OutputFile, results: Sequence[BatchResult], summary: RunSummary, max_rejected: float) -> None:
    for result in results:
        out.append(result)
        summary.add(result)
        tolerate(summary, result, max_rejected)


def _interrupted(path: Path, summary: RunSummary, interruptions: Interruptions) -> InterruptedRunError:
    name = f" by {signal.Signals(interruptions.received).name}" if interruptions.received else ""
    return InterruptedRunError(
        f"Interrupted{name}. {path} holds the first {summary.events} events, complete ones; its status is 'incomplete'."
    )


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
