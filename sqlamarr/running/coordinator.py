"""The coordinator: it deals chunks to workers and puts their results back in the order of the events."""

from __future__ import annotations

import tempfile
from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlamarr.errors import WorkerDiedError
from sqlamarr.events.chunk import Chunk
from sqlamarr.output.batch_result import BatchResult
from sqlamarr.running.worker_process import event_in_words, rejection
from sqlamarr.running.workers import Workers, result_of


@dataclass
class _Dealt:
    """A chunk that a worker is processing."""

    chunk: Chunk
    future: Future[Any]


class Coordinator:
    """Deals a bounded number of chunks at a time, so that memory stays bounded for any input.

    :param skip: leave out an event that kills its worker; otherwise stop
    """

    def __init__(self, workers: Workers, *, skip: bool) -> None:
        self._workers, self._skip = workers, skip

    def results(self, chunks: Iterator[Chunk]) -> Iterator[list[BatchResult]]:
        """Yield the results of every chunk, in order.

        An error in the input is raised after the results of everything before it.
        """
        under_way: deque[_Dealt] = deque()
        failure: Exception | None = None
        exhausted = False
        while True:
            while not exhausted and len(under_way) < self._workers.window:
                try:
                    chunk = next(chunks)
                except StopIteration:
                    exhausted = True
                except Exception as error:
                    failure, exhausted = error, True
                else:
                    under_way.append(self._deal(chunk))
            if not under_way:
                break
            dealt = under_way.popleft()
            yield self._finish(dealt)
        if failure is not None:
            raise failure

    def _deal(self, chunk: Chunk) -> _Dealt:
        return _Dealt(chunk, self._workers.submit(chunk))

    def _finish(self, dealt: _Dealt) -> list[BatchResult]:
        try:
            return result_of(dealt.future)
        except Exception as error:
            if self._workers.cause_of_death(error) is None:
                raise
        # Once may be chance: the worker was killed from outside, or memory ran out.
        with tempfile.TemporaryDirectory() as folder:
            return self._again(dealt.chunk, Path(folder) / "step")

    def _again(self, chunk: Chunk, trace: Path) -> list[BatchResult]:
        """Process a suspect chunk once more; one that kills its worker again is split down to the event at fault."""
        try:
            return result_of(self._workers.submit(chunk, trace))
        except Exception as error:
            cause = self._workers.cause_of_death(error)
            if cause is None:
                raise
        if len(chunk.events) > 1:
            return [result for part in chunk.split() for result in self._again(part, trace)]
        step = trace.read_text() if trace.exists() else ""
        if self._skip:
            return [rejection(chunk, f"A worker process died on it, twice ({cause}).", step)]
        raise WorkerDiedError(
            f"{event_in_words(chunk, chunk.events[0].event_id)}: {f'step {step!r}: ' if step else ''}a worker process "
            f"died on it, twice ({cause}). A model or a function of the pipeline is likely to crash on this event. "
            "Use --on-error skip to leave out such events.",
            chunk.events[0].event_id,
            step,
        )
