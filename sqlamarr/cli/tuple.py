"""``sqlamarr tuple``."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import click

from sqlamarr.cli import note_unfinished
from sqlamarr.particles.codes import TRACK_CLASSES

CLASSES = {name: code for code, name in TRACK_CLASSES.items()}


@click.command("tuple")
@click.argument("file", type=click.Path(path_type=Path))
@click.argument("descriptor")
@click.option(
    "-o",
    "--output",
    required=True,
    type=click.Path(path_type=Path),
    help="N-tuple to write: .db (SQLite), or a format of 'sqlamarr export' that takes tables (.root).",
)
@click.option("--truth", is_flag=True, help="Keep only candidates that truly are the decay; default: all combinations.")
@click.option(
    "--cut",
    multiple=True,
    metavar="LABEL:SQL",
    help="Condition on a particle before it is combined, e.g. 'muminus: PT > 500 AND ProbNNmu > 0.2'.",
)
@click.option("--where", default="", metavar="SQL", help="Condition on the candidates, e.g. 'Lc_M > 2200'.")
@click.option(
    "--tracks",
    default="long",
    help="Track classes to use, separated by commas: long, upstream, downstream.",
)
@click.option("--dtf", is_flag=True, help="Refit the whole decay (columns _DTF_...); implied by --pv and --mass.")
@click.option("--pv", is_flag=True, help="In this fit, constrain the head to come from its best primary vertex.")
@click.option("--mass", multiple=True, metavar="LABEL", help="In this fit, fix the mass of this particle.")
@click.option(
    "--max-combinations",
    type=click.IntRange(1),
    help="Stop with an error if a particle has more combinations of its daughters in FILE; default 3,000,000.",
)
@click.option("--overwrite", is_flag=True, help="Replace the n-tuple if it exists.")
@click.option("--quiet", is_flag=True, help="Print nothing but errors.")
def command(file: Path, descriptor: str, output: Path, **options: Any) -> None:
    """Write the candidates of a decay in an output FILE as an n-tuple.

    DESCRIPTOR is a decay in LHCb's notation, such as '[Lambda_b0 -> (Lambda_c+ -> p+ K- pi+) mu-]CC'. In
    column names, particles are called Lb, Lc, Jpsi, muminus, Kplus ..., or whatever a ${label} before them
    says; a second particle of the same name gets _1. Tracks are combined and vertices are fitted. Each
    candidate becomes one row, with variables named as in DaVinci: Lb_M, muminus_PT, Lb_ENDVERTEX_CHI2,
    Lb_BPVIPCHI2, ...
    """
    from sqlamarr.candidates.build import MAX_COMBINATIONS, Selection
    from sqlamarr.candidates.write import write_tuple

    selection = Selection(
        truth=options["truth"],
        track_types=_classes(options["tracks"]),
        cuts=_cuts(options["cut"]),
        where=options["where"],
        tree_fit=bool(options["dtf"] or options["pv"] or options["mass"]),
        point_back=options["pv"],
        masses=options["mass"],
        max_combinations=options["max_combinations"] or MAX_COMBINATIONS,
    )
    bar = None
    if not options["quiet"] and sys.stderr.isatty():
        from tqdm import tqdm

        bar = tqdm(unit=" events")
    try:
        summary = write_tuple(
            file, descriptor, output, selection, overwrite=options["overwrite"], progress=bar.update if bar else None
        )
    finally:
        if bar:
            bar.close()
    if not options["quiet"]:
        click.echo(summary.text())
    note_unfinished(file)


def _classes(text: str) -> tuple[int, ...]:
    names = [name.strip() for name in text.split(",")]
    for name in names:
        if name not in CLASSES:
            raise click.BadParameter(f"{name!r} is not one of {', '.join(CLASSES)}", param_hint="--tracks")
    return tuple(CLASSES[name] for name in names)


def _cuts(texts: tuple[str, ...]) -> dict[str, str]:
    cuts: dict[str, str] = {}
    for text in texts:
        label, colon, condition = text.partition(":")
        if not colon or not condition.strip():
            raise click.BadParameter(f"expected LABEL:SQL, found {text!r}", param_hint="--cut")
        label = label.strip()
        cuts[label] = f"({cuts[label]}) AND ({condition})" if label in cuts else condition.strip()
    return cuts
