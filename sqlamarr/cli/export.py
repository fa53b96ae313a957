"""``sqlamarr export``."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import click

from sqlamarr.cli import note_unfinished


class _FormatName(click.ParamType):  # type: ignore[type-arg]
    """The name of a format. The known names are looked up only when needed, without importing other packages."""

    name = "format"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Return the name if there is such a format."""
        from sqlamarr.exporters.format import FORMATS

        if value not in FORMATS:
            self.fail(FORMATS.unknown(str(value)), param, ctx)
        return value

    def get_metavar(self, param: click.Parameter, ctx: click.Context | None = None) -> str:
        """All names of formats."""
        from sqlamarr.exporters.format import FORMATS

        return f"[{'|'.join(FORMATS.names())}]"


class _Export(click.Command):
    """Add the options of sqlamarr's own formats to the command's when they are needed."""

    def get_params(self, ctx: click.Context) -> list[click.Parameter]:
        from sqlamarr.exporters.format import own_options

        options = [_as_option(name, having) for name, having in own_options().items()]
        own = [*self.params, *options]
        help_option = self.get_help_option(ctx)
        return [*own, help_option] if help_option is not None else own


def _as_option(name: str, having: list[tuple[str, Mapping[str, Any]]]) -> click.Option:
    """Make a command-line option from the JSON schema of a format's option."""
    schema = having[0][1]
    flag = f"--{name.replace('_', '-')}"
    help = f"{', '.join(format for format, _ in having)}: {schema['description']}"
    if schema.get("type") == "boolean":
        return click.Option([flag], is_flag=True, default=None, help=help, show_default=False)
    kind = click.Choice(schema["enum"]) if "enum" in schema else {"integer": int, "number": float}.get(schema["type"])
    return click.Option([flag], type=kind, help=f"{help} Default {schema['default']}.", show_default=False)


@click.command("export", cls=_Export)
@click.argument("file", type=click.Path())
@click.argument("output", type=click.Path(path_type=Path))
@click.option("--format", "format_name", type=_FormatName(), help="Format, if not clear from the name of OUTPUT.")
@click.option("-t", "--table", multiple=True, metavar="NAME", help="Export this table or view; may be repeated.")
@click.option("--rows", type=click.IntRange(1), default=100_000, help="Approximate number of rows in memory at a time.")
@click.option(
    "-O",
    "--option",
    multiple=True,
    metavar="NAME=VALUE",
    help="An option of a format from another package; may be repeated.",
)
@click.option("--overwrite", is_flag=True, help="Replace OUTPUT if it exists.")
@click.option("--quiet", is_flag=True, help="Print nothing but errors.")
def command(file: str, output: Path, format_name: str | None, quiet: bool, **options: Any) -> None:
    """Convert an output FILE to another format.

    The suffix of OUTPUT selects the format: .root (trees), .edm4hep.root (EDM4hep), .parquet (one table). With
    --format parquet, OUTPUT may be a folder, which receives one Parquet file per table. Installed packages can add
    formats: see 'sqlamarr plugin list'.
    """
    from sqlamarr.exporters.export_file import export, format_of

    chosen = format_of(output, format_name)
    common = {"tables": options.pop("table"), "rows": options.pop("rows"), "overwrite": options.pop("overwrite")}
    more = _of_format(chosen, options.pop("option"))
    own = {name: value for name, value in options.items() if value is not None}
    with progress_bar(quiet) as bar:
        progress = bar.update if bar is not None else None
        summary = export(file, output, format=chosen, progress=progress, **common, **{**own, **more})
    if not quiet:
        click.echo(summary.text())
    note_unfinished(Path(file))


def _of_format(format: str, pairs: tuple[str, ...]) -> dict[str, Any]:
    """Convert options from text to numbers and booleans where the format's schema asks for these."""
    from sqlamarr.checking.yaml_schema import read_yaml
    from sqlamarr.exporters.format import FORMATS

    values: dict[str, Any] = {}
    for pair in pairs:
        name, equals, text = pair.partition("=")
        if not equals or not name:
            raise click.BadParameter(f"expected NAME=VALUE, found {pair!r}", param_hint="--option")
        schema = FORMATS.get(format).OPTIONS.get(name, {})
        values[name] = text if schema.get("type") == "string" else read_yaml(text, f"--option {name}")
    return values


def progress_bar(quiet: bool) -> Any:
    """A progress bar that counts rows on the terminal, or an empty context."""
    if quiet or not sys.stderr.isatty():
        return nullcontext()
    from tqdm import tqdm

    return tqdm(unit=" rows", unit_scale=True)
