"""The runner: events from the inputs, in batches through a worker, in order into the output."""

from __future__ import annotations

import secrets
import signal
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Executor
from pathlib import Path
from typing import Any

from sqlamarr.checking.arguments import mapping, path_like, real, unexpected, whole
from sqlamarr.errors import InterruptedRunError, SqlamarrError
from sqlamarr.events.event import ROWS_PER_EVENT
from sqlamarr.native.random import check_seed
from sqlamarr.output.file import check_output
from sqlamarr.output.summary import RunSummary
from sqlamarr.output.write_lock import claimed
from sqlamarr.pipeline.definition import Pipeline
from sqlamarr.pipeline.load import load
from sqlamarr.running.scratch import staged
from sqlamarr.running.session import Session, Settings, reopened
from sqlamarr.running.signals import interruptible
from sqlamarr.running.worker import WorkerOptions
from sqlamarr.running.workers import hired
from sqlamarr.sources.inputs import as_arguments

Progress = Callable[[int], object]
Input = str | Path | Mapping[str, Any]
PIPELINE = "the name of a shipped one, or the path of a YAML file"
LAST_ORDINAL = 2**63 // ROWS_PER_EVENT - 1  # ids are 64-bit integers


def run(
    pipeline: Pipeline | str | Path,
    inputs: Input | Sequence[Input],
    output: str | Path,
    *,
    seed: int | None = None,
    batch_size: int | None = None,
    first_event: int = 0,
    skip_events: int = 0,
    max_events: int | None = None,
    collisions: str = "auto",
    on_error: str = "stop",
    max_rejected: float = 0.01,
    generator: str = "none",
    weights: bool = False,
    keep_tmp: bool = False,
    overwrite: bool = False,
    resume: bool = False,
    scratch: str | Path | None = None,
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
    :param batch_size: events that go through the steps together; no influence on the results. None: 500, of particle
        guns, whose events are small, up to 8,000
    :param first_event: ordinal of the first event of the inputs, for jobs that are parts of one production
    :param skip_events: leave out so many events at the beginning of the inputs, which keep their ordinals
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
    :param resume: continue a run that was interrupted, in its output file; begin one if there is none. The result is
        that of a run without interruption; what would make it another one (pipeline, seed, inputs, ...) is an error
    :param scratch: a folder in which the file is written, to be moved to its place at the end
    :param conditions: changes to the pipeline's conditions
    :param models: other models, by the pipeline's names: see :meth:`sqlamarr.pipeline.definition.Pipeline.with_models`
    :param jobs: processes that work on batches; 1: this one itself. No influence on the results
    :param executor: any :class:`concurrent.futures.Executor` to work on batches instead, such as
        ``dask.distributed.Client(...).get_executor(pure=False)``
    :param progress: called with the number of events done after every batch
    :raises SqlamarrError: one of the classes in :mod:`sqlamarr.errors`
    """
    arguments = as_arguments(inputs)
    first_event, skip_events = whole("first_event", first_event), whole("skip_events", skip_events)
    max_events = None if max_events is None else whole("max_events", max_events)
    batch_size = None if batch_size is None else whole("batch_size", batch_size)
    jobs, max_rejected = whole("jobs", jobs), real("max_rejected", max_rejected)
    _check_options(generator, on_error, max_rejected, max_events, first_event + skip_events)
    _check_called(executor, progress)
    if resume and overwrite:
        raise SqlamarrError("A run is either resumed or begun anew: resume and overwrite exclude each other.")
    path = path_like("output", output)
    names = [entry for entry in arguments if isinstance(entry, str)]
    check_output(path, overwrite=overwrite, resume=resume, inputs=names)
    prepared = pipeline if isinstance(pipeline, Pipeline) else load(path_like("pipeline", pipeline, PIPELINE))
    prepared = prepared.with_conditions(mapping("conditions", conditions or {}, "{'period': 2016}"))
    prepared = prepared.with_models(mapping("models", models or {}, "{'tracking': 'my_model.so'}"))
    folder = None if scratch is None else path_like("scratch", scratch)
    with (
        interruptible() as interruptions,
        claimed(path),
        staged(path, folder, overwrite=overwrite, resume=resume) as working,
    ):
        found = reopened(working) if resume else None
        try:
            if seed is None:
                seed = found.seed if found else secrets.randbits(63)
            chosen = WorkerOptions(check_seed(seed), generator, weights, keep_tmp, on_error == "skip")
            settings = Settings(
                prepared, chosen, arguments, path, working, found, batch_size, first_event, skip_events, max_events,
                collisions, on_error, max_rejected, overwrite,
            )  # fmt: skip
            session = Session(settings, interruptions, progress)
            with hired(session.job, jobs=jobs, executor=executor) as workers:
                return session.run(workers)
        except KeyboardInterrupt:
            number = interruptions.received or signal.SIGINT
            raise InterruptedRunError("Interrupted before the first event was begun.", number) from None
        finally:
            if found:
                found.out.close()


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


def _check_called(executor: Any, progress: Any) -> None:
    """Refuse what cannot be called when its time comes."""
    if executor is not None and not hasattr(executor, "submit"):
        raise unexpected("executor", "an Executor of concurrent.futures, or alike", executor)
    if progress is not None and not callable(progress):
        raise unexpected("progress", "a function of the number of events", progress)
