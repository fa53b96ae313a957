"""What the benchmarks share: processor time, taken in turns."""

from __future__ import annotations

import gc
import time
from collections.abc import Callable, Iterable, Mapping


def fastest(functions: Mapping[str, Callable[[], object]], rounds: int) -> dict[str, float]:
    """Seconds of processor time of this process: of each function the best of so many turns."""
    best = dict.fromkeys(functions, float("inf"))
    for _ in range(rounds):
        for name, function in functions.items():
            gc.collect()
            start = time.process_time()
            function()
            best[name] = min(best[name], time.process_time() - start)
    return best


def table(rows: Iterable[tuple[str, ...]]) -> str:
    """Lines of columns, the first to the left, the others to the right."""
    lines = [tuple(row) for row in rows]
    widths = [max(map(len, column)) for column in zip(*lines)]
    return "\n".join(
        "  ".join(cell.ljust(w) if i == 0 else cell.rjust(w) for i, (cell, w) in enumerate(zip(line, widths)))
        for line in lines
    )
