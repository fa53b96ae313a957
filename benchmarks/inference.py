"""Time the network of Lamarr's tracking models in one thread: compiled, through onnxruntime, and with numpy.

    OPENBLAS_NUM_THREADS=1 python benchmarks/inference.py [--rows 2048] [--json FILE]

12 inputs, ten hidden layers of 128 with LeakyReLU, residual, 9 outputs (M. Barbetti, CERN-THESIS-2024-108, 4.2.4),
random weights. All in one run, alternating, the best of many; so ratios mean something where times do not. Needs onnx,
onnxruntime and threadpoolctl.
"""

from __future__ import annotations

import argparse
import itertools
import json
import os
import shutil
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
from onnx import TensorProto, helper, numpy_helper
from threadpoolctl import threadpool_info, threadpool_limits

from sqlamarr.compiler.build import build
from sqlamarr.compiler.function import ModelSource
from sqlamarr.compiler.ir import Graph
from sqlamarr.models.compiled import CompiledModel

INPUTS, WIDTH, HIDDEN, OUTPUTS, SLOPE = 12, 128, 10, 9, 0.1
SIZES = [INPUTS] + [WIDTH] * HIDDEN + [OUTPUTS]
OPERATIONS = 2 * sum(a * b for a, b in itertools.pairwise(SIZES))  # of the matrix products, per row


def weights() -> list[tuple[np.ndarray, np.ndarray]]:
    rng = np.random.default_rng(1)
    shapes = itertools.pairwise(SIZES)
    return [
        ((rng.normal(size=(a, b)) / np.sqrt(a)).astype(np.float32), rng.normal(size=b).astype(np.float32) / 10)
        for a, b in shapes
    ]


def with_numpy(x: np.ndarray, layers: list[tuple[np.ndarray, np.ndarray]]) -> np.ndarray:
    for number, (w, b) in enumerate(layers[:-1]):
        y = x @ w
        y += b
        y = np.maximum(y, SLOPE * y)
        x = y + x if number else y
    return x @ layers[-1][0] + layers[-1][1]


def graph(layers: list[tuple[np.ndarray, np.ndarray]]) -> Graph:
    g = Graph([f"x{i}" for i in range(INPUTS)])
    x = g.input
    for number, (w, b) in enumerate(layers[:-1]):
        y = g.leaky_relu(g.dense(x, w, b), SLOPE)
        x = g.binary("add", y, x) if number else y
    g.set_output(g.dense(x, *layers[-1]))
    return g


def onnx_model(layers: list[tuple[np.ndarray, np.ndarray]]) -> bytes:
    nodes, constants, x = [], [], "x"
    for number, (w, b) in enumerate(layers):
        constants += [numpy_helper.from_array(w, f"w{number}"), numpy_helper.from_array(b, f"b{number}")]
        nodes.append(helper.make_node("Gemm", [x, f"w{number}", f"b{number}"], [f"g{number}"]))
        if number == len(layers) - 1:
            x = f"g{number}"
            break
        nodes.append(helper.make_node("LeakyRelu", [f"g{number}"], [f"l{number}"], alpha=SLOPE))
        if number:
            nodes.append(helper.make_node("Add", [f"l{number}", x], [f"h{number}"]))
        x = f"h{number}" if number else f"l{number}"
    tensors = [helper.make_tensor_value_info(n, TensorProto.FLOAT, [None, w]) for n, w in (("x", INPUTS), (x, OUTPUTS))]
    made = helper.make_model(
        helper.make_graph(nodes, "net", tensors[:1], tensors[1:], constants),
        opset_imports=[helper.make_opsetid("", 17)], ir_version=9,
    )  # fmt: skip
    onnx.checker.check_model(made)
    return made.SerializeToString()


def session(model: bytes) -> onnxruntime.InferenceSession:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    return onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])


def best(functions: dict[str, Callable[[], object]], rounds: int, seconds: float = 0.05) -> dict[str, float]:
    """The best time of each, all taking turns."""
    fastest = dict.fromkeys(functions, float("inf"))
    for _ in range(rounds):
        for name, function in functions.items():
            until = time.perf_counter() + seconds
            while True:
                start = time.perf_counter()
                function()
                end = time.perf_counter()
                fastest[name] = min(fastest[name], end - start)
                if end > until:
                    break
    return fastest


def compiled(folder: Path, layers: list[tuple[np.ndarray, np.ndarray]]) -> tuple[dict[str, CompiledModel], float, int]:
    """The library with each instruction set, the time to compile it, its size."""
    unknown = np.full(INPUTS, np.nan)
    source = ModelSource(
        graph(layers), lambda x, _: with_numpy(x.astype(np.float32), layers), unknown, unknown, "benchmark"
    )
    made = min((build({"net": source}, folder / "net.so") for _ in range(3)), key=lambda compiled: compiled.seconds)
    models = {}
    for isa in ("best", "avx2", "baseline"):
        os.environ["SQLAMARR_ISA"] = isa
        shutil.copy(made.path, folder / f"{isa}.so")
        models[isa] = CompiledModel(folder / f"{isa}.so", "net")
        models[isa](np.zeros((1, INPUTS), np.float32), None, OUTPUTS)  # it asks for the environment at the first call
    del os.environ["SQLAMARR_ISA"]
    return models, made.seconds, made.path.stat().st_size


def measure(rows: int, rounds: int) -> dict[str, object]:
    layers = weights()
    rng = np.random.default_rng(2)
    x, one = rng.normal(size=(rows, INPUTS)).astype(np.float32), rng.normal(size=(1, INPUTS)).astype(np.float32)
    a, b = (rng.normal(size=(1024, 1024)).astype(np.float32) for _ in range(2))
    with tempfile.TemporaryDirectory() as name, threadpool_limits(1):
        models, seconds, size = compiled(Path(name), layers)
        ort = session(onnx_model(layers))
        bits = {isa: model(x, None, OUTPUTS).tobytes() for isa, model in models.items()}
        times = best(
            {
                "f_batch": lambda: models["best"](x, None, OUTPUTS),
                "f_batch, AVX2": lambda: models["avx2"](x, None, OUTPUTS),
                "f_batch, baseline": lambda: models["baseline"](x[:100], None, OUTPUTS),
                "f, row by row": lambda: models["best"](x[:200], None, OUTPUTS, batched=False),
                "onnxruntime": lambda: ort.run(None, {"x": x}),
                "numpy": lambda: with_numpy(x, layers),
                "onnxruntime, one row": lambda: ort.run(None, {"x": one}),
                "sgemm": lambda: a @ b,
            },
            rounds,
        )
        kernel = [f"{p['internal_api']} {p.get('architecture')} {p['num_threads']}" for p in threadpool_info()]
    per_row = {"f_batch, baseline": 100, "f, row by row": 200, "onnxruntime, one row": 1}
    micro = {k: t / per_row.get(k, rows) * 1e6 for k, t in times.items() if k != "sgemm"}
    sgemm = 2 * 1024**3 / times["sgemm"] / 1e9
    return {
        "rows": rows, "microseconds_per_row": micro, "gflops": {k: OPERATIONS / t / 1e3 for k, t in micro.items()},
        "sgemm_gflops": sgemm, "times_as_fast_as_onnxruntime": micro["onnxruntime"] / micro["f_batch"],
        "avx2_times_as_fast_as_onnxruntime": micro["onnxruntime"] / micro["f_batch, AVX2"],
        "fraction_of_sgemm": OPERATIONS / micro["f_batch"] / 1e3 / sgemm, "same_bits": len(set(bits.values())) == 1,
        "compile_seconds": seconds, "library_megabytes": size / 1e6, "blas": kernel,
    }  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=2048)
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--json", type=Path, help="also write the numbers there")
    options = parser.parse_args()
    found = measure(options.rows, options.rounds)
    print(f"{'':<24}us/row   GFLOP/s")
    for name, value in found["microseconds_per_row"].items():
        print(f"{name:<22}{value:>8.2f}{found['gflops'][name]:>10.1f}")
    print(f"{'sgemm 1024^3':<22}{'':>8}{found['sgemm_gflops']:>10.1f}   {found['blas']}")
    for key in (
        "times_as_fast_as_onnxruntime", "avx2_times_as_fast_as_onnxruntime", "fraction_of_sgemm", "same_bits",
        "compile_seconds", "library_megabytes",
    ):  # fmt: skip
        print(f"{key:<34}{found[key] if isinstance(found[key], bool) else format(found[key], '.3g')}")
    if os.environ.get("OPENBLAS_CORETYPE"):
        print("Note: OPENBLAS_CORETYPE is set: numpy may not run its best kernels.")
    if options.json:
        options.json.write_text(json.dumps(found, indent=1) + "\n")


if __name__ == "__main__":
    main()
