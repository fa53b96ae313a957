"""How a run scales: workers, the writer that all of them share, numbers of events, sizes of batches.

    python benchmarks/scaling.py [--events 4000] [--jobs 2] [--quick]

Everything is measured in one go on one machine, which should have nothing else to do; what counts are the ratios.
Times are those of the run itself: start-up (imports, models, worker processes) is told apart, and so is what a run of
a single event costs where numbers of events are compared.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from pathlib import Path
from typing import Any

import sqlamarr

EXAMPLE = Path(__file__).parent.parent / "examples" / "data" / "bbbar.hepmc.gz"
IN_EXAMPLE = 40  # events
REPEATS = 3  # the best of so many counts: others only disturb


def timed(events: int, folder: Path, **options: Any) -> tuple[float, float, dict[str, float]]:
    """Best of some runs: seconds of the run, of the start-up, and by step."""
    inputs = [EXAMPLE] * -(-events // IN_EXAMPLE)
    best = (float("inf"), 0.0, {})
    for _ in range(REPEATS):
        start = time.perf_counter()
        out = folder / "out.db"
        summary = sqlamarr.run("lhcb_run2", inputs, out, seed=1, events=events, overwrite=True, **options)
        found = (summary.elapsed, time.perf_counter() - start - summary.elapsed, dict(summary.seconds))
        best = min(best, found, key=lambda times: times[0])
    return best


def workers(events: int, jobs: int, folder: Path) -> None:
    one, start_one, seconds = timed(events, folder)
    print(f"1 process:    {events / one:7.0f} events/s   (start-up {start_one:.1f} s)")
    many, start_many, shared = timed(events, folder, jobs=jobs)
    print(
        f"{jobs} workers:    {events / many:7.0f} events/s   (start-up {start_many:.1f} s)   {one / many:.2f} times one"
    )
    for name, of, total in (("1 process", seconds, one), (f"{jobs} workers", shared, many)):
        coordinating = of["writing"] + of["cutting"]
        working = sum(of.values()) - coordinating
        print(
            f"{name}: writing {of['writing'] / total:.1%} of the time, cutting the input {of['cutting'] / total:.1%}; "
            f"the writer keeps up with {working / of['writing']:.0f} workers, the coordinator with "
            f"{working / coordinating:.0f}"
        )


def flatness(title: str, costs: dict[int, float]) -> None:
    print(f"{title}: " + ", ".join(f"{key}: {cost * 1e3:.2f} ms" for key, cost in costs.items()))
    print(f"  the dearest costs {max(costs.values()) / min(costs.values()) - 1:.0%} more than the cheapest")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--events", type=int, default=4000, help="for the comparison of workers")
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--quick", action="store_true", help="a tenth of everything, for a look")
    options = parser.parse_args()
    scale = 10 if options.quick else 1
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        workers(options.events // scale, options.jobs, folder)
        counts = [n // scale for n in (100, 300, 1000, 3000, 10_000)]
        alone = timed(1, folder)[0]
        print(f"a run of one event: {alone * 1e3:.0f} ms, output file and end included")
        costs = {n: (timed(n, folder)[0] - alone) / (n - 1) for n in counts}
        flatness("cost of a further event, by number of events", costs)
        sizes, n = [50, 100, 200, 500, 1000, 2000], 4000 // scale
        flatness(
            "cost of an event, by size of batch", {size: timed(n, folder, batch_size=size)[0] / n for size in sizes}
        )


if __name__ == "__main__":
    main()
