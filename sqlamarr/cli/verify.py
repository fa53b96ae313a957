"""``sqlamarr verify``."""

from __future__ import annotations

import sys

import click

from sqlamarr.errors import OutputError


@click.command("verify")
@click.argument("files", nargs=-1, required=True, type=click.Path())
def command(files: tuple[str, ...]) -> None:
    """Check that output FILES are as they were written.

    Every value is read and compared with the checksums in the file. Of a file that is damaged or was changed, the
    tables and events are named where it is, and the exit code is 1.
    """
    from sqlamarr.output.verify import verify

    intact = True
    for file in files:
        try:
            found = verify(file)
        except OutputError as error:
            intact = False
            click.echo(f"Error: {error}")
            continue
        intact = intact and found.intact
        click.echo(found.text())
    if not intact:
        sys.exit(1)
