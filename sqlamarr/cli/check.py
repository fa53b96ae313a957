"""``sqlamarr check``."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import click

from sqlamarr.checking.wording import counted


@click.command("check")
@click.argument("pipeline")
@click.option(
    "--split",
    type=click.Path(),
    metavar="FILE",
    help="Compare events of FILE as one batch with the same one by one.",
)
@click.option("-n", "--events", type=click.IntRange(2), default=10, help="Number of events for --split.")
@click.option(
    "--collisions",
    type=click.Choice(["auto", "record", "file"]),
    default="auto",
    help="With --split: as for run.",
)
@click.option("-c", "--condition", multiple=True, metavar="NAME=VALUE", help="Change a condition of the pipeline.")
@click.option("--model", multiple=True, metavar="NAME=FILE", help="Replace a model of the pipeline.")
def command(
    pipeline: str, split: str | None, events: int, collisions: str, condition: tuple[str, ...], model: tuple[str, ...]
) -> None:
    """Check a PIPELINE without events: run every query on empty tables, and check the sizes of every model.

    With --split, also check that no step looks across events: some events must give the same results
    as one batch and one by one.
    """
    from sqlamarr.cli.run import assignments
    from sqlamarr.pipeline.load import load
    from sqlamarr.running.options import RunOptions
    from sqlamarr.running.worker import Worker

    loaded = load(pipeline)
    loaded = loaded.with_conditions(loaded.parse_conditions(assignments(condition))).with_models(assignments(model))
    worker = Worker(loaded, RunOptions(seed=0))
    for step in loaded.steps:
        click.echo(f"  {step.name:<28} -> {', '.join(step.tables)}")
        for line in step.explain():
            click.echo(f"    {line}")
    click.echo(
        f"{loaded.path}: {counted(len(loaded.steps), 'step')} checked; output: {', '.join(worker.output_tables)}"
    )
    if split:
        _split(loaded, split, events, collisions)


def _split(pipeline: Any, file: str, events: int, collisions: str) -> None:
    """Compare one batch with single events, and print the outcome."""
    different, n = _compare(pipeline, file, events, collisions)
    if n < 2:
        click.echo(f"Error: {file} has too few events to compare ({n}). Use a file with at least 2.", err=True)
        sys.exit(1)
    if different:
        click.echo(
            f"Error: one batch of {n} events and {n} batches of one give different rows in {', '.join(different)}. "
            "A step looks across events (keep every query within its event_id), or a Python step draws random "
            "numbers from a source other than batch.rng.",
            err=True,
        )
        sys.exit(1)
    click.echo(f"{file}: the results of {n} events do not depend on how they are batched.")


def _compare(pipeline: Any, file: str, events: int, collisions: str) -> tuple[list[str], int]:
    """The tables whose content depends on the batch size, and the number of events."""
    import tempfile

    from sqlamarr.output.content_hash import content_hashes
    from sqlamarr.output.file import open_output
    from sqlamarr.running.run import run

    hashes = []
    with tempfile.TemporaryDirectory() as folder:
        for size in (events, 1):
            path = Path(folder) / f"{size}.db"
            summary = run(
                pipeline, file, path, seed=1, batch_size=size, events=events, collisions=collisions,
                keep_tmp=True, generator="full",
            )  # fmt: skip
            with open_output(path) as db:
                hashes.append(content_hashes(db))
    return [table for table in hashes[0] if hashes[0][table] != hashes[1][table]], summary.events
