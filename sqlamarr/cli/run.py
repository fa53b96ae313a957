"""``sqlamarr run``."""

from __future__ import annotations

import json
import sys
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import click

from sqlamarr.errors import OutputError, SqlamarrError

REJECTED = 3  # exit code of a run that left events out


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
    """An integer of 64 bits without sign."""

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
    help="SQLite file to write; a name that tells a format of 'sqlamarr export' (.root) makes an export of it.",
)
@click.option("--seed", type=Seed(), help="Seed; drawn and printed if not given.")
@click.option(
    "-n",
    "--events",
    type=Events(),
    metavar="N|A:B",
    help="Stop after N events, or take those from A to before B of the inputs, which keep their ordinals.",
)
@click.option("--first-event", type=click.IntRange(0), default=0, help="Ordinal of the first event.")
@click.option(
    "--batch-size",
    type=click.IntRange(1),
    help="Events that go through the steps together; 500 if not given, of particle guns up to 8000.",
)
@click.option(
    "--collisions",
    type=click.Choice(["auto", "record", "file"]),
    default="auto",
    help="What an event is: a HepMC record, or all records of a file.",
)
@click.option("-c", "--condition", multiple=True, metavar="NAME=VALUE", help="Change a condition of the pipeline.")
@click.option("--model", multiple=True, metavar="NAME=FILE", help="Use another model.")
@click.option(
    "--generator",
    type=click.Choice(["none", "selected", "full"]),
    default="none",
    help="Keep nothing, the part that MC particles come from, or all of the generator's record.",
)
@click.option("--weights", is_flag=True, help="Keep all generator weights (table GenWeights).")
@click.option("--keep-tmp", is_flag=True, help="Keep the steps' own tables.")
@click.option("--on-error", type=click.Choice(["stop", "skip"]), default="stop", help="For events that fail.")
@click.option(
    "--max-rejected",
    type=click.FloatRange(0, 1),
    default=0.01,
    help="Fraction of events that may be skipped; ten always may.",
)
@click.option("-j", "--jobs", type=click.IntRange(1), default=1, help="Processes that work on batches.")
@click.option("--executor", type=click.Choice(["processes", "dask"]), default="processes", help="Who works on batches.")
@click.option("--scheduler", metavar="ADDRESS", help="Dask's scheduler, or its scheduler file, for --executor dask.")
@click.option("--overwrite", is_flag=True, help="Replace the output file, if it exists, once the new one is complete.")
@click.option("--resume", is_flag=True, help="Continue an interrupted run, or begin it.")
@click.option(
    "--scratch", type=click.Path(), metavar="DIR", help="Write there; the complete file moves to its place at the end."
)
@click.option("--summary", type=click.Path(path_type=Path), help="Write the summary as JSON to a file too.")
@click.option("--quiet", is_flag=True, help="Print nothing but errors.")
def command(pipeline: str, inputs: tuple[str, ...], output: Path, **options: Any) -> None:
    """Simulate the events of INPUTS with PIPELINE.

    PIPELINE is a name (lhcb_run2, or one that an installed package brings) or a YAML file. INPUTS are HepMC files
    (plain, compressed, in archives), quoted globs, - for the standard input, tables (Parquet, ROOT, CSV), and YAML
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
        raise click.UsageError("--executor dask and --scheduler ADDRESS belong together.")
    if scheduler is None:
        return nullcontext()
    from sqlamarr.running.dask import cluster

    return cluster(scheduler)


def _database(output: Path, overwrite: bool, resume: bool) -> Path:
    """The SQLite file to write: the output itself, or what it will be exported from.

    :raises OutputError: the export exists, and may not be replaced
    """
    from sqlamarr.exporters.format import FORMATS, format_by_suffix

    found, problems = format_by_suffix(output)
    for problem in problems:
        click.echo(f"Note: {output} becomes an SQLite file. {problem}", err=True)
    if found is None:
        return output
    exporter = FORMATS.get(found)
    if not exporter.ONE_FILE:
        raise click.BadParameter(f"a {found} file holds one table: write an SQLite file and export it", param_hint="-o")
    from sqlamarr.exporters.export_file import check_target

    database = output.with_name(f"{output.name}.db")
    if resume and not overwrite and output.is_file():
        raise _not_resumed(output, database, exporter.SUFFIXES)
    check_target(output, overwrite, exporter.MARK)
    return database


def _not_resumed(output: Path, database: Path, suffixes: tuple[str, ...]) -> OutputError:
    """An export is there already: whether it is that of this run, it does not tell."""
    if database.exists():
        return OutputError(
            f"{output} exists, and beside it {database} of a run whose export is still to be made. Finish it with "
            f"'-o {database} --resume', then 'sqlamarr export {database} {output} --overwrite'."
        )
    suffix = max((suffix for suffix in suffixes if output.name.endswith(suffix)), key=len, default="")
    other = output.with_name(f"{output.name.removesuffix(suffix)}.db")
    return OutputError(
        f"{output} exists, and a run writes it at its end: there is nothing to resume. To say --resume always, write "
        f"an SQLite file, '-o {other} --resume', and export it: 'sqlamarr export {other} {output}'. Or choose another "
        "name, or --overwrite it."
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
                f"{error} The simulation is complete in {database}: make room, then "
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
    """Options of the form NAME=VALUE.

    :raises click.BadParameter: one has another form
    """
    result: dict[str, str] = {}
    for pair in pairs:
        name, equals, value = pair.partition("=")
        if not equals or not name:
            raise click.BadParameter(f"expected NAME=VALUE, found {pair!r}")
        result[name] = value
    return result
