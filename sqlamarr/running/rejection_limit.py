"""How many rejected events a run tolerates."""

from __future__ import annotations

from sqlamarr.checking.wording import counted
from sqlamarr.errors import TooManyRejectedError
from sqlamarr.output.batch_result import BatchResult
from sqlamarr.output.summary import RunSummary

JUDGED_EVERY = 1000  # events
MIN_REJECTED = 10  # bad events that are always tolerated when a run skips them


def check_at_thousands(summary: RunSummary, result: BatchResult, fraction: float) -> None:
    """Check the limit at every thousandth event, so that the outcome does not depend on the batches.

    :param summary: with this result included
    :raises TooManyRejectedError: there are more than ten, and more than ``fraction``
    """
    if not summary.rejected:
        return
    end = summary.events
    begin = end - len(result.events)
    for mark in range((begin // JUDGED_EVERY + 1) * JUDGED_EVERY, end + 1, JUDGED_EVERY):
        later = {event.event_id for event in result.events[mark - begin :]}
        _judge(summary, summary.rejected - sum(row.event_id in later for row in result.rejected), mark, fraction)


def check_at_end(summary: RunSummary, fraction: float) -> None:
    """Check the limit over all events of a run.

    :raises TooManyRejectedError: there are more than ten, and more than ``fraction``
    """
    _judge(summary, summary.rejected, summary.events, fraction)


def _judge(summary: RunSummary, rejected: int, events: int, fraction: float) -> None:
    if rejected > max(MIN_REJECTED, fraction * events):
        raise TooManyRejectedError(
            f"{rejected:,} of {counted(events, 'event')} were rejected, more than --max-rejected {fraction:g} allows. "
            f"The reasons are in the table RejectedEvents of {summary.output}."
        )
