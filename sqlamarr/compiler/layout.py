"""Memory layout of the values of a graph during the computation of a block of rows."""

from __future__ import annotations

from dataclasses import dataclass, field

from sqlamarr.compiler.ir import BINARY, Graph, Value

UNIT = 64  # bytes per row, so that every buffer is aligned even in a block of one row


@dataclass
class Layout:
    """Offsets in bytes per row of the block.

    :param offset: of each value's buffer, by index; a value without one is a constant
    :param size: bytes per row that all of them need
    """

    offset: dict[int, int] = field(default_factory=dict)
    size: int = 0


def alias(value: Value) -> tuple[Value, int] | None:
    """Return another value that contains this one's columns, so that nothing needs to be copied."""
    if value.op != "select":
        return None
    columns = value.parameters["columns"]
    if columns != tuple(range(columns[0], columns[0] + len(columns))) or value.args[0].is_constant:
        return None
    return value.args[0], columns[0]


def needed(graph: Graph) -> list[Value]:
    """Return the values that the output depends on, in their order."""
    wanted = {graph.output.index}
    for value in reversed(graph.values):
        if value.index in wanted:
            wanted.update(arg.index for arg in value.args)
    return [value for value in graph.values if value.index in wanted]


def in_memory(graph: Graph) -> set[int]:
    """Return the indices of values that need a buffer: all but constants that are only operands of arithmetic."""
    values = needed(graph)
    read = {a.index for v in values if v.op not in BINARY and v.op != "where" for a in v.args} | {graph.output.index}
    return {v.index for v in values if not v.is_constant or v.index in read}


def plan(graph: Graph) -> Layout:
    """Give every value a place; places of values that are no longer needed are reused."""
    buffered = in_memory(graph)
    values = [value for value in needed(graph) if value.index in buffered]
    dying = _last_uses(graph, values)
    layout = Layout()
    free: list[tuple[int, int]] = []  # (offset, size)
    for value in values:
        if (other := alias(value)) is not None:
            layout.offset[value.index] = layout.offset[other[0].index] + other[1] * value.dtype.itemsize
        else:
            layout.offset[value.index] = _take(free, _size(value), layout)
        for dead in dying.get(value.index, []):
            _give(free, layout.offset[dead.index], _size(dead))
    return layout


def _size(value: Value) -> int:
    return -(-value.width * value.dtype.itemsize // UNIT) * UNIT


def _last_uses(graph: Graph, values: list[Value]) -> dict[int, list[Value]]:
    """Return, for each value, the buffers that are free after it."""
    last = {graph.output.index: len(graph.values)}
    for value in reversed(values):
        for arg in value.args:
            until = last[value.index] if alias(value) is not None else value.index
            last[arg.index] = max(last.get(arg.index, 0), until)
    dying: dict[int, list[Value]] = {}
    for value in values:
        if alias(value) is None:
            dying.setdefault(last[value.index], []).append(value)
    return dying


def _take(free: list[tuple[int, int]], size: int, layout: Layout) -> int:
    fitting = [place for place in free if place[1] >= size]
    if not fitting:
        layout.size += size
        return layout.size - size
    place = min(fitting, key=lambda p: (p[1], p[0]))
    free.remove(place)
    if place[1] > size:
        free.append((place[0] + size, place[1] - size))
    return place[0]


def _give(free: list[tuple[int, int]], offset: int, size: int) -> None:
    """Free a place and merge it with its free neighbours."""
    for place in list(free):
        if place[0] + place[1] == offset or offset + size == place[0]:
            free.remove(place)
            offset, size = min(offset, place[0]), size + place[1]
    free.append((offset, size))
