"""Where the work is done: in this process, processes on this machine, a Dask cluster, or the caller's executor."""

from __future__ import annotations

import os
from collections.abc import Iterator
from concurrent.futures import BrokenExecutor, Executor, Future
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Protocol

from sqlamarr.errors import SqlamarrError, WorkersLostError
from sqlamarr.events.chunk import Chunk
from sqlamarr.output.batch_result import BatchResult
from sqlamarr.running.dask import OnDask, is_dask
from sqlamarr.running.process_pool import ProcessDiedError, Processes
from sqlamarr.running.worker_process import Job, prepare, unpack, work, work_packed

AHEAD = 2  # chunks that wait in addition to those being processed, per worker


class Workers(Protocol):
    """Where chunks are sent."""

    @property
    def window(self) -> int:
        """How many chunks may be in flight, including finished ones that wait to be written."""

    def submit(self, chunk: Chunk, trace: Path | None = None) -> Future[Any]:
        """Start processing a chunk; the name of the running step is written to the file ``trace``."""

    def cause_of_death(self, error: BaseException) -> str | None:
        """How a worker died, if that is what an error means; None if the worker raised the error itself."""

    def close(self, *, finished: bool) -> None:
        """Release the workers; unless everything is finished, do not wait for them."""


class InProcess:
    """The calling process itself: a chunk is done when it is submitted."""

    window = 1

    def __init__(self, job: Job) -> None:
        self._job = job

    def submit(self, chunk: Chunk, trace: Path | None = None) -> Future[list[BatchResult]]:
        """Process a chunk now."""
        future: Future[list[BatchResult]] = Future()
        future.set_result(work(self._job, chunk, trace))  # errors are raised here directly
        return future

    def cause_of_death(self, error: BaseException) -> None:
        """None: if this process died, nothing would call this."""
        return

    def close(self, *, finished: bool) -> None:
        """Nothing to do."""


class OnExecutor:
    """An executor: sqlamarr's own processes, or any other executor.

    :param jobs: how many chunks it processes at a time
    """

    def __init__(self, job: Job, executor: Executor, jobs: int) -> None:
        self.window = jobs * (1 + AHEAD)
        self._job, self._executor = job, executor

    def submit(self, chunk: Chunk, trace: Path | None = None) -> Future[Any]:
        """Submit a chunk to the executor.

        :raises WorkersLostError: the executor is closed or broken
        """
        try:
            # Our own processes pass on large data themselves.
            function = work if isinstance(self._executor, Processes) else work_packed
            return self._executor.submit(function, self._job, chunk, trace)
        except (BrokenExecutor, RuntimeError) as error:
            raise WorkersLostError(f"The executor accepts no more work: {error}") from error

    def cause_of_death(self, error: BaseException) -> str | None:
        """The cause, from errors of our own processes; another pool cannot be replaced when it breaks.

        :raises WorkersLostError: another pool is broken
        """
        if isinstance(error, ProcessDiedError):
            return error.cause
        if isinstance(error, BrokenExecutor):
            raise WorkersLostError(f"The executor that runs the workers broke: {error}") from error
        return None

    def close(self, *, finished: bool) -> None:
        """Close our own processes; the caller's executor stays open."""
        if isinstance(self._executor, Processes):
            self._executor.shutdown() if finished else self._executor.kill()


def result_of(future: Future[Any]) -> list[BatchResult]:
    """Wait for the results in a future."""
    return unpack(future.result())


def _workers(job: Job, jobs: int, executor: Executor | None) -> Workers:
    if executor is not None and is_dask(executor):
        return OnDask(job, executor, AHEAD)
    if executor is not None:
        said = jobs if jobs > 1 else getattr(executor, "_max_workers", None) or os.cpu_count() or 1
        return OnExecutor(job, executor, int(said))
    return InProcess(job) if jobs == 1 else OnExecutor(job, Processes(jobs, prepare, job), jobs)


@contextmanager
def opened_workers(job: Job, *, jobs: int = 1, executor: Executor | None = None) -> Iterator[Workers]:
    """Open the workers of a run, and release them at the end.

    :raises SqlamarrError: a number of jobs below one
    """
    if jobs < 1:
        raise SqlamarrError(f"jobs must be at least 1, found {jobs!r}.")
    workers = _workers(job, jobs, executor)
    finished = False
    try:
        yield workers
        finished = True
    finally:
        workers.close(finished=finished)
