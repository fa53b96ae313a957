"""Code shared by the steps that go from the generator's record to MC truth."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from sqlamarr.errors import DataError, EventError
from sqlamarr.particles.codes import LHCB_SIGNAL

#: JSON schema of the option that names the signal's status.
SIGNAL_STATUS: Mapping[str, Any] = {
    "type": "integer",
    "description": f"Status that marks the signal; default {LHCB_SIGNAL}.",
}


@contextmanager
def errors_of_events() -> Iterator[None]:
    """Treat a record that is not a valid graph (a cycle, a missing vertex) as a fault of one event, not of the run."""
    try:
        yield
    except DataError as error:
        raise EventError(str(error)) from error
