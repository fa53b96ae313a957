"""``python -m sqlamarr.models.probe LIBRARY ...``: one trial call of a user's model.

* ``FUNCTION INPUTS OUTPUTS NOISE``: a model of rows.
* ``--event FUNCTION INPUTS EVENT_INPUTS OUTPUTS NOISE EVENT_NOISE MAX_ROWS MAX_LINKS``: a model of events.

It runs in a process of its own, because a function that does not have these sizes may crash.
"""

from __future__ import annotations

import sys
from pathlib import Path

from sqlamarr.models.base import Sizes
from sqlamarr.models.compiled import CompiledModel
from sqlamarr.models.events import CompiledEventModel, EventLimits, EventSizes
from sqlamarr.models.library_function import ANSWER


def main(arguments: list[str]) -> None:
    """Print how many values the function writes, and whether it reads too much."""
    path, *rest = arguments
    answer = _event(Path(path), *rest[1:]) if rest[0] == "--event" else _rows(Path(path), *rest)
    # The model may print too, before or after: the prefix distinguishes our line from its lines.
    print(f"\n{ANSWER} {' '.join(str(int(number)) for number in answer)}")


def _rows(path: Path, function: str, *sizes: str) -> tuple[int, bool, bool]:
    return CompiledModel(path, function).probe_here(Sizes(*map(int, sizes)))


def _event(path: Path, function: str, *numbers: str) -> tuple[int, int, int]:
    *sizes, max_rows, max_links = map(int, numbers)
    return CompiledEventModel(path, function).probe_here(EventSizes(*sizes), EventLimits(max_rows, max_links))


if __name__ == "__main__":
    main(sys.argv[1:])
