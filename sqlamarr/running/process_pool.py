"""Processes on this machine as a :class:`concurrent.futures.Executor`.

Unlike the standard library's pool, this one survives the death of a worker. Only the call that was running in it fails,
with an error that says so, and another process takes its place.
"""

from __future__ import annotations

import os
import shutil
import signal
from collections.abc import Callable, Iterator
from concurrent.futures import BrokenExecutor, Executor, Future
from contextlib import contextmanager, suppress
from multiprocessing import connection, get_context, parent_process
from queue import Empty, SimpleQueue
from threading import Lock, Thread
from typing import Any

from sqlamarr.errors import WorkersLostError
from sqlamarr.running import shared_memory as messages


class ProcessDiedError(BrokenExecutor):
    """The process that worked on this call has died.

    :ivar cause: name of the signal that killed it, or its exit code
    """

    def __init__(self, cause: str) -> None:
        super().__init__(f"The worker process ended with {cause}.")
        self.cause = cause


class Processes(Executor):
    """Spawned processes, which end when their parent dies and leave Ctrl-C to it.

    :param jobs: the number of processes
    :param first: a function that each process calls first, with ``arguments``
    :raises WorkersLostError: the processes end as soon as they start
    """

    def __init__(self, jobs: int, first: Callable[..., Any] = os.getpid, *arguments: Any) -> None:
        self._calls: SimpleQueue[tuple[Future[Any], messages.Message] | None] = SimpleQueue()
        self._folder = messages.folder()
        self._outbox = messages.Outbox(self._folder.name)
        self._slots = [_Slot(self._calls, self._outbox, self._folder.name) for _ in range(jobs)]
        # An interrupt from the keyboard reaches children too; they inherit the signals ignored here.
        with _without_interrupts():
            for slot in self._slots:
                slot.begin()
        for slot in self._slots:
            slot.start()
        try:
            self._try_out(first, *arguments)
        except BaseException:
            self.kill()
            raise

    def _try_out(self, function: Callable[..., Any], *arguments: Any) -> None:
        try:
            for future in [self.submit(function, *arguments) for _ in self._slots]:
                future.result()
        except ProcessDiedError as error:
            raise WorkersLostError(
                "The worker processes end as soon as they start. If your script calls sqlamarr.run(..., jobs=...), "
                "put the call under 'if __name__ == \"__main__\":', because every worker imports that script. "
                "Otherwise see what the workers printed, or run without them (jobs=1)."
            ) from error

    def submit(self, function: Callable[..., Any], /, *arguments: Any, **named: Any) -> Future[Any]:
        """Call a function in one of the processes.

        The future raises ProcessDiedError if that process dies during the call.
        """
        future: Future[Any] = Future()
        self._calls.put((future, self._outbox.pack((function, arguments, named))))
        return future

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """Let the processes end when all calls are done."""
        for _ in self._slots:
            self._calls.put(None)
        for slot in self._slots:
            slot.join()
        self._folder.cleanup()

    def kill(self) -> None:
        """End the processes, whatever they are doing."""
        for slot in self._slots:
            slot.kill()
        self.shutdown()


class _Slot(Thread):
    """The place of one process: a thread that passes on one call after another, and replaces it if it dies."""

    def __init__(
        self, calls: SimpleQueue[tuple[Future[Any], messages.Message] | None], outbox: messages.Outbox, folder: str
    ) -> None:
        super().__init__(daemon=True)
        self._calls, self._outbox, self._folder = calls, outbox, folder
        self._killed = False
        self._beginning = Lock()

    def begin(self) -> None:
        """Start a new process."""
        context = get_context("spawn")
        with self._beginning:
            if self._killed:
                return
            self._pipe, theirs = context.Pipe()
            self._process = context.Process(target=_serve, args=(theirs, self._folder), daemon=True)
            self._process.start()
            theirs.close()  # now the end of the process is the end of the pipe
            self._inbox = messages.Inbox()
            self._read: SimpleQueue[str] = SimpleQueue()  # files of its answers that it may reuse

    def kill(self) -> None:
        """End the process, and start no other."""
        with self._beginning:
            self._killed = True
            self._process.kill()

    def run(self) -> None:
        """Pass on calls until there are none left."""
        while (call := self._calls.get()) is not None:
            future, message = call
            if future.set_running_or_notify_cancel():
                self._call(future, message)
        self._pipe.close()
        self._process.join()

    def _call(self, future: Future[Any], message: messages.Message) -> None:
        if self._killed:
            future.set_exception(ProcessDiedError("SIGKILL"))
            return
        try:
            self._pipe.send((message.data, list(_emptied(self._read))))
            answer = self._pipe.recv_bytes()
        except (EOFError, OSError):
            cause = self._cause()
            self.begin()
            future.set_exception(ProcessDiedError(cause))
            return
        finally:
            self._outbox.free(message.path)
        try:
            done, value = self._inbox.unpack(answer, self._read.put)
        except BaseException as error:  # an error of this process: no memory, no descriptors
            done, value = False, error
        if done:
            future.set_result(value)
        else:
            future.set_exception(value)

    def _cause(self) -> str:
        self._process.join()
        self._pipe.close()
        code = self._process.exitcode or 0
        return signal.Signals(-code).name if code < 0 else f"exit code {code}"


def _serve(pipe: Any, folder: str) -> None:
    """Serve calls in a worker process, until the pipe is closed."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    parent = parent_process()
    if parent is not None:
        Thread(target=_end_with, args=(parent.sentinel, folder), daemon=True).start()
    inbox, outbox = messages.Inbox(), messages.Outbox(folder)
    with suppress(EOFError, OSError):
        while True:
            message, read = pipe.recv()
            for path in read:
                outbox.free(path)
            pipe.send_bytes(_answer(message, inbox, outbox))


def _answer(message: bytes, inbox: messages.Inbox, outbox: messages.Outbox) -> bytes:
    try:
        function, arguments, named = inbox.unpack(message)
        answer = True, function(*arguments, **named)
    except BaseException as error:
        answer = False, error
    try:
        return outbox.pack(answer).data
    except Exception as error:  # an exception that cannot be sent
        return outbox.pack((False, RuntimeError(f"{answer[1]!r} cannot be sent between processes: {error}"))).data


def _emptied(queue: SimpleQueue[str]) -> Iterator[str]:
    with suppress(Empty):
        while True:
            yield queue.get_nowait()


def _end_with(sentinel: int, folder: str) -> None:
    """End this process when its parent dies, and remove the folder that the parent can no longer remove."""
    connection.wait([sentinel])
    shutil.rmtree(folder, ignore_errors=True)
    os._exit(1)


@contextmanager
def _without_interrupts() -> Iterator[None]:
    """Ignore SIGINT in the block, also in processes that are started there."""
    before: Any = None
    with suppress(ValueError):  # not the main thread: nothing is raised there
        before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        if before is not None:
            signal.signal(signal.SIGINT, before)
