"""The command line: one command per module of this package, and the commands of other packages."""

from __future__ import annotations

import sys
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from sqlamarr.registries.registry import Registry


ALWAYS = "plugin"  # reports clashes, so it must run whatever is installed


@cache
def commands() -> Registry[click.Command]:
    """The registry of commands. It is made when it is needed: --version needs none."""
    from sqlamarr.registries.registry import Registry, described

    def check(found: object) -> click.Command:
        if isinstance(found, click.Command):
            return found
        raise TypeError(f"expected a click.Command, found {described(found)}")

    return Registry("commands", "command", package="sqlamarr.cli", attribute="command", check=check)


class _Commands(click.Group):
    """Find a command's module by its name, without importing the others."""

    def list_commands(self, _: click.Context) -> list[str]:
        """List sqlamarr's own commands; :meth:`format_commands` lists the others without importing them."""
        return commands().ours()

    def get_command(self, _: click.Context, name: str) -> click.Command | None:
        found = commands().candidates(name)
        return commands().load(found[0]) if found else None

    def resolve_command(
        self, context: click.Context, arguments: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        from sqlamarr.registries.registry import refuse_clash

        name = arguments[0]
        found = commands().candidates(name)
        if not found and not context.resilient_parsing:
            from sqlamarr.checking.yaml_schema import suggest

            context.fail(f"No such command {name!r}{suggest(name, commands().names())}")
        if name != ALWAYS:
            refuse_clash(commands().noun, found)
        return super().resolve_command(context, arguments)

    def format_commands(self, context: click.Context, formatter: click.HelpFormatter) -> None:
        super().format_commands(context, formatter)
        if foreign := commands().foreign():
            with formatter.section("Commands from other packages"):
                formatter.write_dl([(entry.name, f"from {entry.origin}") for entry in foreign])


def note_unfinished(file: Path) -> None:
    """Print a note if the run that wrote an output file did not finish."""
    from sqlamarr.output.file import open_output
    from sqlamarr.output.provenance import read, unfinished

    with open_output(file) as db:
        if note := unfinished(read(db)):
            click.echo(f"Note: {file}: {note}", err=True)


def _print_version(context: click.Context, _: click.Parameter, value: bool) -> None:
    if value:
        from sqlamarr import __version__

        click.echo(f"sqlamarr {__version__}")
        context.exit()


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"], "show_default": True})
@click.option("--debug", is_flag=True, help="Show the traceback of an error.")
@click.option(
    "--version",
    is_flag=True,
    is_eager=True,
    expose_value=False,
    callback=_print_version,
    help="Print the version.",
)
@click.pass_context
def group(context: click.Context, debug: bool) -> None:
    """Flash simulation of the LHCb experiment.

    Exit codes:

    \b
      0        success
      1        something is wrong with the input, the pipeline or the output; the message says what
      2        the command line is invalid
      3        the run finished, but some events were rejected
      128 + N  the run was interrupted by signal N (130: Ctrl-C, 143: SIGTERM)
    """
    context.obj = {"debug": debug}


def main(arguments: list[str] | None = None) -> Any:
    """Run the command line; sqlamarr's own errors are printed as one paragraph on standard error."""
    debug = "--debug" in (sys.argv if arguments is None else arguments)
    try:
        return group.main(arguments, prog_name="sqlamarr")
    except Exception as error:
        from sqlamarr.errors import SqlamarrError

        if debug or not isinstance(error, SqlamarrError):
            raise
        click.echo(f"Error: {error}", err=True)
        sys.exit(getattr(error, "exit_code", 1))
