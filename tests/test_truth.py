"""The truth walk: which particles are kept, where they hang, and what the prior art got wrong."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from sqlamarr.columns import Columns
from sqlamarr.errors import DataError
from sqlamarr.truth import TruthOptions, find_primaries, select

LISTED = (1, 777, 888, 889, 999)


def graph(vertices: list[Any], particles: list[Any], event: int = 0) -> tuple[Columns, Columns]:
    """Vertices as (is_primary, z); particles as (pid, status, production, end), by index or None."""
    base, n, k = event * 1_000_000, len(particles), len(vertices)
    ref = [[None if p[i] is None else base + p[i] for p in particles] for i in (2, 3)]
    links = [np.ma.MaskedArray([v or 0 for v in r], mask=[v is None for v in r], dtype=np.int64) for r in ref]
    p: dict[str, Any] = {
        "genparticle_id": base + np.arange(n),
        "event_id": np.full(n, base),
        "genevent_id": np.full(n, base),
        "hepmc_id": np.arange(n) + 1,
        "production_vertex": links[0],
        "end_vertex": links[1],
        "pid": np.array([q[0] for q in particles], dtype=np.int64),
        "status": np.array([q[1] for q in particles], dtype=np.int64),
    }
    p |= {name: np.zeros(n) for name in ("pe", "px", "py", "pz", "m")}
    v: dict[str, Any] = {
        "genvertex_id": base + np.arange(k),
        "event_id": np.full(k, base),
        "genevent_id": np.full(k, base),
        "hepmc_id": -np.arange(k) - 1,
        "status": np.zeros(k, np.int64),
        "is_primary": np.array([q[0] for q in vertices], dtype=np.int64),
    }
    v |= {"t": np.zeros(k), "x": np.zeros(k), "y": np.zeros(k), "z": np.array([float(q[1]) for q in vertices])}
    return Columns(p), Columns(v)


def read(path: Path) -> tuple[Columns, Columns]:
    """A tiny HepMC2 reader; each collision is an event of its own here."""
    tables: list[tuple[Columns, Columns]] = []
    rows: list[tuple[int, ...]] = []
    codes: list[int] = []
    beams: tuple[int, int] = (0, 0)

    def flush() -> None:
        if not codes:
            return
        index = {code: i for i, code in enumerate(codes)}
        ends = {index[r[4]] for r in rows if r[4] and r[0] in beams}
        production = {r[0]: (None if r[5] else index[r[3]]) for r in rows}
        particles = [(r[1], r[2], production[r[0]], index[r[4]] if r[4] else None) for r in rows]
        tables.append(graph([(int(i in ends), 0.0) for i in range(len(codes))], particles, len(tables)))

    for line in path.read_text().splitlines():
        word = line.split()
        if line.startswith("E "):
            flush()
            rows, codes, beams = [], [], (int(word[9]), int(word[10]))
        elif line.startswith("V "):
            codes.append(int(word[1]))
            orphans = int(word[7])
        elif line.startswith("P "):
            orphan = orphans > 0
            orphans -= orphan
            rows.append((int(word[1]), int(word[2]), int(word[8]), codes[-1], int(word[11]), orphan))
    flush()
    joined = []
    for side in (0, 1):
        parts = [t[side] for t in tables]
        joined.append(Columns({n: np.ma.concatenate([t[n] for t in parts]) for n in parts[0]}))
    return joined[0], joined[1]


@pytest.mark.skipif("SQLAMARR_LHCB_DATA" not in os.environ, reason="SQLAMARR_LHCB_DATA is not set")
@pytest.mark.parametrize(("name", "count"), [("evt0", 951), ("evt1", 356), ("evt3", 775), ("evt7", 401)])
def test_status_list_alone_keeps_the_known_numbers(name: str, count: int) -> None:
    tables = read(Path(os.environ["SQLAMARR_LHCB_DATA"]) / f"{name}.mc2")
    kept = {c: select(*tables, TruthOptions(LISTED, False, c))[0].rows for c in (False, True)}
    assert kept[False] == count, kept


def test_both_primaries_survive_and_a_copy_leaves_its_signal_flag() -> None:
    tables = graph(
        [(1, 0), (1, 5), (0, 6), (0, 7)], [(511, 889, 0, 2), (511, 2, 2, 3), (22, 1, 2, None), (211, 1, 3, None)]
    )
    particles, vertices = select(*tables, TruthOptions())
    assert list(particles["pid"]) == [511, 22, 211]
    assert list(particles["production_vertex"]) == [0, 0, 3]
    assert list(particles["is_signal"]) == [1, 0, 0]
    assert list(particles["mother"].filled(-1)) == [-1, -1, 1]
    assert list(vertices["genvertex_id"]) == [0, 1, 3]


def test_a_cycle_is_an_error_that_names_the_event() -> None:
    with pytest.raises(DataError, match="Event 3000000: the decay graph has a cycle"):
        select(*graph([(0, 0), (0, 1)], [(511, 2, 0, 1), (511, 2, 1, 0)], 3), TruthOptions())


def test_a_chain_of_a_million_vertices() -> None:
    n = 999_999
    chain = [(92, 2, i - 1 if i else None, i) for i in range(n)] + [(211, 1, n - 1, None)]
    particles, vertices = select(*graph([(0, 0)] * n, chain), TruthOptions())
    assert list(particles["production_vertex"]) == [0] and vertices.rows == 1


def test_signal_decides_the_primary_whatever_the_order_of_rows() -> None:
    particles, vertices = graph([(0, 0), (0, 1)], [(1, 2, 0, 1), (511, 889, 1, None)])
    order = np.array([1, 0])
    shuffled = Columns({name: particles[name][order] for name in particles})
    for table in (particles, shuffled):
        assert list(find_primaries(table, vertices, 889)["genvertex_id"]) == [1]
        assert list(find_primaries(table, vertices, 5)["genvertex_id"]) == [0]
