"""Ctrl-C and what batch systems send instead: the run ends between two transactions, not within one."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from types import FrameType
from typing import Any

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGXCPU)


class Interruptions:
    """Signals that came.

    :ivar received: number of the first one, None: none yet
    """

    def __init__(self) -> None:
        self.received: int | None = None
        self._shielded = False

    def take(self, number: int, _: FrameType | None) -> None:
        """Signal handler."""
        if self.received is None:
            self.received = number
        if not self._shielded:
            raise KeyboardInterrupt

    @contextmanager
    def shielded(self) -> Iterator[None]:
        """What comes within the block takes effect at its end.

        :raises KeyboardInterrupt: something came, now or before, but was lost on its way
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
    """Within the block SIGTERM and SIGXCPU act as Ctrl-C does, unless somebody else has taken care of them.

    Signals reach the main thread only; in any other one nothing changes.
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
