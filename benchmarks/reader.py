"""How fast is HepMC text read, against pyhepmc on the same file, in one process on one core?

    python benchmarks/reader.py [FOLDER] [--events 300]

Three rates of ours: the text in memory parsed into columns; the file read, fingerprinted, cut and parsed; and that with
the generator's tables inserted into SQLite's own tables, which a run does not need. Of compressed files too.
"""

from __future__ import annotations

import argparse
import tempfile
from importlib.resources import files
from pathlib import Path

import pyhepmc
from measure import fastest, table
from samples import bbbar, compressed, lhcb

from sqlamarr import Database
from sqlamarr.sources.inputs import open_inputs


def columns(paths: list[Path], batch: int = 100) -> int:
    """Particles that come out of the source, parsed."""
    chunks = open_inputs([str(path) for path in paths], collisions="record", seed=1).chunks(batch)
    return sum(chunk.parse().tables["GenParticles"].rows for chunk in chunks)


def tables(paths: list[Path], batch: int = 100) -> int:
    """The same, and inserted into SQLite's own tables."""
    n = 0
    with Database() as db:
        db.execute((files("sqlamarr.database") / "schema.sql").read_text())
        for chunk in open_inputs([str(path) for path in paths], collisions="record", seed=1).chunks(batch):
            for name, rows in chunk.parse().tables.items():
                if rows.rows:
                    db.insert(name, rows)
            n += sum(1 for _ in chunk.events)
    return n


def with_pyhepmc(paths: list[Path]) -> int:
    """Particles that pyhepmc reads."""
    n = 0
    for path in paths:
        with pyhepmc.open(str(path)) as file:
            n += sum(len(event.particles) for event in file)
    return n


def compare(name: str, paths: list[Path], rounds: int) -> list[tuple[str, ...]]:
    """Rates [MB/s of what the files hold] and ratios to pyhepmc's."""
    size = sum(path.stat().st_size for path in paths) / 1e6
    chunks = list(open_inputs([str(path) for path in paths], collisions="record", seed=1).chunks(100))
    times = fastest(
        {
            "text to columns": lambda: [chunk.parse() for chunk in chunks],
            "file to columns": lambda: columns(paths),
            "file to tables of SQLite": lambda: tables(paths),
            "pyhepmc": lambda: with_pyhepmc(paths),
        },
        rounds,
    )
    peer = times["pyhepmc"]
    return [(f"{name}: {what}", f"{size / s:.0f}", f"{peer / s:.1f} x") for what, s in times.items()]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", nargs="?", type=Path)
    parser.add_argument("--events", type=int, default=300)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        folder = options.folder or Path(temporary)
        text = bbbar(folder, options.events)
        rows: list[tuple[str, ...]] = [("", "MB/s", "to pyhepmc")]
        rows += compare("HepMC3", [text], options.rounds)
        rows += compare("HepMC3, .gz", [compressed(text)], options.rounds)
        if files_of_lhcb := lhcb(folder, 40):
            rows += compare("HepMC2, 40 files of LHCb", files_of_lhcb, options.rounds)
        print(table(rows))


if __name__ == "__main__":
    main()
