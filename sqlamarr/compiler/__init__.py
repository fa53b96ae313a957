"""Compiling trained models to a shared library of plugin functions.

A *front end* reads a trained model and makes a :class:`~sqlamarr.compiler.function.Source` of it: the model as a
:class:`~sqlamarr.compiler.ir.Graph`, the original as a callable, and the range of its training. The back end
(:mod:`sqlamarr.compiler.build`) writes any number of them as one C file, compiles it, and verifies each function
against its original.

Parts: :mod:`ir` the representation, :mod:`evaluate` its meaning in numpy, :mod:`trees` tree ensembles;
:mod:`stages` models in sequence, and which front end reads which file; :mod:`scikit` the front end for
scikit-learn; :mod:`emit`, :mod:`layout`, :mod:`constants`, :mod:`library`, :mod:`information` and ``runtime/`` the
C; :mod:`toolchain` the C compiler; :mod:`verify` the comparison; :mod:`build` all of it in order;
:mod:`inspection` a library's description of itself.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sqlamarr.compiler.build import Compiled

__all__ = ["compile"]


def compile(  # the established name, as in re.compile
    functions: Mapping[str, Any],
    path: str | Path,
    *,
    noise: Mapping[str, int | str] | None = None,
    double: bool = False,
    tolerance: float | None = None,
    samples: Mapping[str, Any] | None = None,
    inputs: Mapping[str, Sequence[str]] | None = None,
    outputs: Mapping[str, Sequence[str]] | None = None,
    keep_source: str | Path | None = None,
) -> Compiled:
    """Compile trained models into a library of plugin functions, and verify each against its original.

    :param functions: the model of each function: a file (``"eff.pkl"``), a fitted scikit-learn object, either with
        a method (``(scaler, "inverse_transform")``, ``"scaler.pkl:inverse_transform"``), or a list of models that
        are applied in sequence: ``[preprocessing, "generator.onnx", (target_scaler, "inverse_transform")]``
    :param path: the library to write
    :param noise: per function, the number of standard normal numbers that its network takes after its inputs, or the
        input of its ONNX file that takes them (not needed if it is called noise, random, z or latent); 0: none
    :param double: compute networks, and keep the leaves of trees, in double precision
    :param tolerance: largest deviation from the original, relative to the spread of an output; default 1e-4
    :param samples: per function, real inputs (rows, inputs) to verify on instead of random ones
    :param inputs: per function, other names of its inputs
    :param outputs: per function, other names of its outputs
    :param keep_source: folder in which the C file and its weights are kept
    :returns: the library's path, and how well each function agrees with its original
    :raises CompilerError: a model cannot be compiled, there is no C compiler, or a deviation exceeds the tolerance
    """
    from sqlamarr.compiler.build import build
    from sqlamarr.compiler.stages import known_only, make_source
    from sqlamarr.compiler.verify import TOLERANCE

    noise, samples, inputs, outputs = noise or {}, samples or {}, inputs or {}, outputs or {}
    for what, given in (("Noise", noise), ("A sample", samples), ("Inputs", inputs), ("Outputs", outputs)):
        known_only(what, given, functions)
    sources = {
        name: make_source(
            name, description, noise=noise.get(name), double=double,
            inputs=inputs.get(name), outputs=outputs.get(name),
        )
        for name, description in functions.items()
    }  # fmt: skip
    return build(
        sources,
        Path(path),
        tolerance=TOLERANCE if tolerance is None else tolerance,
        samples=samples,
        keep_source=None if keep_source is None else Path(keep_source),
    )
