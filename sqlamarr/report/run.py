"""Sections about the run: its summary, the cut flow, the time of each step, the provenance."""

from __future__ import annotations

import json
from collections import Counter
from typing import Any

import numpy as np

from sqlamarr.particles.codes import LONG_TRACK, TRACK_CLASSES
from sqlamarr.report.drawing import COLOURS, Picture, picture
from sqlamarr.report.sample import SYMBOLS, Sample
from sqlamarr.report.tracks import ACCEPTANCE

Row = tuple[str, ...]
SHOWN_STEPS = 20


def summary(made: dict[str, Any], counts: dict[str, int], size: int) -> list[Row]:
    """What was run, and how many events resulted."""
    seconds = made.get("summary", {}).get("elapsed")
    rows: list[Row] = [
        ("file", f"{made['file']} ({size / 1e6:.1f} MB), {made['status']}"),
        ("made by", f"sqlamarr {made['sqlamarr']}, {made['platform']}"),
        ("pipeline", str(made["pipeline"])),
        ("conditions", ", ".join(f"{name} = {value}" for name, value in made["conditions"].items())),
        ("seed", str(made["seed"])),
        ("events", f"{counts['Events']:,}, {counts['RejectedEvents']:,} rejected"),
        ("started", str(made["started"])),
    ]
    if seconds:
        rows.append(("time", f"{seconds:.2f} s, {counts['Events'] / seconds:,.0f} events/s"))
    if made.get("cross_section"):
        rows.append(("cross-section", "{:g} ± {:g} pb".format(*made["cross_section"])))
    return rows


def cut_flow(sample: Sample) -> tuple[Row, list[Row]]:
    """Head and rows of a table: charged particles generated, in acceptance, found as each class, by species."""
    q = sample.particles
    inside = (q["eta"] > ACCEPTANCE[0]) & (q["eta"] < ACCEPTANCE[1])
    head = ("species", "generated", "2 < η < 5", *TRACK_CLASSES.values(), "long of 2 < η < 5")
    rows = []
    for pid, name in [*SYMBOLS.items(), (0, "all")]:
        own = (q["species"] == pid) | (pid == 0)
        found = [int(np.sum(own & (q["type"] == kind))) for kind in TRACK_CLASSES]
        total, accepted = int(own.sum()), int(np.sum(own & inside))
        long = int(np.sum(own & inside & (q["type"] == LONG_TRACK)))
        share = f"{100 * long / accepted:.1f} %" if accepted else "-"
        rows.append((name, f"{total:,}", f"{accepted:,}", *(f"{n:,}" for n in found), share))
    return head, rows


def cut_flow_picture(sample: Sample) -> Picture:
    """The last row of the cut flow as bars."""
    head, rows = cut_flow(sample)
    values = [int(text.replace(",", "")) for text in rows[-1][1:-1]]

    def draw(axes: Any) -> None:
        bars = axes.barh(head[1:-1], values, color=COLOURS[0], alpha=0.6)
        axes.bar_label(bars, [f"{value:,}" for value in values], padding=3, fontsize=8)
        axes.invert_yaxis()
        axes.margins(x=0.18)

    return picture("Cut flow", "Charged e, μ, π, K and p in all events examined.", draw, x="particles")


def step_seconds(sample: Sample) -> Counter[str]:
    """Time in each step, summed over the batches [s]."""
    seconds: Counter[str] = Counter()
    for (text,) in sample.db.execute("SELECT report FROM Batches").fetchall():
        seconds.update(json.loads(str(text)).get("seconds", {}))
    return seconds


def timing_picture(seconds: Counter[str], events: int) -> Picture:
    """The longest steps and their time per event."""
    shown = seconds.most_common(SHOWN_STEPS)
    total = sum(seconds.values())

    def draw(axes: Any) -> None:
        microseconds = [1e6 * value / max(events, 1) for _, value in shown]
        bars = axes.barh([name for name, _ in shown], microseconds, color=COLOURS[2], alpha=0.6)
        axes.bar_label(bars, [f"{100 * value / total:.1f} %" for _, value in shown], padding=3, fontsize=7)
        axes.tick_params(axis="y", labelsize=7)
        axes.invert_yaxis()
        axes.margins(x=0.15)

    rate = events / total if total else 0
    more = f"the {len(shown)} longest of {len(seconds)} steps" if len(seconds) > len(shown) else "all steps"
    caption = (
        f"{total:.2f} s in steps, {rate:,.0f} events/s; {more}, with their share. Reading and writing are not included."
    )
    return picture("Time of the steps", caption, draw, x="time per event [μs]")


def provenance(made: dict[str, Any]) -> list[Row]:
    """Inputs, models and packages."""
    rows: list[Row] = [
        ("input", f"{entry['path']}, sha256 {entry.get('sha256') or '-'}") for entry in made.get("inputs", [])
    ]
    for name, model in made["models"].items():
        rows.append((f"model {name}", ", ".join(f"{key} {value}" for key, value in model.items())))
    rows += [
        (f"package of {group} {name}", str(package))
        for group, names in made.get("other_packages", {}).items()
        for name, package in names.items()
    ]
    rows += [("package", f"{name} {version}") for name, version in made.get("packages", {}).items()]
    return rows
