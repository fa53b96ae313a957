"""The options and the summary of an export."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

Progress = Callable[[int], object]


#: JSON schemas of options that several formats have as their own.
LAYOUT: Mapping[str, Any] = {
    "enum": ["flat", "event", "both"],
    "default": "both",
    "description": "What an entry is: a row (one tree or file per table), an event (a single tree or file), or both.",
}
COMPRESSION: Mapping[str, Any] = {
    "type": "string",
    "default": "zstd",
    "description": "zstd, lz4, zlib, lzma (ROOT) or none; zstd:9 sets the level.",
}


@dataclass(frozen=True)
class ExportOptions:
    """The options of an export; ``options["name"]`` is one of the format's own options.

    :ivar tables: tables and views to write; empty for all
    :ivar rows: approximate number of rows in memory at a time; events are not split
    :ivar progress: called with the number of rows written after each piece
    :ivar own: values of the format's own options
    """

    tables: tuple[str, ...] = ()
    rows: int = 100_000
    progress: Progress | None = None
    own: Mapping[str, Any] = field(default_factory=dict)

    def __getitem__(self, name: str) -> Any:
        return self.own[name]

    def advance(self, rows: int) -> None:
        """Report that rows were written."""
        if self.progress:
            self.progress(rows)


@dataclass
class ExportSummary:
    """What an export wrote.

    :ivar entries: entries by name of the tree or table, with the number of its branches or columns
    :ivar notes: sentences about what is missing from the file or was changed
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
