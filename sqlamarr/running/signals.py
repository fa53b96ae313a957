"""Ctrl-C and the signals of batch systems: the run ends between two transactions, not within one."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from types import FrameType
from typing import Any

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGXCPU)


class Interruptions:
    """The signals received so far.

    :ivar received: number of the first signal; None: none yet
    """

    def __init__(self) -> None:
        self.received: int | None = None
        self._shielded = False

    def take(self, number: int, _: FrameType | None) -> None:
        """Handle a signal."""
        if self.received is None:
            self.received = number
        if not self._shielded:
            raise KeyboardInterrupt

    @contextmanager
    def shielded(self) -> Iterator[None]:
        """Delay signals that arrive within the block until its end.

        :raises KeyboardInterrupt: a signal arrived, in the block or before it without having had an effect
        """
        self._shielded = True
        try:
            yield
        finally:
            self._shielded = False
        if self.received is not None:
            raise KeyboardInterrupt


@contextmanager
def interruptible() -> Iterator[Interruptions]:
    """Within the block, SIGTERM and SIGXCPU act as Ctrl-C does, unless they already have a handler.

    Signals reach only the main thread; in any other thread nothing changes.
    """
    interruptions = Interruptions()
    before: dict[signal.Signals, Any] = {}
    with suppress(ValueError):
        for number in SIGNALS:
            if signal.getsignal(number) in (signal.SIG_DFL, signal.default_int_handler):
                before[number] = signal.signal(number, interruptions.take)
    try:
        yield interruptions
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
