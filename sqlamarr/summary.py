"""What a run has to say when it ends."""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict, dataclass, field
from typing import Any

from sqlamarr.model_rows import OUTSIDE
from sqlamarr.worker import BatchResult


@dataclass
class RunSummary:
    """Counts, times and warnings of a run.

    :ivar events: events read, rejected ones included
    :ivar rejected: events left out, with the reasons in the table RejectedEvents
    :ivar rows: rows written by table
    :ivar counts: counters of the steps
    :ivar seconds: wall-clock time by step
    :ivar elapsed: wall-clock time of the run, start-up excluded [s]
    """

    pipeline: str
    seed: int
    output: str
    events: int = 0
    rejected: int = 0
    rows: Counter[str] = field(default_factory=Counter)
    counts: Counter[str] = field(default_factory=Counter)
    seconds: Counter[str] = field(default_factory=Counter)
    warnings: list[str] = field(default_factory=list)
    elapsed: float = 0.0

    def add(self, result: BatchResult) -> None:
        """Take a batch into account."""
        self.events += len(result.events)
        self.rejected += len(result.rejected)
        self.rows.update({table: columns.rows for table, columns in result.tables.items()})
        self.counts.update(result.counts)
        for name, seconds in result.seconds.items():
            self.seconds[name] += seconds  # type: ignore[assignment]
        for note in sorted(result.notes):
            self.warn(note)

    def warn(self, text: str) -> None:
        """Show a sentence at the end, once."""
        if text not in self.warnings:
            self.warnings.append(text)

    def as_dict(self) -> dict[str, Any]:
        """Everything, ready for JSON."""
        return {**asdict(self), "rows": dict(self.rows), "counts": dict(self.counts), "seconds": dict(self.seconds)}

    def _outside(self) -> list[str]:
        """A sentence about models that met inputs which they are not meant for."""
        worst: Counter[str] = Counter()
        for name, n in self.counts.items():
            if name.startswith(OUTSIDE):
                step = name.removeprefix(OUTSIDE).partition(":")[0]
                worst[step] = max(worst[step], n)
        if not worst:
            return []
        steps = ", ".join(f"{step} {n:,} rows" for step, n in worst.most_common(3))
        return [
            f"the models of {len(worst)} steps met inputs outside the range that they are meant for, and extrapolate "
            f"there; most often: {steps} (--summary FILE tells all)."
        ]

    def text(self) -> str:
        """For people to read."""
        rate = self.events / self.elapsed if self.elapsed else 0.0
        lines = [f"{self.output}: {self.events} events in {self.elapsed:.2f} s ({rate:.0f} events/s), seed {self.seed}"]
        if self.rejected:
            lines.append(f"  {self.rejected} of them rejected: see the table RejectedEvents")
        counts = {name: n for name, n in self.counts.items() if n and not name.startswith(OUTSIDE)}
        width = max((len(name) for name in [*self.rows, *counts]), default=0)
        lines += [f"  {name:<{width}}  {n:>10,} rows" for name, n in self.rows.items()]
        lines += [f"  {name:<{width}}  {n:>10,}" for name, n in counts.items()]
        lines += [f"Note: {note}" for note in [*self.warnings, *self._outside()]]
        return "\n".join(lines)
