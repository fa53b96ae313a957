"""``sqlamarr sql``."""

from __future__ import annotations

import csv
import json
import sys
from typing import Any

import click


@click.command("sql")
@click.argument("file", type=click.Path())
@click.argument("query")
@click.option("--csv", "as_csv", is_flag=True, help="Print comma-separated values.")
@click.option("--json", "as_json", is_flag=True, help="Print a JSON list of objects.")
def command(file: str, query: str, as_csv: bool, as_json: bool) -> None:
    """Print the result of QUERY on an output FILE.

    The file is opened read-only; sqlamarr's SQL functions (norm2, pseudorapidity, ...) can be used.
    """
    from sqlamarr.errors import SqlError
    from sqlamarr.output.file import open_output

    with open_output(file) as db, db.limited():
        names, rows = db.rows(query, single=True)
    if not names:
        raise SqlError(f"There is nothing to show: expected a query such as 'SELECT ...', found {query!r}.")
    if as_json:
        click.echo(json.dumps([dict(zip(names, row)) for row in rows], indent=1))
    elif as_csv:
        writer = csv.writer(sys.stdout)
        writer.writerows([names, *rows])
    else:
        _table(names, rows)


def _table(names: list[str], rows: list[tuple[Any, ...]]) -> None:
    cells = [[_cell(value) for value in row] for row in rows]
    widths = [max(len(line[i]) for line in [names, *cells]) for i in range(len(names))]
    for line in [names, ["-" * width for width in widths], *cells]:
        click.echo("  ".join(cell.ljust(width) for cell, width in zip(line, widths)).rstrip())


def _cell(value: Any) -> str:
    return "NULL" if value is None else f"{value:.7g}" if isinstance(value, float) else str(value)
