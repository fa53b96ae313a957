"""The topology of a decay for the fit: which tracks come from which vertex, and which particles fly in between."""

from __future__ import annotations

from dataclasses import dataclass

from sqlamarr.particles.descriptors import Decay, charge, ctau

FLIES = 1e-3  # mm: mean proper decay length from which a particle has its own decay vertex
NO_VERTEX = -1


@dataclass(frozen=True)
class Composite:
    """A particle that decays.

    :ivar leaves: positions of the final-state particles below it
    :ivar vertex: where it decays
    :ivar origin: the vertex that it comes from, or ``NO_VERTEX`` for the head and for particles that do not fly
    """

    leaves: tuple[int, ...]
    vertex: int
    origin: int = NO_VERTEX


@dataclass(frozen=True)
class Topology:
    """Vertices of a decay tree. Vertex 0 is that of the head.

    :ivar leaf_vertex: vertex of each final-state particle, in the order of the descriptor
    :ivar composites: the decaying particles, the head first, mothers before daughters
    :ivar vertices: number of vertices
    :ivar lines: whether two or more lines meet in the head's vertex, so that its position can be measured
    """

    leaf_vertex: tuple[int, ...]
    composites: tuple[Composite, ...]
    vertices: int
    lines: bool


def lines_of(decay: Decay) -> int:
    """How many lines meet in its decay vertex: charged particles, and neutral ones that fly and decay.

    A daughter that does not fly, or whose own decay has too few lines for a vertex, contributes its lines.
    """
    n = 0
    for daughter in decay.daughters:
        if not daughter.daughters:
            n += charge(daughter.pid) != 0
        elif has_vertex(daughter):
            n += 1
        else:
            n += lines_of(daughter)
    return n


def has_vertex(decay: Decay) -> bool:
    """Whether a decaying daughter has a vertex separate from its mother's."""
    return ctau(decay.pid) > FLIES and lines_of(decay) > 1


def topology_of(decay: Decay) -> Topology:
    """The vertices of a decay."""
    leaf_vertex: list[int] = []
    composites: list[Composite] = []
    vertices = 1

    def visit(node: Decay, vertex: int, origin: int) -> None:
        nonlocal vertices
        place, first = len(composites), len(leaf_vertex)
        composites.append(Composite((), vertex, origin))
        for daughter in node.daughters:
            if not daughter.daughters:
                leaf_vertex.append(vertex)
            elif has_vertex(daughter):
                vertices += 1
                visit(daughter, vertices - 1, vertex)
            else:
                visit(daughter, vertex, NO_VERTEX)
        composites[place] = Composite(tuple(range(first, len(leaf_vertex))), vertex, origin)

    visit(decay, 0, NO_VERTEX)
    return Topology(tuple(leaf_vertex), tuple(composites), vertices, lines_of(decay) > 1)
