"""``sqlamarr plugin``."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import click

from sqlamarr.registries.entry import OURS, Row
from sqlamarr.registries.registry import Registry


@click.group("plugin")
def command() -> None:
    """Show what installed packages add: pipelines, steps, sources, export formats, models, commands, ..."""


@command.command("list")
@click.option("--all", "everything", is_flag=True, help="Also list what comes with sqlamarr itself.")
@click.option("--json", "as_json", is_flag=True, help="Print a JSON list of objects.")
def list_entries(everything: bool, as_json: bool) -> None:
    """List what installed packages add to sqlamarr, and any problems with it.

    This imports the packages. The exit code is 1 if there is a problem.
    """
    import json

    from sqlamarr.registries.installed import unreadable

    rows = [_versioned(row) for registry in registries() for row in registry.listing(ours=everything)]
    damaged = unreadable()
    if as_json:
        click.echo(json.dumps([row._asdict() for row in rows], indent=2))
    elif rows:
        _print(rows)
    else:
        click.echo("No installed package adds anything to sqlamarr.")
    for sentence in [*damaged, *(row.problem for row in rows if row.problem and not as_json)]:
        click.echo(f"Warning: {sentence}", err=True)
    if damaged or any(row.problem for row in rows):
        raise click.exceptions.Exit(1)


def _versioned(row: Row) -> Row:
    """A row of sqlamarr itself, with its version, which the registries do not know."""
    if row.distribution != OURS.distribution or row.version:
        return row
    from sqlamarr import __version__

    return row._replace(version=str(__version__))


def registries() -> Iterator[Registry[Any]]:
    """The registries that packages can add to, in the order of a run."""
    from sqlamarr.cli import commands
    from sqlamarr.exporters.format import FORMATS
    from sqlamarr.models.kind import KINDS as MODELS
    from sqlamarr.models.libraries import LIBRARIES
    from sqlamarr.pipeline.registry import PIPELINES
    from sqlamarr.report.section import SECTIONS
    from sqlamarr.sources.kind import SOURCES
    from sqlamarr.steps.registry import KINDS as STEPS

    yield from (PIPELINES, SOURCES, STEPS, MODELS, LIBRARIES, FORMATS, SECTIONS, commands())


def _print(rows: list[Row]) -> None:
    """Print a table of the rows."""
    head = ("group", "name", "package", "version", "where")
    lines = [head]
    for row in rows:
        mark = "  (unusable)" if row.problem else ""
        lines.append((row.group, row.name, row.distribution or "-", row.version or "-", f"{row.module}{mark}"))
    widths = [max(len(line[column]) for line in lines) for column in range(len(head) - 1)]
    for line in lines:
        cells = [cell.ljust(width) for cell, width in zip(line, widths)]
        click.echo("  ".join([*cells, line[-1]]).rstrip())
