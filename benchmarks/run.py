"""How long does a whole run take, against the time in which pyhepmc merely reads the same files?

    python benchmarks/run.py [FOLDER] [--events 1000] [--profile]

One process, one core, processor time; start-up (imports, preparing the pipeline) is shown apart. With --profile every
step's share of the time. LHCb's files are used if SQLAMARR_LHCB_DATA names their folder: 40 files, an event each.
"""

from __future__ import annotations

import argparse
import resource
import tempfile
import time
from dataclasses import replace
from pathlib import Path

from measure import fastest, table
from reader import with_pyhepmc
from samples import bbbar, lhcb

import sqlamarr
from sqlamarr.pipeline.definition import Pipeline
from sqlamarr.pipeline.load import load

LAST_OF_TRACKING = "state_after_magnet"


def pipelines() -> dict[str, Pipeline]:
    """The shipped pipeline: as it is, without the calorimeter, and up to the tracks."""
    whole = load("lhcb_run2")
    charged = whole.with_conditions({"calorimeter": "off"})
    names = [step.name for step in whole.steps]
    steps = charged.steps[: names.index(LAST_OF_TRACKING) + 1]
    kept = {table for step in steps for table in step.tables} | {"GenEvents"}
    tracking = replace(
        charged, steps=steps, output=tuple(table for table in charged.output if table in kept), views=None
    )
    return {"whole": whole, "charged, with identification": charged, "tracking": tracking}


def once(pipeline: Pipeline, paths: list[Path], output: Path, collisions: str) -> sqlamarr.RunSummary:
    return sqlamarr.run(pipeline, [str(p) for p in paths], output, seed=1, collisions=collisions, overwrite=True)


def compare(name: str, paths: list[Path], collisions: str, rounds: int) -> list[tuple[str, ...]]:
    """Milliseconds an event, and the ratio to pyhepmc's reading."""
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "out.db"
        summary = once(load("lhcb_run2"), paths, out, collisions)  # warm, and how many events there are
        prepared = pipelines()
        empty = paths[:1]
        # One run of one event costs what every run costs at its start.
        functions = {f"{what}": (lambda p=p: once(p, paths, out, collisions)) for what, p in prepared.items()}
        functions["start-up"] = lambda: sqlamarr.run(
            prepared["whole"], [str(p) for p in empty], out, seed=1, events=1, collisions=collisions, overwrite=True
        )
        functions["pyhepmc reads"] = lambda: with_pyhepmc(paths)
        times = fastest(functions, rounds)
    peer, n = times["pyhepmc reads"], summary.events
    rows = []
    for what, seconds in times.items():
        net = seconds - times["start-up"] if what in prepared else seconds
        ratio = "" if what == "start-up" else f"{net / peer:.2f}"
        rows.append((f"{name}: {what}", f"{1e3 * net / (1 if what == 'start-up' else n):.2f}", ratio))
    return rows


def profile(paths: list[Path], collisions: str) -> list[tuple[str, ...]]:
    """Wall-clock share of every step, of those above half a percent."""
    with tempfile.TemporaryDirectory() as folder:
        start = time.perf_counter()
        summary = once(load("lhcb_run2"), paths, Path(folder) / "out.db", collisions)
        elapsed = time.perf_counter() - start
    seconds = summary.seconds
    rows = [("step", "us/event", "share")]
    rows += [
        (step, f"{1e6 * s / summary.events:.0f}", f"{s / elapsed:.1%}")
        for step, s in sorted(seconds.items(), key=lambda item: -item[1])
        if s > 0.005 * elapsed
    ]
    return rows


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", nargs="?", type=Path)
    parser.add_argument("--events", type=int, default=1000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--profile", action="store_true")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        folder = options.folder or Path(temporary)
        samples = {"bbbar": ([bbbar(folder, options.events)], "record")}
        if files_of_lhcb := lhcb(folder, 40):
            samples["LHCb"] = (files_of_lhcb, "file")
        rows: list[tuple[str, ...]] = [("", "ms/event (start-up: ms)", "to pyhepmc")]
        for name, (paths, collisions) in samples.items():
            rows += compare(name, paths, collisions, options.rounds)
        print(table(rows))
        print(f"largest memory: {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f} MB")
        if options.profile:
            print(table(profile(*samples["bbbar"])))


if __name__ == "__main__":
    main()
