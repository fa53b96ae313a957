"""``sqlamarr merge``."""

from __future__ import annotations

from pathlib import Path

import click

from sqlamarr.checking.wording import counted


@click.command("merge")
@click.argument("parts", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("-o", "--output", required=True, type=click.Path(path_type=Path), help="SQLite file to write.")
@click.option("--overwrite", is_flag=True, help="Replace the output file if it exists.")
@click.option("--allow-gaps", is_flag=True, help="Accept missing events and unfinished parts.")
@click.option("--quiet", is_flag=True, help="Print nothing but errors.")
def command(parts: tuple[Path, ...], output: Path, overwrite: bool, allow_gaps: bool, quiet: bool) -> None:
    """Merge the PARTS of a production: the outputs of jobs that ran with --first-event or --events.

    The result is what one run over all events would have written; the order of the parts does not matter.
    """
    from sqlamarr.output.merge import merge

    summary = merge(parts, output, overwrite=overwrite, allow_gaps=allow_gaps)
    if not quiet:
        number = f"{counted(summary.events, 'event')} of {counted(len(parts), 'part')}"
        click.echo(f"{output}: {number}, {summary.rejected} of them rejected")
        for table, n in summary.rows.items():
            click.echo(f"  {table:<20} {n:>12,} {'row' if n == 1 else 'rows'}")
