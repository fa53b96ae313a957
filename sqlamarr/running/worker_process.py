"""What a worker process does: prepare a pipeline once, then process chunk after chunk."""

from __future__ import annotations

import pickle
import threading
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from sqlamarr.errors import EventError, InstallationError
from sqlamarr.events.chunk import Chunk
from sqlamarr.events.counters import Counters
from sqlamarr.events.event import Rejected
from sqlamarr.native.library import lib, version
from sqlamarr.output.batch_result import BatchResult
from sqlamarr.pipeline.definition import Pipeline
from sqlamarr.running.options import RunOptions
from sqlamarr.running.worker import Worker


@dataclass(frozen=True)
class Job:
    """What every worker of a run needs to know; it is small because it is sent with every chunk.

    :ivar token: identifies the run, as one process may serve several
    :ivar version: version of the package that deals the chunks
    :ivar spec: pickled pipeline and options
    """

    token: str
    version: str
    spec: bytes

    @classmethod
    def of(cls, pipeline: Pipeline, options: RunOptions) -> Job:
        """Make the job of running a pipeline; its path becomes absolute, as workers may have another working folder."""
        absolute = replace(pipeline, path=pipeline.path.absolute())
        return cls(uuid.uuid4().hex, str(version), pickle.dumps((absolute, options)))


class _Prepared(threading.local):
    """The worker of this thread: connections to SQLite are not shared between threads."""

    token = ""
    worker: Worker | None = None


_prepared = _Prepared()


def use_worker(job: Job, worker: Worker) -> None:
    """Let this thread use a worker that has been prepared already; the process keeps free memory between batches."""
    lib.sqlamarr_keep_memory()
    _prepared.token, _prepared.worker = job.token, worker


def _worker(job: Job) -> Worker:
    if _prepared.worker is None or _prepared.token != job.token:
        if job.version != version:
            raise InstallationError(
                f"A worker has sqlamarr {version}, but the run uses {job.version}: install the same version."
            )
        pipeline, options = pickle.loads(job.spec)
        use_worker(job, Worker(pipeline, options))
    assert _prepared.worker is not None
    return _prepared.worker


def prepare(job: Job) -> None:
    """Prepare for the first chunk.

    :raises PipelineError: the pipeline does not work here
    """
    _worker(job)


def work(job: Job, chunk: Chunk, trace: Path | None = None) -> list[BatchResult]:
    """The results of a chunk: one, or several if an event had to be left out.

    :param trace: file to which the name of every step is written before it runs
    :raises EventError: an event cannot be processed, and the run does not skip such events
    """
    worker = _worker(job)
    worker.trace = trace
    return list(_results(worker, chunk))


def work_packed(job: Job, chunk: Chunk, trace: Path | None = None) -> PackedResults:
    """The same, packed for sending between processes."""
    return pack(work(job, chunk, trace))


def _results(worker: Worker, chunk: Chunk) -> Iterator[BatchResult]:
    """Process a chunk; one that fails is split until only the event at fault is left out."""
    try:
        yield worker.pack(worker.process(chunk))
        return
    except EventError as error:
        failure = error
    skip = worker.options.skips_bad_events
    if not skip and failure.event_id is not None:
        raise type(failure)(_event_message(chunk, failure), failure.event_id, failure.step) from failure
    if len(chunk.events) > 1:
        for part in chunk.split():
            yield from _results(worker, part)
    elif skip:
        yield rejection(chunk, str(failure), failure.step)
    else:
        failure.event_id = chunk.events[0].event_id
        raise type(failure)(_event_message(chunk, failure), failure.event_id, failure.step) from failure


def rejection(chunk: Chunk, reason: str, step: str) -> BatchResult:
    """The result of a chunk of one event that is left out."""
    (event,) = chunk.events
    rejected = Rejected(event.event_id, event.line, reason, step)
    return BatchResult({}, chunk.events, chunk.sources, [rejected], Counters(), set())


def _event_message(chunk: Chunk, error: EventError) -> str:
    where = event_in_words(chunk, error.event_id)
    return f"{where}: step {error.step!r}: {error} Use --on-error skip to leave out such events."


def event_in_words(chunk: Chunk, event_id: int | None) -> str:
    """File and number of an event, for messages."""
    event = next((event for event in chunk.events if event.event_id == event_id), chunk.events[0])
    paths = {source.datasource_id: source.path for source in chunk.sources}
    return f"{paths[event.datasource_id]}, event {event.number}"


@dataclass(frozen=True)
class PackedResults:
    """Results ready for a pipe: one pickle followed by its large arrays, so that nothing is copied twice."""

    head: bytes
    sizes: list[int]
    body: bytes


def pack(results: list[BatchResult]) -> PackedResults:
    """Pack results as bytes."""
    buffers: list[pickle.PickleBuffer] = []
    head = pickle.dumps(results, protocol=5, buffer_callback=buffers.append)
    raw = [buffer.raw() for buffer in buffers]
    return PackedResults(head, [view.nbytes for view in raw], b"".join(raw))


def unpack(packed: Any) -> list[BatchResult]:
    """Restore what :func:`pack` was given; the arrays are views of the bytes."""
    if not isinstance(packed, PackedResults):
        results: list[BatchResult] = packed
        return results
    view, buffers, begin = memoryview(packed.body), [], 0
    for size in packed.sizes:
        buffers.append(view[begin : begin + size])
        begin += size
    return pickle.loads(packed.head, buffers=buffers)  # type: ignore[no-any-return]
