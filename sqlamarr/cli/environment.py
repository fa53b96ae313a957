"""``sqlamarr environment``."""

from __future__ import annotations

import click

PACKAGES = ("numpy", "pandas", "apsw", "cffi", "pyhepmc", "jinja2", "jsonschema", "pyyaml", "particle", "uproot")


@click.command("environment")
def command() -> None:
    """Print the versions of sqlamarr and its dependencies, for bug reports."""
    import platform
    from importlib.metadata import distributions

    import apsw

    from sqlamarr import __version__
    from sqlamarr.native.library import library_path

    click.echo(f"sqlamarr {__version__} ({library_path()})")
    click.echo(f"Python {platform.python_version()}, {platform.platform()}, {platform.machine()}")
    click.echo(f"SQLite {apsw.sqlite_lib_version()}")
    versions = {str(found.metadata["Name"]).lower(): found.version for found in distributions()}
    for package in PACKAGES:
        click.echo(f"{package} {versions.get(package, 'is not installed')}")
