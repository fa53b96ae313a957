"""Event files for the benchmarks, made once in a folder."""

from __future__ import annotations

import gzip
import os
import shutil
import sys
from pathlib import Path

import pyhepmc

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT / "examples"))


def bbbar(folder: Path, events: int) -> Path:
    """Events of Pythia8 with a b quark pair, HepMC3 text; needs pythia8mc."""
    import make_data

    path = folder / f"bbbar_{events}.hepmc"
    if not path.exists():
        with pyhepmc.open(str(path), "w", precision=8, format="HepMC3") as file:
            for event in make_data.generate(make_data.BBBAR, events):
                file.write(event)
    return path


def lhcb(folder: Path, files: int) -> list[Path]:
    """LHCb's generator files (SQLAMARR_LHCB_DATA), copied until there are so many; empty where they are not."""
    originals = sorted(Path(os.environ.get("SQLAMARR_LHCB_DATA", "/nonexistent")).glob("*.mc2"))
    if not originals:
        return []
    paths = [folder / f"lhcb_{i}.mc2" for i in range(files)]
    for i, path in enumerate(paths):
        if not path.exists():
            shutil.copyfile(originals[i % len(originals)], path)
    return paths


def compressed(path: Path) -> Path:
    """The same file, gzip level 6."""
    packed = path.with_suffix(path.suffix + ".gz")
    if not packed.exists():
        with path.open("rb") as plain, gzip.open(packed, "wb", 6) as target:
            shutil.copyfileobj(plain, target)
    return packed
