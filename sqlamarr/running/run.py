"""The run: events from the inputs pass through workers in batches, and are written to the output in order."""

from __future__ import annotations

import secrets
import signal
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import replace
from pathlib import Path
from typing import Any

from sqlamarr.checking.arguments import mapping, path_like, unexpected
from sqlamarr.errors import InterruptedRunError
from sqlamarr.files.write_lock import claimed
from sqlamarr.output.file import check_output
from sqlamarr.output.summary import RunSummary
from sqlamarr.pipeline.definition import Pipeline
from sqlamarr.pipeline.load import load
from sqlamarr.running.options import EventRange, RunOptions
from sqlamarr.running.session import RunSettings, Session, reopened
from sqlamarr.running.signals import Interruptions, interruptible
from sqlamarr.running.workers import opened_workers
from sqlamarr.running.working_file import WorkingFile
from sqlamarr.sources.inputs import as_arguments

Progress = Callable[[int], object]
Input = str | Path | Mapping[str, Any]
PIPELINE = "the name of a shipped pipeline, or the path of a YAML file"


def run(
    pipeline: Pipeline | str | Path,
    inputs: Input | Sequence[Input],
    output: str | Path,
    *,
    seed: int | None = None,
    batch_size: int | None = None,
    first_event: int = 0,
    events: EventRange | int | str | tuple[int | None, int | None] | None = None,
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

    :param pipeline: a pipeline, the name of a shipped pipeline, or the path of a YAML file
    :param inputs: HepMC files, globs, archives, YAML files that describe a source, the content of such a file as a dict
        (``{"gun": {...}}``), a table of particles (a frame, or a dict of arrays), or ``-`` for standard input
    :param output: the file to write
    :param seed: 0 to 2^64 - 1; the same seed gives the same results. None: one is drawn and given in the summary
    :param batch_size: events that go through the steps together; no influence on the results. None: 500, or up to
        8,000 for particle guns, whose events are small
    :param first_event: ordinal of the first event of the inputs, for jobs that each simulate a part of one production
    :param events: the number of events to stop after; or events A to B - 1 of the inputs, which keep their ordinals,
        as ``(A, B)`` or ``"A:B"``
    :param collisions: ``record`` (every HepMC record is an event), ``file`` (all records of a file are
        collisions of one event), or ``auto`` (``record`` unless the content shows LHCb's status codes)
    :param on_error: ``stop``, or ``skip`` to reject events that cannot be processed
    :param max_rejected: with ``skip``, the fraction of rejected events above which the run stops; ten are
        always tolerated
    :param generator: how much of the generator's record to keep: ``none``, ``selected``, ``full``
    :param weights: keep all generator weights in GenWeights
    :param keep_tmp: keep the steps' own tables
    :param overwrite: replace an existing output file, once the new one is complete
    :param resume: continue a run that was interrupted, with or without ``overwrite``; start one if there is none. The
        result is that of an uninterrupted run; a change that would alter it (pipeline, seed, inputs, ...) is an error
    :param scratch: a folder in which the file is written; the complete file is then moved to its place
    :param conditions: changes to the pipeline's conditions
    :param models: other models, by the pipeline's names: see :meth:`sqlamarr.pipeline.definition.Pipeline.with_models`
    :param jobs: number of worker processes; 1: this process itself. No influence on the results
    :param executor: any :class:`concurrent.futures.Executor` to run the workers instead, such as
        ``dask.distributed.Client(...).get_executor(pure=False)``
    :param progress: called with the number of events done after every batch
    :raises SqlamarrError: one of the classes in :mod:`sqlamarr.errors`
    """
    arguments = as_arguments(inputs)
    options = RunOptions(
        seed, batch_size, first_event, EventRange.of(events), collisions, on_error, max_rejected, generator, weights,
        keep_tmp, overwrite, resume, None if scratch is None else path_like("scratch", scratch), jobs,
    )  # fmt: skip
    _check_called(executor, progress)
    path = path_like("output", output)
    names = [entry for entry in arguments if isinstance(entry, str)]
    check_output(path, overwrite=overwrite, resume=resume, inputs=names)
    prepared = pipeline if isinstance(pipeline, Pipeline) else load(path_like("pipeline", pipeline, PIPELINE))
    prepared = prepared.with_conditions(mapping("conditions", conditions or {}, "{'period': 2016}"))
    prepared = prepared.with_models(mapping("models", models or {}, "{'tracking': 'my_model.so'}"))
    with interruptible() as interruptions, claimed(path):
        file, chosen = WorkingFile.choose(path, options, lambda: secrets.randbits(63))
        try:
            settings = RunSettings(prepared, replace(options, seed=chosen), arguments, file)
            summary = _run(settings, executor, progress, interruptions)
            file.complete()
        except BaseException as error:
            file.fail(error)
            raise
    return summary


def _run(
    settings: RunSettings, executor: Executor | None, progress: Progress | None, interruptions: Interruptions
) -> RunSummary:
    found = reopened(settings.file.working, settings.file.shown) if settings.file.continues else None
    try:
        session = Session(settings, found, interruptions, progress)
        settings.file.begin()
        with opened_workers(session.job, jobs=settings.options.jobs, executor=executor) as workers:
            return session.run(workers)
    except KeyboardInterrupt:
        number = interruptions.received or signal.SIGINT
        raise InterruptedRunError("Interrupted before the first event was started.", number) from None
    finally:
        if found:
            found.out.close()


def _check_called(executor: Any, progress: Any) -> None:
    """Refuse objects that could not be called later."""
    if executor is not None and not hasattr(executor, "submit"):
        raise unexpected("executor", "an Executor of concurrent.futures, or an object like one", executor)
    if progress is not None and not callable(progress):
        raise unexpected("progress", "a function of the number of events", progress)
