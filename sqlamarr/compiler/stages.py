"""Functions made of several models in sequence."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sqlamarr.compiler.function import Doubles, ModelSource
from sqlamarr.compiler.ir import Graph, Value
from sqlamarr.compiler.reader import READERS
from sqlamarr.errors import CompilerError
from sqlamarr.registries.suffixes import of_ours

STAGE = re.compile(r"(?P<model>.+?)(:(?P<method>[A-Za-z_]\w*))?(\[(?P<outputs>[-\d, ]+)\])?")


@dataclass(frozen=True)
class Stage:
    """One model of a function.

    :param model: a file, or a fitted scikit-learn object
    :param method: its method to call, e.g. ``inverse_transform``; default: the main method of such a model
    :param outputs: the outputs to keep; default: all
    """

    model: Any
    method: str | None = None
    outputs: tuple[int, ...] | None = None


def parse(text: str) -> list[Stage]:
    """Parse the stages of ``FILE[:METHOD][[OUTPUTS]],...``.

    :raises CompilerError: the text does not have this form
    """
    stages = []
    for part in re.split(r",(?![^\[]*\])", text):
        match = STAGE.fullmatch(part.strip())
        if match is None:
            raise CompilerError(
                f"Expected FILE, FILE:METHOD or FILE:METHOD[OUTPUTS], separated by commas; found {text!r}."
            )
        outputs = match["outputs"]
        kept = tuple(int(number) for number in outputs.split(",")) if outputs else None
        stages.append(Stage(Path(match["model"]), match["method"], kept))
    return stages


def stages_of(description: Any) -> list[Stage]:
    """Return the stages of a function given as a path, an estimator, (either, method), a stage, or a list of these."""
    if isinstance(description, str):
        return parse(description)
    if isinstance(description, list):
        return [stage for one in description for stage in stages_of(one)]
    if isinstance(description, tuple):
        (stage,), (call,) = stages_of(description[0]), parse(f"of:{description[1]}")
        return [replace(stage, method=call.method, outputs=call.outputs)]
    return [description] if isinstance(description, Stage) else [Stage(description)]


def read(stage: Stage, dtype: np.dtype[Any], noise: int | str | None = None) -> ModelSource:
    """Read a stage with the front end for it.

    :param dtype: the type in which the weights of networks are kept
    :param noise: the input of an ONNX file that takes random numbers, if its name does not show it; 0 if none does
    :raises CompilerError: no such file, or no front end for it
    """
    if isinstance(stage.model, (str, Path)):
        path = Path(stage.model)
        found = of_ours(READERS, path.name)
        if found is None:
            known = ", ".join(suffix for _, reader in READERS.own() for suffix in reader.SUFFIXES)
            raise CompilerError(
                f"{path}: files with the suffix {path.suffix!r} cannot be compiled; expected one of: {known}."
            )
        if not path.is_file():
            raise CompilerError(f"The model {path} does not exist.")
        source = READERS.get(found).read(path, stage.method, dtype, noise)
    else:
        from sqlamarr.compiler.scikit import read_object

        source = read_object(stage.model, stage.method, dtype)
    return source if stage.outputs is None else _kept(source, stage.outputs)


def _kept(source: ModelSource, outputs: Sequence[int]) -> ModelSource:
    """Return the same source with only some of the outputs."""
    old, columns = source.graph, list(outputs)
    graph = _empty_like(old, old.input_names)
    value = graph.select(graph.inline(old, graph.input, graph.noise), columns)
    graph.set_output(value, [old.output_names[i] for i in columns])

    def reference(x: Doubles, z: Doubles) -> NDArray[Any]:
        return np.asarray(source.reference(x, z)).reshape(len(x), -1)[:, columns]

    return replace(source, graph=graph, reference=reference)


def _empty_like(graph: Graph, inputs: Sequence[str]) -> Graph:
    return Graph(inputs, graph.noise.width if graph.noise else 0)


def chain(sources: Sequence[ModelSource], noise: int = 0) -> ModelSource:
    """Chain several models into one.

    :param sources: the models; each takes the outputs of the previous one
    :param noise: number of standard normal numbers to append to the inputs of the one model that takes that many more
    :raises CompilerError: outputs and inputs do not match
    """
    if noise == sum(source.graph.noise.width for source in sources if source.graph.noise):
        noise = 0  # the models have inputs of their own for it
    plan = _Plan(sources, noise)
    first = sources[0]
    inputs = len(first.graph.input_names) - (noise if plan.taker == 0 else 0)
    graph = Graph(first.graph.input_names[:inputs], plan.total)
    value: Value = graph.input
    for number, source in enumerate(sources):
        columns = plan.columns[number]
        drawn = graph.select(graph.noise, columns) if graph.noise and columns else None
        if number == plan.taker and drawn is not None:
            value, drawn = graph.concat([value, graph.cast(drawn, value.dtype)]), None
        value = graph.inline(source.graph, value, drawn)
    graph.set_output(value, sources[-1].graph.output_names)
    guess = None if first.guess is None else first.guess[:, :inputs]
    origin = "; ".join(source.origin for source in sources)
    return ModelSource(graph, plan.reference(), first.low[:inputs], first.high[:inputs], origin, guess)


class _Plan:
    """Return the columns of the function's random numbers that each model gets."""

    def __init__(self, sources: Sequence[ModelSource], noise: int) -> None:
        self.sources = sources
        self.taker = _taker(sources, noise)
        self.columns: list[list[int]] = []
        self.total = 0
        for number, source in enumerate(sources):
            own = source.graph.noise.width if source.graph.noise else 0
            count = noise if number == self.taker else own
            self.columns.append(list(range(self.total, self.total + count)))
            self.total += count

    def reference(self) -> Callable[[Doubles, Doubles], NDArray[Any]]:
        """Call the originals in sequence."""

        def reference(x: Doubles, z: Doubles) -> NDArray[Any]:
            value = x
            for number, source in enumerate(self.sources):
                drawn = z[:, self.columns[number]]
                if number == self.taker:
                    value, drawn = np.concatenate([value, drawn], axis=1), z[:, :0]
                value = np.asarray(source.reference(value, drawn), np.float64).reshape(len(x), -1)
            return value

        return reference


def _taker(sources: Sequence[ModelSource], noise: int) -> int | None:
    """Return the number of the model that gets random numbers after its inputs; check that all models match."""
    taker = None
    for number, source in enumerate(sources[1:], start=1):
        given, wanted = sources[number - 1].graph.output.width, len(source.graph.input_names)
        if noise and taker is None and wanted == given + noise:
            taker = number
        elif given != wanted:
            raise CompilerError(
                f"The model {source.origin} takes {wanted} inputs, but {sources[number - 1].origin} returns {given}"
                + (f". If the other {wanted - given} are random numbers, use --noise FUNCTION={wanted - given}."
                   if wanted > given and not noise else f" and there are {noise} random numbers." if noise else ".")
            )  # fmt: skip
    if noise and taker is None:
        if len(sources[0].graph.input_names) <= noise:
            raise CompilerError(f"No model of this function takes {noise} random numbers besides its inputs.")
        taker = 0
    return taker


def with_names(source: ModelSource, inputs: Sequence[str] | None, outputs: Sequence[str] | None) -> ModelSource:
    """Return the same source with other names for its inputs or outputs.

    :raises CompilerError: the number of names is wrong
    """
    old = source.graph
    for kind, names, count in (("input", inputs, len(old.input_names)), ("output", outputs, old.output.width)):
        if names is not None and len(names) != count:
            raise CompilerError(f"{len(names)} names given for {count} {kind}s: {', '.join(names)}.")
    graph = _empty_like(old, inputs or old.input_names)
    graph.set_output(graph.inline(old, graph.input, graph.noise), outputs or old.output_names)
    return replace(source, graph=graph)


def make_source(
    name: str,
    description: Any,
    *,
    noise: int | str | None = None,
    double: bool = False,
    inputs: Sequence[str] | None = None,
    outputs: Sequence[str] | None = None,
) -> ModelSource:
    """Make one function from its description; see :func:`sqlamarr.compiler.compile`.

    :raises CompilerError: the message begins with the function's name
    """
    try:
        stages = stages_of(description)
        dtype = np.dtype(np.float64 if double else np.float32)
        if isinstance(noise, str):
            if not any(str(stage.model).endswith(".onnx") for stage in stages):
                raise CompilerError(
                    f"noise={noise!r} names an input of an ONNX file, but the function has no ONNX file."
                )
            source = chain([read(stage, dtype, noise) for stage in stages])
        else:
            source = chain([read(stage, dtype, 0 if noise == 0 else None) for stage in stages], noise or 0)
        return with_names(source, inputs, outputs)
    except CompilerError as error:
        raise CompilerError(f"{name}: {error}") from error


def known_only(what: str, given: Mapping[str, Any], functions: Mapping[str, Any]) -> None:
    """Raise CompilerError if an option names a function that does not exist."""
    if unknown := sorted(set(given) - set(functions)):
        raise CompilerError(f"{what} for {unknown[0]!r}: there is no such function; there are: {', '.join(functions)}.")
