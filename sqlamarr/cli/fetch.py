"""``sqlamarr fetch``."""

from __future__ import annotations

import click


@click.command("fetch")
@click.argument("pipeline")
@click.option("--model", multiple=True, metavar="NAME=FILE", help="Replace a model; a URL ends in #sha256=DIGITS.")
def command(pipeline: str, model: tuple[str, ...]) -> None:
    """Download the models that a PIPELINE names by URL into the cache.

    Runs then find them there, even without a network. The environment variable SQLAMARR_CACHE sets the
    folder of the cache.
    """
    from sqlamarr.cli.run import assignments
    from sqlamarr.models import entry
    from sqlamarr.pipeline.load import load

    loaded = load(pipeline).with_models(assignments(model))
    remote = {name: options for name, options in loaded.models.items() if entry.is_remote(options)}
    for name, options in remote.items():
        click.echo(f"  {name:<20} {entry.find(options, loaded.folder).path}")
    click.echo(f"{loaded.path}: {len(remote)} of {len(loaded.models)} models come from the network.")
