"""What an export is asked for, and what it tells at its end."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

Progress = Callable[[int], object]


@dataclass(frozen=True)
class Options:
    """What the formats have in common.

    :ivar tables: tables and views to write; empty for all
    :ivar layout: ``flat`` (a row is an entry), ``event`` (an event is an entry) or ``both``
    :ivar compression: ``zstd``, ``lz4``, ``zlib``, ``lzma`` or ``none``, with ``:level`` if wanted
    :ivar rows: rows that are in memory at a time, about: events are not split
    :ivar null_integer: what stands for NULL among integers where the format has no missing values
    :ivar rntuple: RNTuples instead of TTrees
    :ivar progress: called with the number of rows written, piece by piece
    """

    tables: tuple[str, ...] = ()
    layout: str = "both"
    compression: str = "zstd"
    rows: int = 100_000
    null_integer: int = -999
    rntuple: bool = False
    progress: Progress | None = None

    def advance(self, rows: int) -> None:
        """Tell that rows were written."""
        if self.progress:
            self.progress(rows)


@dataclass
class ExportSummary:
    """What an export wrote.

    :ivar entries: entries by name of the tree or table, with the number of its branches or columns
    :ivar notes: sentences about what is not in the file, or not as it was
    """

    output: str
    format: str
    entries: dict[str, tuple[int, int]] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)

    def text(self) -> str:
        """For people to read."""
        size = _size(Path(self.output))
        width = max((len(name) for name in self.entries), default=0)
        lines = [f"{self.output}: {self.format}, {size / 1e6:.2f} MB"]
        lines += [f"  {name:<{width}}  {n:>10,} entries, {k:>3} columns" for name, (n, k) in self.entries.items()]
        return "\n".join([*lines, *(f"Note: {note}" for note in self.notes)])


def _size(path: Path) -> int:
    files = path.iterdir() if path.is_dir() else [path]
    return sum(file.stat().st_size for file in files)
