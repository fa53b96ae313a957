"""Who does the work: this process, processes of this machine, a Dask cluster, or somebody's executor."""

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

AHEAD = 2  # chunks that wait beside those that are worked on, per worker


class Workers(Protocol):
    """Where chunks are sent to."""

    @property
    def window(self) -> int:
        """How many chunks may be under way, finished ones that wait to be written included."""

    def submit(self, chunk: Chunk, trace: Path | None = None) -> Future[Any]:
        """Begin to work on a chunk; ``trace`` is a file that shall tell which step runs."""

    def cause_of_death(self, error: BaseException) -> str | None:
        """If an error means that a worker died, and not that it said what is wrong: how."""

    def close(self, *, finished: bool) -> None:
        """Let the workers go; unless all is finished, without waiting for what they do."""


class InProcess:
    """The calling process itself: a chunk is done when it is submitted."""

    window = 1

    def __init__(self, job: Job) -> None:
        self._job = job

    def submit(self, chunk: Chunk, trace: Path | None = None) -> Future[list[BatchResult]]:
        """Work on it now."""
        future: Future[list[BatchResult]] = Future()
        future.set_result(work(self._job, chunk, trace))  # errors need no detour
        return future

    def cause_of_death(self, error: BaseException) -> None:
        """Then nobody would ask."""
        return

    def close(self, *, finished: bool) -> None:
        """Nothing to do."""


class OnExecutor:
    """An executor: ours of processes, Dask's, or any other one.

    :param jobs: how many chunks it works on at a time
    """

    def __init__(self, job: Job, executor: Executor, jobs: int) -> None:
        self.window = jobs * (1 + AHEAD)
        self._job, self._executor = job, executor

    def submit(self, chunk: Chunk, trace: Path | None = None) -> Future[Any]:
        """Hand it over.

        :raises WorkersLostError: the executor is closed or broken
        """
        try:
            # Our own processes know how to pass on what is large.
            function = work if isinstance(self._executor, Processes) else work_packed
            return self._executor.submit(function, self._job, chunk, trace)
        except (BrokenExecutor, RuntimeError) as error:
            raise WorkersLostError(f"The executor takes no further work: {error}") from error

    def cause_of_death(self, error: BaseException) -> str | None:
        """By the errors of our own processes; others' pools that break cannot be replaced by us.

        :raises WorkersLostError: such a pool is broken
        """
        if isinstance(error, ProcessDiedError):
            return error.cause
        if isinstance(error, BrokenExecutor):
            raise WorkersLostError(f"The executor that runs the workers broke: {error}") from error
        return None

    def close(self, *, finished: bool) -> None:
        """Ours is closed, somebody else's not."""
        if isinstance(self._executor, Processes):
            self._executor.shutdown() if finished else self._executor.kill()


def result_of(future: Future[Any]) -> list[BatchResult]:
    """The results in a future, waiting for them."""
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
    """The workers that a run asks for, let go at the end.

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
