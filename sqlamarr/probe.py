"""``python -m sqlamarr.probe LIBRARY FUNCTION INPUTS OUTPUTS NOISE``: one trial call of a foreign model.

A process of its own, because a function that does not have these sizes may crash.
"""

from __future__ import annotations

import sys
from pathlib import Path

from sqlamarr.models import ANSWER, Model, Sizes


def main(arguments: list[str]) -> None:
    """Print what the function writes, and whether it reads too much."""
    path, function, *sizes = arguments
    written, beyond_in, beyond_noise = Model(Path(path), function).probe_here(Sizes(*map(int, sizes)))
    # The model may print too, before or after: the mark tells our line from its.
    print(f"\n{ANSWER} {written} {int(beyond_in)} {int(beyond_noise)}")


if __name__ == "__main__":
    main(sys.argv[1:])
