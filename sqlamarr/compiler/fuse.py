"""Combine operations that one kernel can do together: a dense layer, its activation, and a residual sum."""

from __future__ import annotations

from collections import defaultdict

from sqlamarr.compiler.constants import PANEL
from sqlamarr.compiler.ir import Graph, Value
from sqlamarr.compiler.layout import alias


def fuse(graph: Graph) -> Graph:
    """Return the same function with fewer operations.

    Its ``dense`` values may have a parameter ``slope`` (of a leaky ReLU, 0 for ReLU) and a second argument, which
    is added at the end.
    """
    users: dict[int, list[Value]] = defaultdict(list)
    for value in graph.values:
        for arg in value.args:
            users[arg.index].append(value)

    def only_user(value: Value) -> Value | None:
        return users[value.index][0] if len(users[value.index]) == 1 and value is not graph.output else None

    last: dict[int, tuple[Value, float | None, Value | None]] = {}  # by the value that the fused kernel makes
    inside: set[int] = set()
    for dense in graph.values:
        if dense.op != "dense":
            continue
        end, slope, residual = dense, None, None
        if (user := only_user(end)) is not None and (slope := _slope(user)) is not None:
            inside.add(end.index)
            end = user
        if (user := only_user(end)) is not None and (residual := _residual(user, end, dense)) is not None:
            inside.add(end.index)
            end = user
        if end is not dense:
            last[end.index] = (dense, slope, residual)
    return _rewritten(graph, last, inside)


def _slope(value: Value) -> float | None:
    """Of a ReLU that a maximum can stand for."""
    if value.op == "relu":
        return 0.0
    if value.op == "leaky_relu" and 0.0 < value.parameters["alpha"] <= 1.0:
        return float(value.parameters["alpha"])
    return None


def _residual(user: Value, value: Value, dense: Value) -> Value | None:
    """What ``user`` adds to ``value``, if the dense kernel can do it: it must be there before, in full panels."""
    if user.op != "add" or user.args[0] is user.args[1]:
        return None
    other = user.args[1] if user.args[0] is value else user.args[0]
    fits = other.width == value.width == user.width and not other.is_constant and other.index < dense.index
    return other if fits and (alias(other) is None or other.width % PANEL == 0) else None


def _rewritten(graph: Graph, last: dict[int, tuple[Value, float | None, Value | None]], inside: set[int]) -> Graph:
    new = Graph(graph.input_names, graph.noise.width if graph.noise else 0)
    done = {graph.input.index: new.input}
    if graph.noise and new.noise:
        done[graph.noise.index] = new.noise
    for value in graph.values:
        if value.index in done or value.index in inside:
            continue
        args, op, parameters = value.args, value.op, dict(value.parameters)
        if value.index in last:
            dense, slope, residual = last[value.index]
            args, op = (dense.args[0],) if residual is None else (dense.args[0], residual), "dense"
            parameters = {**dense.parameters, "slope": slope}
        done[value.index] = new.add(op, tuple(done[a.index] for a in args), value.width, value.dtype, **parameters)
    new.set_output(done[graph.output.index], graph.output_names)
    return new
