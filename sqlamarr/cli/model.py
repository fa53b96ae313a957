"""``sqlamarr model``."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import click

from sqlamarr.checking.wording import counted


@click.command("model")
@click.argument("library", type=click.Path())
@click.argument("functions", nargs=-1)
def command(library: str, functions: tuple[str, ...]) -> None:
    """Show the functions of a compiled LIBRARY (a file, or plugins:NAME), and run their self-tests.

    FUNCTIONS are the functions to show (default: all). The exit code is 1 if a self-test fails.
    """
    from sqlamarr.compiler.inspection import function_names, inspect
    from sqlamarr.models.files import locate

    path = locate(library, Path.cwd())
    names = functions or function_names(path)
    shown = [inspect(path, name) for name in names]
    click.echo(f"{path}: {counted(len(shown), 'function')}")
    for function in shown:
        _show(function)
    if failed := [f.name for f in shown if f.self_test and not f.self_test.passed]:
        click.echo(
            f"Error: the self-test of {', '.join(failed)} fails: on this machine the library does not give the "
            "results that it gave where it was compiled. Compile it again here.",
            err=True,
        )
        sys.exit(1)


def _show(function: Any) -> None:
    click.echo(
        f"\n{function.name}" + {"rows": "", "one row": "  (row by row)", "event": "  (whole events)"}[function.takes]
    )
    if function.sizes is None:
        unused = f"; {function.name}_batch is not called unless it does" if function.has_batch else ""
        click.echo(
            f"  does not declare its inputs and outputs ({function.name}_info); the pipeline must declare them{unused}"
        )
        return
    click.echo(f"  {function.sizes}")
    click.echo("  inputs   " + _wrapped([_input(i) for i in function.inputs]))
    click.echo("  outputs  " + _wrapped(list(function.outputs)))
    if function.origin:
        click.echo(f"  origin   {function.origin}")
    if test := function.self_test:
        click.echo(
            f"  verified largest deviation {test.recorded:.1e} of the output's spread, on {counted(test.rows, 'row')}"
        )
        verdict = "passed" if test.passed else "FAILED"
        bits = "f and f_batch agree" if test.same_bits else "f and f_batch differ"
        click.echo(f"  self-test {verdict}: deviation {test.deviation:.1e} on {counted(test.test_rows, 'row')}, {bits}")


def _input(one: Any) -> str:
    return one.name if one.low is None else f"{one.name} [{one.low:.6g}, {one.high:.6g}]"


def _wrapped(words: list[str], shown: int = 40) -> str:
    import textwrap

    if len(words) > shown:
        words = [*words[: shown - 1], f"... and {len(words) - shown + 1} more"]
    return textwrap.fill(", ".join(words), 110, subsequent_indent=" " * 11, break_long_words=False)
