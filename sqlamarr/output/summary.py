"""What a run reports when it ends."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from sqlamarr.checking.wording import counted
from sqlamarr.events.counters import Counters
from sqlamarr.output.batch_result import BatchResult


def report_of(result: BatchResult) -> dict[str, Any]:
    """What is recorded for a batch: numbers of events and rows, counters, notes, seconds by step."""
    return {
        "events": len(result.events),
        "rejected": len(result.rejected),
        "rows": result.rows,
        "counts": result.counts.as_dict(),
        "outside": outside_as_dict(result.outside),
        "notes": sorted(result.notes),
        "seconds": result.seconds,
    }


def outside_as_dict(outside: Mapping[tuple[str, str], int]) -> dict[str, dict[str, int]]:
    """Rows outside the range of a model, by step and then by input: ready for JSON."""
    nested: defaultdict[str, dict[str, int]] = defaultdict(dict)
    for (step, name), n in outside.items():
        nested[step][name] = n
    return dict(nested)


@dataclass
class RunSummary:
    """Counts, times and warnings of a run.

    :ivar events: events read, rejected ones included
    :ivar rejected: events left out; the reasons are in the table RejectedEvents
    :ivar rows: rows written by table
    :ivar counts: counters of the steps
    :ivar outside: by step and input, rows of a model outside the range that it is meant for
    :ivar seconds: wall-clock time by step
    :ivar elapsed: wall-clock time of the run, without start-up [s]; of a resumed run, since it was resumed
    :ivar resumed: events that the file already held when the run was resumed
    """

    pipeline: str
    seed: int
    output: str
    events: int = 0
    rejected: int = 0
    rows: Counter[str] = field(default_factory=Counter)
    counts: Counters = field(default_factory=Counters)
    outside: Counter[tuple[str, str]] = field(default_factory=Counter)
    seconds: defaultdict[str, float] = field(default_factory=lambda: defaultdict(float))
    warnings: list[str] = field(default_factory=list)
    elapsed: float = 0.0
    resumed: int = 0

    def add(self, report: Mapping[str, Any]) -> None:
        """Add a batch.

        :param report: see :func:`report_of`
        """
        self.events += report["events"]
        self.rejected += report["rejected"]
        self.rows.update(report["rows"])
        self.counts.update(Counters.from_dict(report["counts"]))
        for step, inputs in report["outside"].items():
            self.outside.update({(step, name): n for name, n in inputs.items()})
        for name, seconds in report["seconds"].items():
            self.seconds[name] += seconds
        for note in report["notes"]:
            self.warn(note)

    def warn(self, text: str) -> None:
        """Show a sentence at the end, once."""
        if text not in self.warnings:
            self.warnings.append(text)

    def as_dict(self) -> dict[str, Any]:
        """Everything, ready for JSON."""
        plain = {"rows": dict(self.rows), "counts": self.counts.as_dict(), "seconds": dict(self.seconds)}
        return {**vars(self), **plain, "outside": outside_as_dict(self.outside)}

    def _outside(self) -> list[str]:
        """A sentence about models that were given inputs outside their ranges."""
        worst: Counter[str] = Counter()
        for (model, _), n in self.outside.items():
            worst[model] = max(worst[model], n)
        if not worst:
            return []
        often = ", ".join(f"{model} {counted(n, 'row')}" for model, n in worst.most_common(3))
        what = (
            "has inputs outside its range and extrapolates"
            if len(worst) == 1
            else ("have inputs outside their ranges and extrapolate")
        )
        return [f"{counted(len(worst), 'model')} {what}; most often: {often} (--summary FILE tells all)."]

    def text(self) -> str:
        """For people to read."""
        new = self.events - self.resumed
        rate = new / self.elapsed if self.elapsed else 0.0
        before = counted(new, "event")
        if self.resumed:
            were = "was" if self.resumed == 1 else "were"
            before = f"{counted(self.resumed, 'event')} {were} there, {counted(new, 'new one')}"
        lines = [f"{self.output}: {before} in {self.elapsed:.2f} s ({rate:.0f} events/s), seed {self.seed}"]
        if self.rejected:
            lines.append(f"  {self.rejected} of them rejected: see the table RejectedEvents")
        counts = [count for count in self.counts.values() if count.number]
        width = max((len(name) for name in [*self.rows, *(count.text for count in counts)]), default=0)
        lines += [f"  {name:<{width}}  {n:>10,} {'row' if n == 1 else 'rows'}" for name, n in self.rows.items()]
        lines += [f"  {text:<{width}}  {n:>10,}" for text, n in counts]
        lines += [f"Note: {note}" for note in [*self.warnings, *self._outside()]]
        return "\n".join(lines)
