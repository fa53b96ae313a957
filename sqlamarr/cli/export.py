"""``sqlamarr export``."""

from __future__ import annotations

import sys
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import click

from sqlamarr.cli import note_unfinished


@click.command("export")
@click.argument("file", type=click.Path())
@click.argument("output", type=click.Path(path_type=Path))
@click.option(
    "--format",
    "format_name",
    type=click.Choice(["root", "edm4hep", "parquet"]),
    show_default=False,
    help="Format, where the name of OUTPUT does not tell it.",
)
@click.option("-t", "--table", multiple=True, metavar="NAME", help="Export this table or view; may be repeated.")
@click.option(
    "--layout",
    type=click.Choice(["flat", "event", "both"]),
    default="both",
    help="ROOT: a tree for every table, one whose entries are the events, or both.",
)
@click.option("--rntuple", is_flag=True, help="ROOT: write RNTuples instead of TTrees.")
@click.option("--compression", default="zstd", help="zstd, lz4, zlib, lzma or none; zstd:9 sets the level.")
@click.option(
    "--null-integer", type=int, default=-999, help="TTrees: what stands for NULL among integers; floats have NaN."
)
@click.option("--rows", type=click.IntRange(1), default=100_000, help="Rows in memory at a time, about.")
@click.option("--overwrite", is_flag=True, help="Replace OUTPUT if it exists.")
@click.option("--quiet", is_flag=True, help="Print nothing but errors.")
def command(file: str, output: Path, format_name: str | None, quiet: bool, **options: Any) -> None:
    """Write a FILE that a run made in another format.

    The name of OUTPUT tells which: .root (trees), .edm4hep.root (EDM4hep), .parquet (one table). A folder gets
    one Parquet file for every table (--format parquet).
    """
    from sqlamarr.exporters.export_file import export

    options["tables"] = options.pop("table")
    with progress_bar(quiet) as bar:
        summary = export(file, output, format=format_name, progress=bar.update if bar is not None else None, **options)
    if not quiet:
        click.echo(summary.text())
    note_unfinished(Path(file))


def progress_bar(quiet: bool) -> Any:
    """A bar of rows on the terminal, or nothing."""
    if quiet or not sys.stderr.isatty():
        return nullcontext()
    from tqdm import tqdm

    return tqdm(unit=" rows", unit_scale=True)
