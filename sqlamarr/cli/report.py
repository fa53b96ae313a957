"""``sqlamarr report``."""

from __future__ import annotations

from pathlib import Path

import click


@click.command("report")
@click.argument("file", type=click.Path(path_type=Path))
@click.option("-o", "--output", required=True, type=click.Path(path_type=Path), help="HTML page to write.")
@click.option(
    "--decay",
    multiple=True,
    metavar="DESCRIPTOR",
    help="Add a section on this decay, e.g. '[Lambda_c+ -> p+ K- pi+]CC'; may be repeated.",
)
@click.option("--overwrite", is_flag=True, help="Replace the page if it exists.")
@click.option("--quiet", is_flag=True, help="Print nothing but errors.")
def command(file: Path, output: Path, decay: tuple[str, ...], overwrite: bool, quiet: bool) -> None:
    """Write an HTML page about an output FILE: spectra, efficiencies, resolutions, pulls, identification, times.

    The page contains its pictures and needs no network.
    """
    from sqlamarr.report.page import write_report

    summary = write_report(file, output, decays=decay, overwrite=overwrite)
    if not quiet:
        click.echo(summary.text())
