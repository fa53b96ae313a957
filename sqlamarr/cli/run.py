"""``sqlamarr run``."""

from __future__ import annotations

import json
import sys
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import click

from sqlamarr.errors import OutputError, SqlamarrError

REJECTED = 3  # exit code of a run that rejected events


class Events(click.ParamType):  # type: ignore[type-arg]
    """``N``, ``A:B``, ``A:`` or ``:B``."""

    name = "N|A:B"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """From the text of the command line."""
        from sqlamarr.running.options import EventRange

        try:
            return EventRange.of(value)
        except SqlamarrError as error:
            self.fail(str(error), param, ctx)


class Seed(click.ParamType):  # type: ignore[type-arg]
    """An unsigned 64-bit integer."""

    name = "integer"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """From the text of the command line."""
        try:
            seed = int(str(value))
        except ValueError:
            seed = -1
        if not 0 <= seed < 2**64:
            self.fail(f"expected an integer from 0 to 2^64 - 1, found {str(value)!r}", param, ctx)
        return seed


@click.command("run")
@click.argument("pipeline")
@click.argument("inputs", nargs=-1, required=True)
@click.option(
    "-o",
    "--output",
    required=True,
    type=click.Path(path_type=Path),
    help="SQLite file to write; with the suffix of an export format (.root), the results are exported to it.",
)
@click.option("--seed", type=Seed(), help="Seed; if not given, one is drawn and printed.")
@click.option(
    "-n",
    "--events",
    type=Events(),
    metavar="N|A:B",
    help="Stop after N events, or simulate events A to B - 1 of the inputs, which keep their ordinals.",
)
@click.option("--first-event", type=click.IntRange(0), default=0, help="Ordinal of the first event.")
@click.option(
    "--batch-size",
    type=click.IntRange(1),
    help="Events that go through the steps together; default 500, or up to 8000 for particle guns.",
)
@click.option(
    "--collisions",
    type=click.Choice(["auto", "record", "file"]),
    default="auto",
    help="What an event is: a HepMC record, or all records of a file.",
)
@click.option("-c", "--condition", multiple=True, metavar="NAME=VALUE", help="Change a condition of the pipeline.")
@click.option("--model", multiple=True, metavar="NAME=FILE", help="Replace a model of the pipeline.")
@click.option(
    "--generator",
    type=click.Choice(["none", "selected", "full"]),
    default="none",
    help="How much of the generator's record to keep: nothing, the part that MC particles come from, or all.",
)
@click.option("--weights", is_flag=True, help="Keep all generator weights (table GenWeights).")
@click.option("--keep-tmp", is_flag=True, help="Keep the steps' own tables.")
@click.option("--on-error", type=click.Choice(["stop", "skip"]), default="stop", help="What to do at a bad event.")
@click.option(
    "--max-rejected",
    type=click.FloatRange(0, 1),
    default=0.01,
    help="Largest fraction of events that may be skipped; ten are always allowed.",
)
@click.option("-j", "--jobs", type=click.IntRange(1), default=1, help="Number of worker processes.")
@click.option("--executor", type=click.Choice(["processes", "dask"]), default="processes", help="Where workers run.")
@click.option("--scheduler", metavar="ADDRESS", help="Dask scheduler, or its scheduler file, for --executor dask.")
@click.option("--overwrite", is_flag=True, help="Replace the output file, if it exists, once the new one is complete.")
@click.option("--resume", is_flag=True, help="Continue an interrupted run, or start one if there is none.")
@click.option(
    "--scratch",
    type=click.Path(),
    metavar="DIR",
    help="Write in this folder; move the complete file to its place.",
)
@click.option("--summary", type=click.Path(path_type=Path), help="Also write the summary to this file, as JSON.")
@click.option("--quiet", is_flag=True, help="Print nothing but errors.")
def command(pipeline: str, inputs: tuple[str, ...], output: Path, **options: Any) -> None:
    """Simulate the events of INPUTS with PIPELINE.

    PIPELINE is a name (lhcb_run2, or one from an installed package) or a YAML file. INPUTS are HepMC files
    (plain, compressed, in archives), quoted globs, - for standard input, tables (Parquet, ROOT, CSV), and YAML
    files that describe guns, Pythia, tables or pile-up.
    """
    from sqlamarr.files.whole_files import write_text
    from sqlamarr.pipeline.load import load
    from sqlamarr.running.run import run

    summary_file, quiet = options.pop("summary"), options.pop("quiet")
    if summary_file and not summary_file.absolute().parent.is_dir():
        raise click.BadParameter(f"the folder {summary_file.absolute().parent} does not exist", param_hint="--summary")
    loaded = load(pipeline)
    database = _database(output, options["overwrite"], options["resume"])
    conditions = loaded.parse_conditions(assignments(options.pop("condition")))
    most = options["events"].most if options["events"] else None
    with _progress(most, quiet) as bar, _executor(options.pop("executor"), options.pop("scheduler")) as executor:
        summary = run(
            loaded,
            inputs,
            database,
            conditions=conditions,
            models=assignments(options.pop("model")),
            executor=executor,
            progress=bar.update if bar is not None else None,
            **options,
        )
    if summary_file:
        write_text(summary_file, json.dumps(summary.as_dict(), indent=2) + "\n")
    if not quiet:
        click.echo(summary.text())
    if database != output:
        _export(database, output, options["overwrite"], quiet)
    if summary.rejected:
        sys.exit(REJECTED)


def _executor(kind: str, scheduler: str | None) -> Any:
    if (kind == "dask") != (scheduler is not None):
        raise click.UsageError("--executor dask and --scheduler ADDRESS must be used together.")
    if scheduler is None:
        return nullcontext()
    from sqlamarr.running.dask import cluster

    return cluster(scheduler)


def _database(output: Path, overwrite: bool, resume: bool) -> Path:
    """The SQLite file to write: the output itself, or the file that the output is exported from.

    :raises OutputError: the export exists and must not be replaced
    """
    from sqlamarr.exporters.format import FORMATS, format_by_suffix

    found, problems = format_by_suffix(output)
    for problem in problems:
        click.echo(f"Note: {output} is written as an SQLite file. {problem}", err=True)
    if found is None:
        return output
    exporter = FORMATS.get(found)
    if not exporter.ONE_FILE:
        raise click.BadParameter(
            f"a {found} file holds only one table: write an SQLite file and export it", param_hint="-o"
        )
    from sqlamarr.exporters.export_file import check_target

    database = output.with_name(f"{output.name}.db")
    if resume and not overwrite and output.is_file():
        raise _not_resumed(output, database, exporter.SUFFIXES)
    check_target(output, overwrite, exporter.MARK)
    return database


def _not_resumed(output: Path, database: Path, suffixes: tuple[str, ...]) -> OutputError:
    """The error for an export that exists already; whether it is this run's cannot be seen from it."""
    if database.exists():
        return OutputError(
            f"{output} exists, and beside it is {database}, from a run that has not been exported yet. Finish that run "
            f"with '-o {database} --resume', then run 'sqlamarr export {database} {output} --overwrite'."
        )
    suffix = max((suffix for suffix in suffixes if output.name.endswith(suffix)), key=len, default="")
    other = output.with_name(f"{output.name.removesuffix(suffix)}.db")
    return OutputError(
        f"{output} exists, but a run writes it only at its end, so there is nothing to resume. To use --resume every "
        f"time, write an SQLite file with '-o {other} --resume' and export it with 'sqlamarr export {other} {output}'. "
        "Otherwise choose another name, or use --overwrite."
    )


def _export(database: Path, output: Path, overwrite: bool, quiet: bool) -> None:
    from sqlamarr.cli.export import progress_bar
    from sqlamarr.exporters.export_file import export
    from sqlamarr.files.write_lock import claimed

    with claimed(database), progress_bar(quiet) as bar:
        try:
            exported = export(database, output, overwrite=overwrite, progress=bar.update if bar is not None else None)
        except OutputError as error:
            raise OutputError(
                f"{error} The complete simulation is in {database}: free some space, then run "
                f"'sqlamarr export {database} {output} --overwrite'."
            ) from error
        database.unlink()
    if not quiet:
        click.echo(exported.text())


def _progress(total: int | None, quiet: bool) -> Any:
    if quiet or not sys.stderr.isatty():
        return nullcontext()
    from tqdm import tqdm

    return tqdm(total=total, unit=" events")


def assignments(pairs: tuple[str, ...]) -> dict[str, str]:
    """Parse options of the form NAME=VALUE.

    :raises click.BadParameter: an option has another form
    """
    result: dict[str, str] = {}
    for pair in pairs:
        name, equals, value = pair.partition("=")
        if not equals or not name:
            raise click.BadParameter(f"expected NAME=VALUE, found {pair!r}")
        result[name] = value
    return result
