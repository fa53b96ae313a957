"""Workers on a Dask cluster."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from concurrent.futures import CancelledError, Executor, Future
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlamarr.errors import WorkersLostError, missing_package
from sqlamarr.events.chunk import Chunk
from sqlamarr.running.worker_process import Job, work_packed

CONNECTING = 30  # s


@contextmanager
def cluster(scheduler: str) -> Iterator[Executor]:
    """The executor of a running Dask cluster.

    :param scheduler: its address, e.g. ``tcp://host:8786``, or the file that ``dask scheduler --scheduler-file`` writes
    :raises InstallationError: Dask is not installed
    :raises WorkersLostError: there is no scheduler
    """
    try:
        from distributed import Client
    except ImportError as error:
        raise missing_package("--executor dask", "distributed", "dask") from error
    place = {"scheduler_file": scheduler} if Path(scheduler).is_file() else {"address": scheduler}
    try:
        connect: Any = Client  # it has no types
        client = connect(**place, timeout=CONNECTING)
    except (OSError, ValueError) as error:
        raise WorkersLostError(
            f"There is no Dask scheduler at {scheduler} ({error}). Start one with 'dask scheduler', and workers with "
            "'dask worker ADDRESS'; see docs/running.md."
        ) from error
    with client:
        yield client.get_executor(pure=False)


def is_dask(executor: Executor) -> bool:
    """Whether an executor is Dask's."""
    return type(executor).__module__.startswith("distributed.")


class OnDask:
    """Workers of a Dask cluster. Dask itself passes the work of a lost worker to another one.

    :param ahead: chunks that wait in addition to those being processed, per worker
    """

    def __init__(self, job: Job, executor: Any, ahead: int) -> None:
        self._job, self._executor, self._ahead = job, executor, ahead

    @property
    def window(self) -> int:
        """The number of chunks in flight, from the number of threads that the cluster has now."""
        threads = int(sum(self._executor._client.nthreads().values()))
        return max(threads, 1) * (1 + self._ahead)

    def submit(self, chunk: Chunk, trace: Path | None = None) -> Future[Any]:
        """Send a chunk to the scheduler; steps cannot be traced on other machines.

        :raises WorkersLostError: the connection is closed
        """
        with warnings.catch_warnings():
            # Chunks may be large. A scattered one would be lost with the worker that holds it.
            warnings.filterwarnings("ignore", message="Sending large graph")
            try:
                future: Future[Any] = self._executor.submit(work_packed, self._job, chunk)
            except RuntimeError as error:
                raise WorkersLostError(f"The Dask cluster accepts no more work: {error}") from error
        return future

    def cause_of_death(self, error: BaseException) -> str | None:
        """Return the cause if several workers have died on one chunk.

        :raises WorkersLostError: the scheduler is gone
        """
        if isinstance(error, CancelledError) or type(error).__name__ in ("CommClosedError", "FutureCancelledError"):
            raise WorkersLostError(f"The Dask scheduler is gone, or has cancelled the work: {error}") from error
        return "KilledWorker" if type(error).__name__ == "KilledWorker" else None

    def close(self, *, finished: bool) -> None:
        """Cancel what is no longer needed; the cluster itself is left running."""
        if not finished:
            self._executor.shutdown(wait=False)
