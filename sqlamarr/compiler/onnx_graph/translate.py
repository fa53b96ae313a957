"""The graph of an ONNX file, node by node, as operations of the intermediate representation."""

from __future__ import annotations

import importlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnx import numpy_helper
from onnx.reference import ReferenceEvaluator

from sqlamarr.compiler.ir import Graph
from sqlamarr.compiler.onnx_graph.tensors import BATCH, OPERATORS, Array, Node, Operand, Tensor
from sqlamarr.errors import CompilerError

for _module in ("classical", "elementwise", "forests", "layers", "shapes"):
    importlib.import_module(f"sqlamarr.compiler.onnx_graph.{_module}")


class OnnxTranslation:
    """Evaluates a graph on tensors.

    :param model: the file's content
    :param path: the file, for messages
    :param graph: the graph that the operations are added to
    :param rows: number of rows that the file was exported for, None for any
    :param real: the type in which single-precision values of the file are computed
    """

    def __init__(self, model: onnx.ModelProto, path: Path, graph: Graph, rows: int | None, real: np.dtype[Any]) -> None:
        self.model, self.path, self.graph, self.rows, self.real = model, path, graph, rows, real
        self.opsets = {entry.domain: entry.version for entry in model.opset_import}
        self.values: dict[str, Operand | None] = {
            tensor.name: numpy_helper.to_array(tensor) for tensor in model.graph.initializer
        }

    def run(self, inputs: Mapping[str, Tensor], outputs: Sequence[str]) -> list[Tensor]:
        """The outputs, each as a tensor of rows.

        :raises CompilerError: an operator is unknown or cannot be evaluated row by row
        """
        self.values.update(inputs)
        for node in _needed(self.model.graph, outputs):
            self._node(node)
        results = [self.values[name] for name in outputs]
        for name, result in zip(outputs, results):
            if not isinstance(result, Tensor):
                raise CompilerError(f"{self.path}: output '{name}' does not depend on the inputs, or contains text.")
        return [result for result in results if isinstance(result, Tensor)]

    def _node(self, node: onnx.NodeProto) -> None:
        operands = [self.values[name] if name else None for name in node.input]
        known = all(operand is None or isinstance(operand, np.ndarray) for operand in operands)
        of_rows = node.op_type in _OF_SHAPES and any(_holds_rows(operand) for operand in operands)
        if known and not of_rows:
            results: Sequence[Any] = self._folded(node, [o for o in operands if isinstance(o, np.ndarray)])
        else:
            result = self._translated(node, operands)
            results = result if isinstance(result, tuple) else (result,)
        self.values.update(zip(node.output, results))

    def _translated(self, node: onnx.NodeProto, operands: list[Operand | None]) -> Any:
        described = self._describe(node)
        if node.op_type not in OPERATORS or node.domain not in ("", "ai.onnx", "ai.onnx.ml"):
            described.fail("this operator is not supported")
        if any(o is None and name for o, name in zip(operands, node.input)):
            described.fail("an operand contains text")
        try:
            return OPERATORS[node.op_type](described, *operands)
        except CompilerError as error:
            if str(self.path) in str(error):
                raise
            described.fail(str(error).rstrip("."))
        except (TypeError, ValueError, AttributeError, IndexError) as error:
            described.fail(f"it does not follow the standard, or a part of it is not supported ({error})")

    def _describe(self, node: onnx.NodeProto) -> Node:
        place = f"{self.path}: node '{node.name or ', '.join(node.output)}' ({node.op_type})"
        attributes = {a.name: _attribute(a) for a in node.attribute}
        outputs = len([name for name in node.output if name])
        opset = self.opsets.get(node.domain or "", 0) or self.opsets.get("ai.onnx", 0)
        return Node(node.op_type, place, self.graph, attributes, opset, outputs, self.rows, self.real)

    def _folded(self, node: onnx.NodeProto, operands: list[Array]) -> Sequence[Any]:
        """Evaluate a node that does not depend on the rows, with ONNX's own reference."""
        names = list(dict.fromkeys(name for name in node.input if name))
        by_name = dict(zip((name for name in node.input if name), operands))
        infos = [
            onnx.helper.make_tensor_value_info(n, onnx.helper.np_dtype_to_tensor_dtype(by_name[n].dtype), None)
            for n in names
        ]
        ends = [onnx.helper.make_empty_tensor_value_info(name) for name in node.output]
        graph = onnx.helper.make_graph([node], "one", infos, ends)
        model = onnx.helper.make_model(graph, opset_imports=self.model.opset_import)
        try:
            return [np.asarray(result) for result in ReferenceEvaluator(model).run(None, by_name)]
        except Exception as error:  # the reference may raise anything
            self._describe(node).fail(f"cannot be computed beforehand ({error})")


_OF_SHAPES = ("Expand", "ConstantOfShape")  # although constant, they make something for every row


def _holds_rows(array: Operand | None) -> bool:
    return isinstance(array, np.ndarray) and array.dtype == np.int64 and bool((array == BATCH).any())


def _needed(graph: onnx.GraphProto, outputs: Sequence[str]) -> list[onnx.NodeProto]:
    """Return the nodes that these outputs depend on, in their order."""
    wanted, nodes = set(outputs), []
    for node in reversed(graph.node):
        if wanted & set(node.output):
            wanted.update(node.input)
            nodes.append(node)
    return nodes[::-1]


def _attribute(attribute: onnx.AttributeProto) -> Any:
    value = onnx.helper.get_attribute_value(attribute)
    return numpy_helper.to_array(value) if isinstance(value, onnx.TensorProto) else value
