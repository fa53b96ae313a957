"""How fast is a particle gun, alone and with the whole charged pipeline behind it, on one core?

python benchmarks/gun.py [EVENTS [DESCRIPTION]]

For comparison: RapidSim 1.x (phase space, a box for the acceptance, smeared momenta) makes about 29,000 events/s
of the default description on such a machine.
"""

import sys
import tempfile
import time
from pathlib import Path

import sqlamarr
from sqlamarr.output.summary import RunSummary
from sqlamarr.sources.inputs import open_inputs

WARM = 2000  # events before the clock starts
TURNS = 5  # runs, of which the one in the middle counts: memory that a machine never used before costs up to 15 %
CHARGED = {"calorimeter": "off"}  # no clusters
DEFAULT = Path(__file__).parent.parent / "examples" / "gun_bs_jpsiphi.yaml"


def source_alone(path: Path, events: int) -> tuple[float, int]:
    """Seconds of processor time, and particles made."""
    chunks = open_inputs([str(path)], seed=1, max_events=events + WARM).chunks(WARM)
    next(chunks).parse()  # reading the description and the table of particles is not what is measured
    start = time.process_time()
    particles = sum(chunk.parse().tables["GenParticles"].rows for chunk in chunks)
    return time.process_time() - start, particles


def whole(path: Path, events: int) -> tuple[float, RunSummary]:
    """Seconds of processor time of a run, output file included."""
    with tempfile.TemporaryDirectory() as folder:
        options = {"seed": 1, "conditions": CHARGED}
        sqlamarr.run("lhcb_run2", path, Path(folder) / "warm.db", events=WARM, **options)
        start = time.process_time()
        summary = sqlamarr.run("lhcb_run2", path, Path(folder) / "out.db", events=events, **options)
        return time.process_time() - start, summary


def main() -> None:
    events = int(sys.argv[1]) if len(sys.argv) > 1 else 100_000
    path = Path(sys.argv[2]) if len(sys.argv) > 2 else DEFAULT
    alone, particles = source_alone(path, events)
    print(f"source alone           {events / alone:>10,.0f} events/s  {particles / alone:>12,.0f} particles/s")
    turns = sorted((whole(path, events) for _ in range(TURNS)), key=lambda turn: turn[0])
    seconds, summary = turns[TURNS // 2]
    slowest, fastest = events / turns[-1][0], events / turns[0][0]
    tracks = summary.rows["Tracks"]
    print(
        f"source and pipeline    {events / seconds:>10,.0f} events/s  {tracks / seconds:>12,.0f} tracks/s"
        f"   ({slowest:,.0f} to {fastest:,.0f} events/s in {TURNS} runs)"
    )
    print(f"share of the source    {alone / seconds:>10.1%}")
    total = sum(summary.seconds.values())  # of wall-clock time
    for step, part in sorted(summary.seconds.items(), key=lambda item: -item[1])[:8]:
        print(f"  {step:<28} {part / total:>6.1%}")


if __name__ == "__main__":
    main()
