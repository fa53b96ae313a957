"""The command line: a group whose commands are the modules of this package, one each."""

from __future__ import annotations

import importlib
import pkgutil
import sys
from pathlib import Path
from typing import Any

import click


class _Commands(click.Group):
    """Finds a command's module by its name, and imports no other."""

    def list_commands(self, _: click.Context) -> list[str]:
        return sorted(module.name for module in pkgutil.iter_modules(__path__))

    def get_command(self, _: click.Context, name: str) -> click.Command | None:
        if name not in self.list_commands(_):
            return None
        command: click.Command = importlib.import_module(f"{__name__}.{name}").command
        return command


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
