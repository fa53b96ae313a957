"""``sqlamarr show``."""

from __future__ import annotations

from typing import Any

import click


@click.command("show")
@click.argument("file", type=click.Path())
@click.option("--hash", "only_hash", is_flag=True, help="Print the content hash: a line per table and the total.")
@click.option("--pipeline", is_flag=True, help="Print the pipeline file that the run used.")
def command(file: str, only_hash: bool, pipeline: bool) -> None:
    """Print what an output FILE holds and how it was made."""
    from sqlamarr.output.file import open_output
    from sqlamarr.output.provenance import read
    from sqlamarr.output.verify import verified

    with open_output(file) as db:
        if only_hash:
            verified(file)
            _show_hash(db)
        elif pipeline:
            click.echo(read(db)["pipeline_text"])
        else:
            _show(file, db, read(db))


def _show_hash(db: Any) -> None:
    from sqlamarr.output.content_hash import content_hashes, total_hash

    hashes = content_hashes(db)
    for table, digest in hashes.items():
        click.echo(f"{digest}  {table}")
    click.echo(f"{total_hash(hashes)}  total")


def _show(file: str, db: Any, made: dict[str, Any]) -> None:
    from sqlamarr.models.entry import describe
    from sqlamarr.output.file import data_tables, quoted_count

    conditions = ", ".join(f"{name} = {value}" for name, value in made["conditions"].items())
    click.echo(f"{file}: {made['status']}, made by sqlamarr {made['sqlamarr']} ({made['platform']})")
    click.echo(f"  pipeline    {made['pipeline']} ({conditions})")
    grouping = "" if made["collisions"] == "auto" else f", an event is a {made['collisions']}"
    click.echo(f"  seed        {made['seed']}, first event {made['first_event']}{grouping}")
    click.echo(f"  time        {made['started']} to {made.get('finished', '(not finished)')}")
    paths = [{"path": path} for (path,) in db.execute("SELECT datasource FROM DataSources").fetchall()]
    for entry in made.get("inputs", paths):
        click.echo(
            f"  input       {entry['path']}" + (f", sha256 {entry['sha256'][:16]}..." if entry.get("sha256") else "")
        )
    for name, model in made["models"].items():
        click.echo(f"  model       {name}: {describe(model)}")
    for package, uses in _packages(made).items():
        click.echo(f"  package     {package}: {', '.join(uses)}")
    click.echo(f"  events      {quoted_count(db, 'Events')}, {quoted_count(db, 'RejectedEvents')} rejected")
    _show_generator(db, made)
    for table in data_tables(db):
        n = quoted_count(db, table)
        click.echo(f"  {table:<20} {n:>12,} {'row' if n == 1 else 'rows'}")


def _packages(made: dict[str, Any]) -> dict[str, list[str]]:
    """What was used from other packages, by package."""
    found: dict[str, list[str]] = {}
    for group, names in made.get("other_packages", {}).items():
        for name, package in names.items():
            found.setdefault(package, []).append(f"{name} ({group})")
    return found


def _show_generator(db: Any, made: dict[str, Any]) -> None:
    from sqlamarr.output.file import last_cross_section

    if "GenEvents" not in db.tables():
        return
    total, n = db.execute("SELECT sum(weight), count(*) FROM GenEvents").fetchone()
    click.echo(f"  collisions  {n}, sum of weights {total if total is not None else 0:g}")
    if cross_section := last_cross_section(db):
        click.echo("  cross-section (last) {:g} +- {:g} pb".format(*cross_section))
    if made.get("weight_names"):
        click.echo(
            f"  weights     {', '.join(made['weight_names'][:8])}" + (" ..." if len(made["weight_names"]) > 8 else "")
        )
