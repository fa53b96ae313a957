"""A graph as C: one line for each operation on a block of rows."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from sqlamarr.compiler.constants import Constants, depth, nodes, padded, panels
from sqlamarr.compiler.ir import BINARY, FLOAT32, FLOAT64, UNARY, UNARY_WITH_PARAMETER, Graph, Value
from sqlamarr.compiler.layout import Layout, alias, in_memory, needed, plan
from sqlamarr.compiler.trees import TreeEnsemble

TYPES = {FLOAT32: ("float", "f32"), FLOAT64: ("double", "f64")}
REDUCE = {  # the first number, each next one, and at the end; of `value` and `so_far`
    "sum": ("value", "so_far + value", "so_far"),
    "mean": ("value", "so_far + value", "so_far / (REAL)length"),
    "prod": ("value", "so_far * value", "so_far"),
    "max": ("value", "M(max)(so_far, value)", "so_far"),
    "min": ("value", "M(min)(so_far, value)", "so_far"),
}


class FunctionWriter:
    """Writes the body of one function.

    :param graph: the function's graph
    :param constants: collects the function's numbers
    :param kernels: collects, per type, the kernels that it needs besides the common ones
    """

    def __init__(self, graph: Graph, constants: Constants, kernels: dict[str, set[str]]) -> None:
        self.graph, self.constants, self.kernels = graph, constants, kernels
        self.layout: Layout = plan(graph)

    def body(self) -> str:
        """The statements of a block of B rows, of which ``rows`` are wanted."""
        lines: list[str] = []
        buffered = in_memory(self.graph)
        for value in needed(self.graph):
            if value.index not in buffered:
                continue
            kind, _ = TYPES[value.dtype]
            lines.append(
                f"{kind} *const v{value.index} = ({kind} *)(void *)(work + {self.layout.offset[value.index]} * B);"
            )
            lines += [f"{statement};" for statement in self._statements(value)]
        result = self.graph.output
        lines.append(f"{self._kernel(result, 'store')}(B, rows, {result.width}, v{result.index}, out);")
        return "\n".join(f"    {line}" for line in lines)

    # ---- statements -----------------------------------------------------------------------------------

    def _statements(self, value: Value) -> list[str]:
        if alias(value) is not None:
            return []
        if value.op in UNARY:
            return [self._unary(value)]
        if value.op in UNARY_WITH_PARAMETER:
            return [self._unary_with_parameter(value)]
        if value.op in BINARY:
            return [self._elementwise(value, f"BINARY({value.op}, ")]
        if value.op.startswith("reduce_"):
            return [self._reduce(value)]
        special: dict[str, Callable[[Value], list[str]]] = {
            "input": lambda v: [f"{self._kernel(v, 'load')}(B, rows, {v.width}, in, v{v.index})"],
            "noise": lambda v: [f"{self._kernel(v, 'load')}(B, rows, {v.width}, random, v{v.index})"],
            "constant": self._constant,
            "cast": self._cast,
            "where": lambda v: [self._elementwise(v, "WHERE(")],
            "select": self._select,
            "concat": self._concat,
            "dense": self._dense,
            "interpolate": self._interpolate,
            "trees": self._trees,
        }
        return special[value.op](value)

    def _constant(self, value: Value) -> list[str]:
        return [f"{self._kernel(value, 'fill')}(B, {value.width}, {self._data(value.array)}, v{value.index})"]

    def _cast(self, value: Value) -> list[str]:
        kind, _ = TYPES[value.args[0].dtype]
        self._require(value, f"CAST_FROM({kind})")
        return [f"{self._kernel(value, 'cast')}(B, {value.width}, v{value.args[0].index}, v{value.index})"]

    def _unary(self, value: Value) -> str:
        self._require(value, f"UNARY({value.op})")
        return f"{self._kernel(value, value.op)}(B, {value.width}, v{value.args[0].index}, v{value.index})"

    def _unary_with_parameter(self, value: Value) -> str:
        self._require(value, f"UNARY_WITH_PARAMETER({value.op})")
        alpha = _literal(value.parameters["alpha"], value.dtype)
        return f"{self._kernel(value, value.op)}(B, {value.width}, {alpha}, v{value.args[0].index}, v{value.index})"

    def _elementwise(self, value: Value, macro: str) -> str:
        forms = [self._form(arg, value.width) for arg in value.args]
        self._require(value, macro + ", ".join(form for form, _ in forms) + ")")
        name = f"{value.op}_{''.join(form for form, _ in forms)}"
        operands = ", ".join(operand for _, operand in forms)
        return f"{self._kernel(value, name)}(B, {value.width}, {operands}, v{value.index})"

    def _form(self, arg: Value, width: int) -> tuple[str, str]:
        """Return how an operand is read: c a number per column, s one column for all, v a block."""
        if arg.is_constant:
            return "c", self._data(np.broadcast_to(arg.array, (width,)))
        return "s" if arg.width < width else "v", f"v{arg.index}"

    def _reduce(self, value: Value) -> str:
        name = value.op.removeprefix("reduce_")
        if name != "argmax":
            self._require(value, f"REDUCE({name}, {', '.join(REDUCE[name])})")
        length = value.parameters["length"]
        return f"{self._kernel(value, value.op)}(B, {value.width}, {length}, v{value.args[0].index}, v{value.index})"

    def _select(self, value: Value) -> list[str]:
        columns = self._data(np.array(value.parameters["columns"], np.int32))
        return [f"{self._kernel(value, 'select')}(B, {value.width}, v{value.args[0].index}, {columns}, v{value.index})"]

    def _concat(self, value: Value) -> list[str]:
        lines, start = [], 0
        for arg in value.args:
            target = f"v{value.index} + {start} * B"
            lines.append(f"{self._kernel(value, 'copy')}(B, {arg.width}, v{arg.index}, {target})")
            start += arg.width
        return lines

    def _dense(self, value: Value) -> list[str]:
        weights, bias = value.parameters["weights"], padded(value.parameters["bias"])
        slope = value.parameters.get("slope")
        after = "NONE, 0" if slope is None else "RELU, 0" if slope == 0 else f"LEAKY, {_literal(slope, value.dtype)}"
        residual = f"v{value.args[1].index}" if len(value.args) > 1 else "NULL"
        operands = f"v{value.args[0].index}, {self._data(panels(weights))}, {self._data(bias)}, v{value.index}"
        return [f"{self._kernel(value, 'dense')}(B, {len(weights)}, {len(bias)}, {operands}, {after}, {residual})"]

    def _interpolate(self, value: Value) -> list[str]:
        tables = value.parameters["tables"]
        ends = np.cumsum([0] + [len(p) for p, _ in tables]).astype(np.int32)
        arrays = [ends, np.concatenate([p for p, _ in tables]), np.concatenate([v for _, v in tables])]
        operands = ", ".join(self._data(a) for a in arrays)
        x = f"v{value.args[0].index}"
        return [f"{self._kernel(value, 'interpolate')}(B, {value.width}, {x}, {operands}, v{value.index})"]

    def _trees(self, value: Value) -> list[str]:
        ensemble: TreeEnsemble = value.parameters["ensemble"]
        x = value.args[0]
        table, roots, leaves = nodes(ensemble, x.dtype)
        leaf_type, leaf_suffix = TYPES[ensemble.leaf_dtype]
        name = f"trees_{leaf_suffix}" + ("_missing" if ensemble.uses_missing else "")
        step = (
            ("next_node_missing", "node->feature & ~MISSING_LEFT")
            if ensemble.uses_missing
            else ("next_node", "node->feature")
        )
        self._require(x, f"TREES({name}, {leaf_type}, {step[0]}, {step[1]})")
        depths = np.array([depth(t) for t in ensemble.trees], np.int32)
        data = [
            self._data(depths),
            self._data(roots),
            self._nodes(table, x),
            self._data(leaves),
            self._data(ensemble.base),
        ]
        sizes = f"{ensemble.outputs}, {len(ensemble.trees)}"
        return [f"{self._kernel(x, name)}(B, {sizes}, v{x.index}, {', '.join(data)}, v{value.index})"]

    # ---- pieces -------------------------------------------------------------------------------------------

    def _kernel(self, value: Value, name: str) -> str:
        return f"FN{value.dtype.itemsize * 8}({name})"

    def _require(self, value: Value, macro: str) -> None:
        self.kernels[TYPES[value.dtype][1]].add(macro)

    def _data(self, array: np.ndarray[Any, Any]) -> str:
        kind = "int32_t" if array.dtype == np.int32 else TYPES[array.dtype][0]
        return f"DATA({kind}, {self.constants.add(array)})"

    def _nodes(self, table: np.ndarray[Any, Any], x: Value) -> str:
        return f"DATA(node_{TYPES[x.dtype][1]}, {self.constants.add(table)})"


def _literal(number: float, dtype: np.dtype[Any]) -> str:
    """A number of this type as C, exactly."""
    exact = float(dtype.type(number))
    if exact != exact or exact in (float("inf"), float("-inf")):
        return "NAN" if exact != exact else "INFINITY" if exact > 0 else "-INFINITY"
    return exact.hex() + ("f" if dtype == FLOAT32 else "")
