"""The truth walk: which particles are kept, where they hang, and what the prior art got wrong."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyhepmc
import pytest
from hepmc_tools import EVENT3, FOOT3, HEAD3, plain, read, read_text, rows
from hypothesis import given, settings
from hypothesis import strategies as st

from sqlamarr.errors import DataError
from sqlamarr.native.columns import Columns
from sqlamarr.native.truth import TruthOptions, find_primaries, select

LISTED = (1, 777, 888, 889, 999)


def truth_options(
    statuses: tuple[int, ...] = LISTED, keep_decayed: bool = True, collapse_copies: bool = True
) -> TruthOptions:
    return TruthOptions(statuses, keep_decayed, collapse_copies, signal_status=889)


EVENT = 1_000_000
Tables = tuple[Columns, Columns]


@dataclass(frozen=True)
class Particle:
    """A row of GenParticles; vertices by their index in the collision."""

    pid: int
    status: int
    production: int | None
    end: int | None
    hepmc_id: int | None = None  # default: index + 1


@dataclass(frozen=True)
class Collision:
    """Flags of the vertices, and the particles."""

    primary: Sequence[int]
    particles: Sequence[Particle]


def tables(events: Mapping[int, Sequence[Collision]], step: int = 1) -> Tables:
    """GenParticles and GenVertices of events by ordinal; ids with gaps if ``step`` is above 1."""
    particles, vertices = [], []
    for ordinal, collisions in events.items():
        event, first_p, first_v = ordinal * EVENT, ordinal * EVENT, ordinal * EVENT
        for number, collision in enumerate(collisions):

            def vertex(index: int | None, first: int = first_v) -> int | None:
                return None if index is None else first + step * index

            for i, p in enumerate(collision.particles):
                barcode = i + 1 if p.hepmc_id is None else p.hepmc_id
                ids = (first_p + step * i, event, event + number, barcode, vertex(p.production), vertex(p.end))
                particles.append((*ids, p.pid, p.status, *(i + 0.125 * k for k in range(5))))
            for i, flag in enumerate(collision.primary):
                # Vertices 0 and 1 are at one place, 2 and 3 at another, and so on.
                position = (i // 2 + 0.5 * k + number for k in range(4))
                vertices.append((first_v + step * i, event, event + number, -1 - i, i, flag, *position))
            first_p += step * len(collision.particles)
            first_v += step * len(collision.primary)
    return _columns(PARTICLE, particles, 8), _columns(VERTEX, vertices, 6)


PARTICLE = "genparticle_id event_id genevent_id hepmc_id production_vertex end_vertex pid status pe px py pz m"
VERTEX = "genvertex_id event_id genevent_id hepmc_id status is_primary t x y z"


def _columns(names: str, table: Sequence[tuple[Any, ...]], integers: int) -> Columns:
    columns: dict[str, Any] = {}
    for k, name in enumerate(names.split()):
        values = [row[k] for row in table]
        if k >= integers:
            columns[name] = np.array(values, dtype=np.float64)
            continue
        data = np.array([0 if v is None else v for v in values], dtype=np.int64)
        columns[name] = np.ma.MaskedArray(data, mask=[v is None for v in values]) if None in values else data
    return Columns(columns)


def one(primary: Sequence[int], *particles: Particle) -> Tables:
    """One event of one collision."""
    return tables({0: [Collision(primary, particles)]})


def reordered(table: Columns, seed: int) -> Columns:
    order = np.random.default_rng(seed).permutation(table.rows)
    return Columns({name: table[name][order] for name in table})


def dicts(table: Columns) -> dict[int, dict[str, Any]]:
    """Rows by their id, which is the first column."""
    return {row[0]: dict(zip(table, row)) for row in rows(table)}


# ---- the rule, once more, as plainly as it can be said -------------------------------------------------------

INTERNAL = {0, *range(1, 10), 21, 12, 14, 16, 18, *range(81, 101), 110, 990, 9990, 210, 2110, 2210}
INTERNAL |= {k + i for k in (0, 1000, 2000, 3000) for i in range(901, 931)}


def may_decay(pid: int) -> bool:
    text = str(abs(pid))
    diquark = len(text) == 4 and text[2] == "0" and text[1] != "0"
    diffractive = len(text) == 7 and text[:3] == "990" and text[6] == "0" and "0" not in text[4:6]
    octet = len(text) == 7 and text[:3] in ("994", "995")
    return not (abs(pid) in INTERNAL or diquark or diffractive or octet)


class Reference:
    """The same selection by recursion over dictionaries."""

    def __init__(self, particles: Columns, vertices: Columns, options: TruthOptions) -> None:
        self.p, self.v, self.options = dicts(particles), dicts(vertices), options
        self.ins: dict[int, list[int]] = {v: [] for v in self.v}
        self.outs: dict[int, list[int]] = {v: [] for v in self.v}
        for i, p in self.p.items():
            if p["end_vertex"] is not None:
                self.ins[p["end_vertex"]].append(i)
            if p["production_vertex"] is not None:
                self.outs[p["production_vertex"]].append(i)
        self.kept = {i for i in self.p if self.wanted(i) and self.later(i) is None}
        self.signal = {i for i in self.p if self.p[i]["status"] == options.signal_status}
        for i in tuple(self.signal):
            while (following := self.later(i)) is not None:
                i = following
                self.signal.add(i)

    def wanted(self, i: int) -> bool:
        p = self.p[i]
        listed = p["status"] in self.options.statuses
        documentation = p["status"] in (3, 4) or (11 <= p["status"] <= 200 and not self.flew(p))
        decayed = p["end_vertex"] is not None and not documentation and may_decay(p["pid"])
        return listed or (self.options.keep_decayed and decayed)

    def flew(self, p: dict[str, Any]) -> bool:
        if p["production_vertex"] is None or p["end_vertex"] is None:
            return False
        begin, end = self.v[p["production_vertex"]], self.v[p["end_vertex"]]
        return any(begin[axis] != end[axis] for axis in "xyz")

    def later(self, i: int) -> int | None:
        """The next of a chain of copies, if one of those that follow is wanted."""
        v = self.p[i]["end_vertex"]
        if not self.options.collapse_copies or v is None or self.ins[v] != [i]:
            return None
        same = [j for j in self.outs[v] if self.p[j]["pid"] == self.p[i]["pid"]]
        others = [j for j in self.outs[v] if j not in same]
        if len(same) != 1 or any(self.p[j]["pid"] != 22 for j in others):
            return None
        (j,) = same
        return j if self.wanted(j) or self.later(j) is not None else None

    def first(self, ids: Sequence[int]) -> int | None:
        return min(ids, key=lambda i: (abs(self.p[i]["hepmc_id"]), i), default=None)

    def anchor(self, v: int) -> int:
        if self.v[v]["is_primary"] or self.kept.intersection(self.ins[v]):
            return self.place(v)
        first = self.first([i for i in self.ins[v] if self.p[i]["production_vertex"] is not None])
        return v if first is None else self.anchor(self.p[first]["production_vertex"])

    def place(self, v: int) -> int:
        """Primaries of one collision at one place are one."""

        def where(w: int) -> list[Any]:
            return [self.v[w][name] for name in ("genevent_id", "is_primary", "t", "x", "y", "z")]

        return min(w for w in self.v if where(w) == where(v)) if self.v[v]["is_primary"] else v

    def particle(self, i: int) -> tuple[Any, ...]:
        v = self.p[i]["production_vertex"]
        origin = None if v is None else self.anchor(v)
        root = origin is None or self.v[origin]["is_primary"]
        mother = None if root else self.first([j for j in self.ins[origin] if j in self.kept])
        end = self.p[i]["end_vertex"]
        return (i, origin, None if end is None else self.place(end), mother, int(i in self.signal))

    def particles(self) -> list[tuple[Any, ...]]:
        return [self.particle(i) for i in sorted(self.kept)]

    def vertices(self) -> list[int]:
        ends = {v for row in self.particles() for v in row[1:3] if v is not None}
        return sorted(ends | {self.place(v) for v in self.v if self.v[v]["is_primary"]})

    def primaries(self) -> list[int]:
        found = []
        for collision in {v["genevent_id"] for v in self.v.values()}:
            if any(v["is_primary"] for v in self.v.values() if v["genevent_id"] == collision):
                continue
            placed = [
                i for i, p in self.p.items() if p["genevent_id"] == collision and p["production_vertex"] is not None
            ]
            signal = [i for i in placed if self.p[i]["status"] == self.options.signal_status]
            first = self.first(signal or placed)
            if first is not None:
                found.append(self.p[first]["production_vertex"])
        return sorted(found)


PIDS = st.sampled_from([511, -511, 22, 22, 211, 21, 2, 92, 12, 15, 1000022, 9902210, 2101, 443])
STATUSES = st.sampled_from([1, 2, 2, 2, 3, 4, 62, 0, 201, 511, 777, 888, 889, 999])
NOWHERE = 7


@st.composite
def collisions(draw: Callable[..., Any]) -> Collision:
    """Any acyclic graph: several incoming particles, orphans, barcodes with gaps, vertices in any order."""
    n = draw(st.integers(1, NOWHERE))
    place = draw(st.permutations(range(n)))
    ends = st.integers(0, NOWHERE)
    wanted = draw(st.lists(st.tuples(ends, ends, PIDS, STATUSES), max_size=12))
    barcodes = draw(st.lists(st.integers(1, 10**6), min_size=len(wanted), max_size=len(wanted), unique=True))

    def at(k: int) -> int | None:
        return place[k] if k < n else None

    particles = []
    for (a, b, pid, status), barcode in zip(wanted, barcodes):
        first, last = (a, b) if a < b else (b, a) if b < a else (a, NOWHERE)
        particles.append(Particle(pid, status, at(first), at(last), barcode))
    flags = draw(st.lists(st.sampled_from([0, 0, 0, 1]), min_size=n, max_size=n))
    return Collision(flags, particles)


EVENTS = st.lists(st.lists(collisions(), max_size=3), min_size=1, max_size=3).map(
    lambda events: dict(zip((0, 3, 7), events))
)
OPTIONS = st.builds(
    TruthOptions, st.sampled_from([LISTED, (1,), (1, 21, 511)]), st.booleans(), st.booleans(), st.just(889)
)


@settings(max_examples=250, deadline=None)
@given(EVENTS, OPTIONS, st.integers(1, 3), st.integers(0, 99))
def test_any_graph_gives_what_the_rule_says(
    events: dict[int, list[Collision]], options: TruthOptions, step: int, seed: int
) -> None:
    particles, vertices = tables(events, step)
    reference = Reference(particles, vertices, options)
    found, places = select(reordered(particles, seed), reordered(vertices, seed + 1), options)
    names = ("mcparticle_id", "production_vertex", "end_vertex", "mother", "is_signal")
    assert list(zip(*(plain(found, name) for name in names))) == reference.particles()
    assert plain(places, "mcvertex_id") == reference.vertices()
    _check_copies(found, dicts(particles), "mcparticle_id event_id genevent_id pid status pe px py pz m")
    _check_copies(places, dicts(vertices), "mcvertex_id event_id genevent_id status is_primary t x y z")
    _check_links(dicts(found), dicts(places))
    primaries = find_primaries(reordered(particles, seed), reordered(vertices, seed), 889)
    assert plain(primaries, "genvertex_id") == reference.primaries()


def _check_copies(table: Columns, source: dict[int, dict[str, Any]], names: str) -> None:
    key, *copied = names.split()
    for i, row in dicts(table).items():
        assert [row[name] for name in copied] == [source[i][name] for name in copied], (key, i)


def _check_links(particles: dict[int, dict[str, Any]], vertices: dict[int, dict[str, Any]]) -> None:
    for p in particles.values():
        assert {p["production_vertex"], p["end_vertex"]} <= {None, *vertices}
        if p["mother"] is not None:
            assert particles[p["mother"]]["end_vertex"] == p["production_vertex"]


@settings(max_examples=60, deadline=None)
@given(EVENTS, OPTIONS)
def test_a_batch_of_events_equals_its_events_one_by_one(
    events: dict[int, list[Collision]], options: TruthOptions
) -> None:
    together = select(*tables(events), options)
    alone = [select(*tables({ordinal: event}), options) for ordinal, event in events.items()]
    for side in (0, 1):
        assert rows(together[side]) == [row for part in alone for row in rows(part[side])]


# ---- defects of the prior art --------------------------------------------------------------------------------


def test_statuses_are_compared_with_the_status_and_not_with_the_pid() -> None:
    particles, _ = select(
        *one([1], Particle(22, 5, 0, None), Particle(5, 22, 0, None)), truth_options((22,), False, False)
    )
    assert plain(particles, "pid") == [5]


def test_a_particle_reached_along_two_ways_keeps_its_own_vertices() -> None:
    diamond = [Particle(511, 2, 0, 1), Particle(421, 2, 0, 1), Particle(411, 2, 1, 2), Particle(211, 1, 2, None)]
    particles, vertices = select(*one([1, 0, 0], *diamond, Particle(13, 1, 0, None)), truth_options())
    assert plain(particles, "production_vertex") == [0, 0, 1, 2, 0]
    assert plain(particles, "end_vertex") == [1, 1, 2, None, None]
    assert plain(particles, "mother") == [None, None, 0, 2, None]
    assert plain(vertices, "genvertex_id") == [0, 1, 2]


def test_a_ladder_of_diamonds_is_walked_once() -> None:
    """2^60 ways lead through it."""
    steps = [Particle(92, 2, 3 * i + a, 3 * i + b) for i in range(60) for a, b in ((0, 1), (0, 2), (1, 3), (2, 3))]
    particles, _ = select(*one([1] + [0] * 180, *steps, Particle(211, 1, 180, None)), truth_options())
    assert plain(particles, "production_vertex") == [0]


def test_a_chain_of_a_million_vertices_needs_no_recursion() -> None:
    n = 1_000_000
    links = np.arange(n + 1)
    zeros, ones = np.zeros(n + 1, np.int64), np.ones(n + 1, np.int64)
    p = dict(zip(PARTICLE.split(), [links, zeros, zeros, links, links - 1, links, 411 * ones, 2 * ones]))
    p["production_vertex"] = np.ma.MaskedArray(links - 1, mask=links == 0)
    p["end_vertex"] = np.ma.MaskedArray(links, mask=links == n)
    v = dict(zip(VERTEX.split(), [links[:n], zeros[:n], zeros[:n], -links[:n], zeros[:n], zeros[:n]]))
    p |= {name: np.zeros(n + 1) for name in ("pe", "px", "py", "pz", "m")}
    v |= {name: np.zeros(n) for name in "txyz"}
    p["status"][n] = 1
    particles, _ = select(Columns(p), Columns(v), truth_options())
    assert plain(particles, "mcparticle_id") == [n]  # all others are copies of it
    particles, vertices = select(Columns(p), Columns(v), truth_options(collapse_copies=False))
    assert particles.rows == n + 1 and vertices.rows == n


@pytest.mark.parametrize("rows_turned", [False, True])
def test_the_lowest_barcode_decides_the_primary_whatever_the_order_of_rows(rows_turned: bool) -> None:
    listed = [Particle(2, 2, 0, None, 30), Particle(2, 2, 2, None, 10), Particle(2, 2, 1, None, 20)]
    tables_ = one([0, 0, 0], *(reversed(listed) if rows_turned else listed))
    assert plain(find_primaries(*tables_, 889), "genvertex_id") == [2]


def test_the_signal_decides_the_primary_before_barcodes() -> None:
    listed = one([0, 0, 0], Particle(2, 2, 0, None), Particle(511, 889, 2, None, 9), Particle(511, 889, 1, None, 5))
    assert plain(find_primaries(*listed, 889), "genvertex_id") == [1]


def test_barcodes_decide_where_there_is_no_signal() -> None:
    listed = one([0, 0], Particle(2212, 4, None, 0, 1), Particle(21, 2, 1, None, 7), Particle(21, 2, 0, None, 8))
    assert plain(find_primaries(*listed, 889), "genvertex_id") == [1]


def test_every_collision_without_a_flag_gets_its_primary_and_no_other() -> None:
    born = Particle(211, 1, 0, None)
    event = [Collision([1, 0], [born]), Collision([0, 0], [born]), Collision([0], [])]
    assert plain(find_primaries(*tables({2: event}), 889), "genvertex_id") == [2 * EVENT + 2]


@pytest.mark.parametrize("unplaced", [(), (" @ 1 2 3 4",), (" @ 1 2 3.5 4.25",), (" @ 1 2 3 4", " @ 1 2 3.5 4.25")])
def test_the_position_of_the_event_counts_for_decays_as_for_the_primary(
    tmp_path: Path, unplaced: Sequence[str]
) -> None:
    """In HepMC3 a vertex without a place has its ancestor's, at last the event's."""
    text = HEAD3 + EVENT3.replace("E 7 2 5", "E 7 2 5 @ 10 20 30 40") + FOOT3
    for place in unplaced:
        text = text.replace(f"]{place}\n", "]\n")
    parsed = read_text(tmp_path, text)
    _, vertices = select(parsed.tables["GenParticles"], parsed.tables["GenVertices"], truth_options((1,)))
    with pyhepmc.open(str(tmp_path / "input")) as file:
        event = file.read()
    expected = [[10.0 * c for c in (x.position.t, x.position.x, x.position.y, x.position.z)] for x in event.vertices]
    assert [[row[c] for c in "txyz"] for row in dicts(vertices).values()] == [pytest.approx(e) for e in expected]
    assert plain(vertices, "is_primary") == [1, 0]
    assert plain(vertices, "x")[0] == (100 if " @ 1 2 3 4" in unplaced else 10)


def test_both_primaries_of_a_collision_are_kept() -> None:
    pion, muon = Particle(211, 1, 0, None), Particle(13, 1, 2, None)
    particles, vertices = select(*one([1, 0, 1], pion, muon), truth_options())
    assert plain(vertices, "genvertex_id") == [0, 2]
    assert plain(particles, "production_vertex") == [0, 2]


def test_primaries_of_a_collision_at_one_place_are_one_and_no_particle_is_lost() -> None:
    pion, muon = Particle(211, 1, 0, None), Particle(13, 1, 1, None)
    particles, vertices = select(*one([1, 1], pion, muon), truth_options())
    assert plain(vertices, "genvertex_id") == [0]
    assert plain(particles, "pid") == [211, 13]
    assert plain(particles, "production_vertex") == [0, 0]


def test_primaries_of_two_collisions_stay_two() -> None:
    collision = Collision([1], [Particle(211, 1, 0, None)])
    _, vertices = select(*tables({0: [collision, collision]}), truth_options())
    assert plain(vertices, "genvertex_id") == [0, 1]


# ---- copies, species, anchors --------------------------------------------------------------------------------


def test_a_chain_of_copies_becomes_its_last_which_takes_the_signal_flag() -> None:
    chain = [Particle(511, 889, 0, 1), Particle(511, 2, 1, 2), Particle(22, 1, 1, None), Particle(211, 1, 2, None)]
    particles, vertices = select(*one([1, 0, 0], *chain), truth_options())
    assert plain(particles, "pid") == [511, 22, 211]
    assert plain(particles, "production_vertex") == [0, 0, 2]
    assert plain(particles, "is_signal") == [1, 0, 0]
    assert plain(particles, "mother") == [None, None, 1]
    assert plain(vertices, "genvertex_id") == [0, 2]


def test_a_copy_stays_if_none_after_it_is_kept() -> None:
    particles, _ = select(*one([1, 0], Particle(511, 2, 0, 1), Particle(511, 62, 1, None)), truth_options())
    assert plain(particles, "mcparticle_id") == [0]


def test_a_particle_that_changes_into_its_antiparticle_is_no_copy() -> None:
    mixing = [Particle(511, 2, 0, 1), Particle(-511, 2, 1, 2), Particle(211, 1, 2, None)]
    particles, _ = select(*one([1, 0, 0], *mixing), truth_options())
    assert plain(particles, "pid") == [511, -511, 211]


KEPT = [11, 13, -15, 17, 22, 23, 24, 25, 32, 37, 39, 42, 111, -211, 130, 310, 443, 2212, 3122, 5122, 20443, 9000221]
KEPT += [1000010020, 1000822080, 1000022, 2000015, 1000993, 1009213, 4900023, 4900111, 9900012, 9900015, 9900041]
LEFT = [0, 1, -2, 6, 8, 9, 21, 12, -14, 16, 18, 81, 92, 100, 110, 990, 9990, 901, 930, 1103, 2101, -3203, 5503]
LEFT += [9900110, 9900210, 9902110, 9902210, 9940003, 9951203, 9941003]


@pytest.mark.parametrize(("pids", "stay"), [(KEPT, True), (LEFT, False)])
def test_species_that_decay_at_a_place_of_their_own(pids: list[int], stay: bool) -> None:
    n = len(pids)
    decays = [Particle(pid, 2, 0, 1 + i) for i, pid in enumerate(pids)]
    daughters = [Particle(211, 1, 1 + i, None) for i in range(n)]
    particles, _ = select(*one([1] + [0] * n, *decays, *daughters), truth_options())
    assert plain(particles, "pid") == (pids if stay else []) + [211] * n
    assert plain(particles, "production_vertex") == [0] * n + list(range(1, n + 1)) if stay else [0] * n


@pytest.mark.parametrize("status", [3, 4, 11, 62, 200])
def test_entries_of_the_documentation_are_left_out_unless_listed(status: int) -> None:
    decay = one([1, 0], Particle(511, status, 0, 1), Particle(211, 1, 1, None))
    assert plain(select(*decay, truth_options())[0], "pid") == [211]
    assert plain(select(*decay, truth_options((1, status)))[0], "pid") == [511, 211]


@pytest.mark.parametrize("status", [22, 44, 62])
def test_a_new_particle_that_flies_keeps_its_vertex_even_as_documentation(status: int) -> None:
    neutralino, muon = Particle(1000022, status, 1, 2), Particle(13, 1, 2, None)
    particles, _ = select(*one([1, 0, 0], Particle(1000022, 22, 0, 1), neutralino, muon), truth_options())
    assert plain(particles, "pid") == [1000022, 13]
    assert plain(particles, "production_vertex") == [0, 2]


@pytest.mark.parametrize("status", [3, 4])
def test_generators_copies_of_the_incoming_are_left_out_even_displaced(status: int) -> None:
    particles, _ = select(*one([1, 0, 0], Particle(511, status, 0, 2), Particle(211, 1, 2, None)), truth_options())
    assert plain(particles, "pid") == [211]


@pytest.mark.parametrize("status", [0, 2, 5, 10, 201, 999, -1])
def test_what_decayed_is_kept_at_any_other_status(status: int) -> None:
    decay = one([1, 0], Particle(511, status, 0, 1), Particle(211, 1, 1, None))
    assert plain(select(*decay, truth_options())[0], "pid") == [511, 211]
    assert plain(select(*decay, truth_options((1,), keep_decayed=False))[0], "pid") == [211]


def test_charges_are_those_of_the_pdg_numbering_and_null_where_it_has_none() -> None:
    pids = [11, -11, 22, 2212, -321, 1000822080, 2224, 3122, 21, 1, 4, 87654321]
    particles, _ = select(*one([1], *(Particle(pid, 1, 0, None) for pid in pids)), truth_options())
    assert plain(particles, "charge") == [-1, 1, 0, 1, -1, 82, 2, 0, 0, None, None, None]


def test_nothing_gives_nothing() -> None:
    empty = tables({})
    assert [t.rows for t in select(*empty, truth_options())] == [0, 0]
    assert find_primaries(*empty, 889).rows == 0


# ---- errors --------------------------------------------------------------------------------------------------


def test_a_cycle_is_an_error_that_names_the_event() -> None:
    cycle = Collision([0, 0], [Particle(511, 2, 0, 1), Particle(511, 2, 1, 0)])
    with pytest.raises(DataError, match="Event 3000000: the decay graph has a cycle that leads to vertex 3000000"):
        select(*tables({1: [Collision([1], [])], 3: [cycle]}), truth_options())


def test_a_decay_into_the_vertex_of_its_birth_is_a_cycle() -> None:
    with pytest.raises(DataError, match="Event 0: the decay graph has a cycle"):
        select(*one([1], Particle(511, 2, 0, 0)), truth_options())


@pytest.mark.parametrize("call", [lambda t: select(*t, truth_options()), lambda t: find_primaries(*t, 889)])
@pytest.mark.parametrize(("column", "production", "end"), [("production_vertex", 5, None), ("end_vertex", 0, 5)])
def test_a_vertex_that_is_not_there_is_named(
    call: Callable[[Tables], Any], column: str, production: int, end: int | None
) -> None:
    event = {4: [Collision([1], [Particle(211, 1, production, end)])]}
    with pytest.raises(DataError, match=f"Event 4000000: particle 4000000 has {column} 4000005, expected"):
        call(tables(event))


def test_a_vertex_of_another_collision_is_refused() -> None:
    event = {4: [Collision([1], [Particle(211, 1, 1, None)]), Collision([1], [])]}
    with pytest.raises(DataError, match="particle 4000000 has production_vertex 4000001, expected .* same collision"):
        select(*tables(event), truth_options())


@pytest.mark.parametrize(("side", "column"), [(0, "genparticle_id"), (1, "genvertex_id")])
def test_a_repeated_id_is_named(side: int, column: str) -> None:
    pair = list(tables({6: [Collision([1], [Particle(211, 1, 0, None)])]}))
    pair[side] = Columns({name: np.ma.concatenate([pair[side][name]] * 2) for name in pair[side]})
    with pytest.raises(DataError, match=f"Event 6000000: {column} 6000000 appears twice"):
        select(pair[0], pair[1], truth_options())


def test_a_missing_column_is_named() -> None:
    particles, vertices = one([1])
    with pytest.raises(DataError, match="Column 'pid' is missing"):
        select(Columns({n: particles[n] for n in particles if n != "pid"}), vertices, truth_options())


# ---- real events ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("name", "count"), [("evt0", 951), ("evt1", 356), ("evt3", 775), ("evt7", 401)])
def test_lhcb_files_keep_the_known_numbers(lhcb_data: Path, name: str, count: int) -> None:
    parsed = read(lhcb_data / f"{name}.mc2", collisions="file").tables
    particles, vertices = select(parsed["GenParticles"], parsed["GenVertices"], truth_options(LISTED, False, False))
    assert particles.rows == count
    _check_links(dicts(particles), dicts(vertices))


def test_options_matter_in_events_of_pythia(example: Path) -> None:
    parsed = read(example).tables
    pair = parsed["GenParticles"], parsed["GenVertices"]
    stable, everything, default = (
        select(*pair, options)[0]
        for options in (truth_options(keep_decayed=False), truth_options(collapse_copies=False), truth_options())
    )
    assert set(plain(stable, "status")) == {1}
    assert set(plain(default, "status")) == {1, 2}
    assert stable.rows < default.rows <= everything.rows
    reference = Reference(*pair, truth_options())
    assert plain(default, "mcparticle_id") == sorted(reference.kept)
