"""The command line: a group whose commands are the modules of this package, one each, and those of other packages."""

from __future__ import annotations

import sys
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from sqlamarr.registries.registry import Registry


ALWAYS = "plugin"  # tells of clashes, so that it must run whatever is installed


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
    """Finds a command's module by its name, and imports no other."""

    def list_commands(self, _: click.Context) -> list[str]:
        """Our own; those of installed packages are listed without being imported, by :meth:`format_commands`."""
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
            with formatter.section("Commands of other packages"):
                formatter.write_dl([(entry.name, f"of {entry.origin}") for entry in foreign])


def note_unfinished(file: Path) -> None:
    """Tell who has taken something from an output file if its run did not come to its end."""
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
    "--version", is_flag=True, is_eager=True, expose_value=False, callback=_print_version, help="Show the version."
)
@click.pass_context
def group(context: click.Context, debug: bool) -> None:
    """Flash simulation of the LHCb experiment.

    Exit codes: 0 all went well; 1 something is wrong with the input, the pipeline or the output, and
    the message says what; 2 the command line cannot be understood; 3 the run finished, but some
    events were rejected; 128 + N the run was interrupted by signal N (130 Ctrl-C, 143 SIGTERM).
    """
    context.obj = {"debug": debug}


def main(arguments: list[str] | None = None) -> Any:
    """Run the command line; errors of ours become one paragraph on the standard error."""
    debug = "--debug" in (sys.argv if arguments is None else arguments)
    try:
        return group.main(arguments, prog_name="sqlamarr")
    except Exception as error:
        from sqlamarr.errors import SqlamarrError

        if debug or not isinstance(error, SqlamarrError):
            raise
        click.echo(f"Error: {error}", err=True)
        sys.exit(getattr(error, "exit_code", 1))
