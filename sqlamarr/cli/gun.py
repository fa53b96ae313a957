"""``sqlamarr gun``."""

from __future__ import annotations

from pathlib import Path

import click

from sqlamarr.cli.run import Seed


@click.command("gun")
@click.argument("description", type=click.Path())
@click.option(
    "-o",
    "--output",
    required=True,
    type=click.Path(path_type=Path),
    help="HepMC3 file to write: .hepmc, or .hepmc.gz, .hepmc.bz2 or .hepmc.xz to compress it.",
)
@click.option("-n", "--events", type=click.IntRange(1), help="Number of events to write.")
@click.option("--seed", type=Seed(), help="Seed; if not given, one is drawn and printed.")
@click.option("--first-event", type=click.IntRange(0), default=0, help="Ordinal of the first event.")
@click.option("--overwrite", is_flag=True, help="Replace the output file if it exists.")
def command(
    description: str, output: Path, events: int | None, seed: int | None, first_event: int, overwrite: bool
) -> None:
    """Write the events of a particle gun, or of another source that a YAML file describes, as HepMC3.

    With the same seed, these are the events that 'sqlamarr run' would simulate. Pile-up is refused.
    """
    import secrets

    from sqlamarr.errors import InputError, OutputError
    from sqlamarr.sources.hepmc.write import check_name, write
    from sqlamarr.sources.inputs import open_inputs
    from sqlamarr.sources.yaml_inputs import is_described, load

    check_name(output)
    if output.exists() and not overwrite:
        raise OutputError(f"{output} exists. Choose another name, or use --overwrite.")
    if not is_described(description):
        raise InputError(
            f"{description} is not a description of a source: expected a .yaml file, with 'gun:' in it for instance."
        )
    if load(description).kind == "pileup":
        raise InputError(
            f"{description}: a HepMC record is one collision, so a crossing of several cannot be kept together. Write "
            "the signal and the collisions to separate files, or pass this file to 'sqlamarr run'."
        )
    seed = secrets.randbits(63) if seed is None else seed
    source = open_inputs([description], seed=seed, first_event=first_event, max_events=events)
    count = write(output, (chunk.parse() for chunk in source.chunks(1000)), f"{description}, seed {seed}")
    click.echo(f"{output}: {count} collisions, seed {seed}")
    for warning in source.warnings:
        click.echo(f"Note: {warning}")
