"""``sqlamarr compile``."""

from __future__ import annotations

from typing import Any

import click

from sqlamarr.checking.wording import counted


def _options(values: tuple[str, ...], name: str) -> dict[str, str]:
    """Parse FUNCTION=VALUE options into a mapping."""
    pairs = [value.partition("=") for value in values]
    if wrong := [value for value, (key, _, rest) in zip(values, pairs) if not key or not rest]:
        raise click.BadParameter(f"{wrong[0]!r} is not FUNCTION=VALUE.", param_hint=name)
    if twice := [key for key, _, _ in pairs if sum(key == other for other, _, _ in pairs) > 1]:
        raise click.BadParameter(f"{twice[0]!r} is given twice.", param_hint=name)
    return {key: rest for key, _, rest in pairs}


def _noise(values: tuple[str, ...]) -> dict[str, int | str]:
    """The number of random numbers, or the input that takes them, by function."""
    return {key: int(v) if v.isdigit() else v for key, v in _options(values, "--noise").items()}


def _names(values: tuple[str, ...], name: str) -> dict[str, list[str]]:
    return {key: value.split(",") for key, value in _options(values, name).items()}


def _samples(values: tuple[str, ...]) -> dict[str, Any]:
    from sqlamarr.compiler.samples import read_sample

    return {key: read_sample(value) for key, value in _options(values, "--sample").items()}


@click.command("compile")
@click.argument("functions", metavar="FUNCTION=MODEL[,MODEL...]", nargs=-1, required=True)
@click.option("-o", "--output", required=True, type=click.Path(), metavar="LIBRARY.so", help="The library to write.")
@click.option(
    "--noise", multiple=True, metavar="FUNCTION=N",
    help="Number of standard normal numbers that the network takes after its inputs (0: none, whatever its inputs are "
    "called), or the name of the ONNX input that takes them.",
)  # fmt: skip
@click.option("--inputs", multiple=True, metavar="FUNCTION=A,B,...", help="Names of the inputs.")
@click.option("--outputs", multiple=True, metavar="FUNCTION=A,B,...", help="Names of the outputs.")
@click.option(
    "--sample", multiple=True, metavar="FUNCTION=FILE",
    help="Real inputs to verify on (.npy or .csv), instead of random ones.",
)  # fmt: skip
@click.option("--double", is_flag=True, help="Compute networks, and store the leaves of trees, in double precision.")
@click.option(
    "--tolerance", type=click.FloatRange(0, min_open=True), default=1e-4,
    help="Largest deviation from the original, relative to the spread of an output.",
)  # fmt: skip
@click.option("--keep-source", type=click.Path(), metavar="FOLDER", help="Keep the C file and its weights here.")
def command(
    functions: tuple[str, ...], output: str, noise: tuple[str, ...], inputs: tuple[str, ...], outputs: tuple[str, ...],
    sample: tuple[str, ...], double: bool, tolerance: float, keep_source: str | None,
) -> None:  # fmt: skip
    """Compile trained models into a library of plugin functions.

    MODEL is a pickled or joblib-dumped scikit-learn estimator (.pkl, .joblib) or an ONNX file; MODEL:METHOD calls a
    method other than predict_proba, predict or transform, and MODEL:METHOD[0,2] keeps only some outputs. Models
    separated by commas are chained:

    \b
      sqlamarr compile efficiency=eff.pkl \\
        resolution=pre.pkl,generator.onnx,target.pkl:inverse_transform -o detector.so

    Each function is verified against its original; a deviation is an error. Loading a pickle runs the code in it:
    only load pickles that you trust.
    """
    from sqlamarr.compiler import compile as compile_models

    made = compile_models(
        _options(functions, "FUNCTION=MODEL"), output, noise=_noise(noise), double=double, tolerance=tolerance,
        samples=_samples(sample), inputs=_names(inputs, "--inputs"), outputs=_names(outputs, "--outputs"),
        keep_source=keep_source,
    )  # fmt: skip
    size = made.path.stat().st_size / 1e6
    number = len(made.functions)
    what = counted(number, "function")
    click.echo(f"{made.path}: {what}, {size:.2f} MB, compiled in {made.seconds:.1f} s")
    for name, verified in made.functions.items():
        n_in, n_out, n_random = made.sizes[name]
        takes = f"{counted(n_in, 'input')}, {counted(n_random, 'random number')}"
        click.echo(f"  {name:<20} {takes} -> {counted(n_out, 'output')}; {verified}")
