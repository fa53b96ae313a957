"""Build candidates of a decay in a range of events: combine from the final state upwards, fit, cut."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from sqlamarr.candidates.combine import Ids, Particles, TooManyCombinationsError, combinations
from sqlamarr.candidates.cuts import Cut
from sqlamarr.candidates.fit import fit
from sqlamarr.candidates.geometry import lines_of_tracks
from sqlamarr.candidates.measured import Array, Measured, Rows
from sqlamarr.candidates.tables import Tables, Truth
from sqlamarr.candidates.topology import has_vertex, topology_of
from sqlamarr.candidates.variables import (
    Columns,
    end_columns,
    flight_columns,
    kinematics,
    primary_columns,
    tree_fit_columns,
    truth_columns,
    vertex_columns,
)
from sqlamarr.errors import SqlamarrError
from sqlamarr.particles.codes import LONG_TRACK, PHOTON
from sqlamarr.particles.descriptors import Decay, charge, mass

MAX_COMBINATIONS = 3_000_000  # with four tracks: four minutes, 12 GB of n-tuple


@dataclass(frozen=True)
class Selection:
    """How candidates are made.

    :ivar truth: keep only candidates that truly are what the descriptor says
    :ivar track_types: classes of tracks that may take part (3 long, 4 upstream, 5 downstream)
    :ivar cuts: SQL conditions on the variables of a particle, by its label
    :ivar where: SQL condition on the finished candidates, by the full names of the columns
    :ivar tree_fit: fit the whole decay again, with ``point_back`` and ``masses``
    :ivar point_back: the decay tree fit constrains the head to come from its best primary vertex
    :ivar masses: labels of particles whose masses the decay tree fit fixes to the known ones
    :ivar max_combinations: the largest number of combinations of the daughters of any one particle in the whole file;
    more are an error
    """

    truth: bool = False
    track_types: tuple[int, ...] = (LONG_TRACK,)
    cuts: Mapping[str, str] = field(default_factory=dict)
    where: str = ""
    tree_fit: bool = False
    point_back: bool = False
    masses: tuple[str, ...] = ()
    max_combinations: int = MAX_COMBINATIONS


@dataclass(frozen=True)
class CandidateRows:
    """Particles for one node of the descriptor.

    :ivar event: (n,) ids
    :ivar truth: (n,) rows of the true particle, -1 for none
    :ivar leaves: (n, k) rows of the final-state particles in each, among the tracks (or photons)
    :ivar keys: (n, k) their ids
    :ivar columns: columns of the node and of every node below it, in the order of the descriptor
    :ivar chi2: (n,) chi2 of the vertices from which a mother's fit starts
    :ivar ndf: its degrees of freedom
    :ivar primary: (n,) rows of the best primary vertex
    """

    event: Ids
    truth: Rows
    leaves: Rows
    keys: Ids
    columns: tuple[Columns, ...]
    chi2: Array
    ndf: int
    primary: Rows

    def take(self, rows: Rows) -> CandidateRows:
        """Some of them."""
        columns = tuple({name: values[rows] for name, values in c.items()} for c in self.columns)
        arrays = (self.event[rows], self.truth[rows], self.leaves[rows], self.keys[rows])
        return CandidateRows(*arrays, columns, self.chi2[rows], self.ndf, self.primary[rows])


class LimitError(SqlamarrError):
    """A particle has more combinations of its daughters than allowed.

    :ivar label: label of the particle
    :ivar number: approximate number of combinations
    """

    def __init__(self, label: str, number: int) -> None:
        super().__init__(f"{label}: {number} combinations")
        self.label, self.number = label, number


class Builder:
    """Builds candidates of one decay (without its conjugate).

    :param decay: the decay
    :param labels: labels of its particles, in the order of ``decay.walk()``
    :ivar combined: number of combinations made by the last call of ``build``, by the particle's label
    """

    def __init__(self, decay: Decay, labels: Sequence[str], selection: Selection) -> None:
        self.decay, self.labels, self.selection = decay, list(labels), selection
        self.nodes = list(decay.walk())
        self.cuts = {label: Cut(text, f"--cut {label}") for label, text in selection.cuts.items()}
        self.combined: dict[str, int] = {}

    def build(self, tables: Tables, most: int | None = None) -> CandidateRows:
        """All candidates of these events.

        :param most: the largest number of combinations that any one particle may have
        :raises LimitError: a particle has more; its combinations are not made
        """
        self.combined = {}
        at = 0

        def visit(node: Decay) -> CandidateRows:
            nonlocal at
            label = self.labels[at]
            at += 1
            if not node.daughters:
                found = self._final(node, tables)
            else:
                daughters = [visit(daughter) for daughter in node.daughters]
                try:
                    found = self._decay(node, daughters, tables, most)
                except TooManyCombinationsError as error:
                    raise LimitError(label, error.number) from None
                self.combined[label] = len(found.event)
            return self._cut(label, found)

        found = visit(self.decay)
        return self._tree_fit(found, tables) if self.selection.tree_fit else found

    def _cut(self, label: str, found: CandidateRows) -> CandidateRows:
        return found.take(self.cuts[label].rows(found.columns[0])) if label in self.cuts else found

    def _final(self, node: Decay, tables: Tables) -> CandidateRows:
        return self._photon(node, tables) if node.pid == PHOTON else self._track(node, tables)

    def _true(self, rows: Rows, ids: Ids, pid: int, truth: Truth) -> tuple[Rows, Rows]:
        """Rows and those of their true particles; on request, only rows whose species is the true one."""
        true = truth.rows(ids[rows])
        if self.selection.truth:
            right = truth.values("pid", true, 0) == pid
            rows, true = rows[right], true[right]
        return rows, true

    def _photon(self, node: Decay, tables: Tables) -> CandidateRows:
        c = tables.photons
        rows, true = self._true(
            np.arange(len(c["energy"])), c["mcparticle_id"].astype(np.int64), node.pid, tables.truth
        )
        event, measured = c["event_id"][rows].astype(np.int64), tables.neutral(rows)
        momentum = measured.momentum(measured.start(), tables.primaries.first(event))[0]
        columns = {
            "ID": np.full(len(rows), node.pid),
            "M": np.zeros(len(rows)),
            **kinematics(momentum),
            "BPVIP": np.full(len(rows), np.nan),
            "BPVIPCHI2": np.full(len(rows), np.nan),
            **truth_columns(tables.truth, true),
            "CALO_Key": c["cluster_id"][rows],
            "CALO_Type": c["type"][rows],
            **{name: c[name][rows] for name in ("PhotonID", "IsNotE", "IsNotH")},
        }
        keys = -1 - c["cluster_id"][rows].astype(np.int64)[:, None]  # distinct from the keys of tracks
        nowhere = np.full(len(rows), -1)
        return CandidateRows(event, true, rows[:, None], keys, (columns,), np.zeros(len(rows)), 0, nowhere)

    def _track(self, node: Decay, tables: Tables) -> CandidateRows:
        t, truth = tables.tracks, tables.truth
        good = (t["charge"] == round(charge(node.pid))) & np.isin(t["type"], self.selection.track_types)
        rows, true = self._true(np.flatnonzero(good), t["mcparticle_id"].astype(np.int64), node.pid, truth)
        measured = tables.charged(rows, node.pid, mass(node.pid))
        event = t["event_id"][rows]
        momentum = measured.momentum(measured.start(), np.zeros((len(rows), 3)))[0]
        impact, best = primary_columns(lines_of_tracks(measured), event, tables.primaries)
        columns = {
            "ID": np.full(len(rows), node.pid),
            "M": np.full(len(rows), measured.mass),
            **kinematics(momentum),
            **impact,
            **truth_columns(truth, true),
            "TRACK_Key": t["track_id"][rows],
            "TRACK_Type": t["type"][rows],
            "TRACK_CHI2NDOF": t["chi2PerDoF"][rows],
            "TRACK_NDOF": t["nDoF"][rows],
            "TRACK_GhostProb": t["ghostProb"][rows],
            **{name: t[name][rows] for name in tables.extra},
        }
        keys = t["track_id"][rows][:, None]
        return CandidateRows(event, true, rows[:, None], keys, (columns,), np.zeros(len(rows)), 0, best)

    def _decay(self, node: Decay, daughters: list[CandidateRows], tables: Tables, most: int | None) -> CandidateRows:
        groups = [self._groups(node, d, tables) for d in daughters]
        orders = [np.flatnonzero(g >= 0)[np.argsort(g[g >= 0], kind="stable")] for g in groups]
        lists = [Particles(g[o], d.keys[o]) for g, o, d in zip(groups, orders, daughters)]
        rows = combinations(lists, _identical(node), most)
        parts = [d.take(order[rows[:, k]]) for k, (d, order) in enumerate(zip(daughters, orders))]
        true = parts[0].truth
        for part in parts[1:]:
            true = tables.truth.common_ancestor(true, part.truth)
        if self.selection.truth:
            right = np.flatnonzero(true == groups[0][orders[0]][rows[:, 0]])
            parts, true = [part.take(right) for part in parts], true[right]
        return self._fitted(node, parts, true, tables)

    def _groups(self, node: Decay, daughter: CandidateRows, tables: Tables) -> Any:
        """The group within which to combine: tracks of one event, or of one true decay."""
        return tables.truth.ancestor(daughter.truth, node.pid) if self.selection.truth else daughter.event

    def _fitted(self, node: Decay, parts: list[CandidateRows], true: Rows, tables: Tables) -> CandidateRows:
        event, leaves = parts[0].event, np.concatenate([part.leaves for part in parts], axis=1)
        topology = topology_of(node)
        fitted = fit(topology, self._measured(node, leaves, tables), start=tables.primaries.first(event))
        chi2, ndf = sum((part.chi2 for part in parts), np.zeros(len(event))), sum(part.ndf for part in parts)
        flown, best = flight_columns(fitted, event, tables.primaries, topology.lines)
        columns = {
            "ID": np.full(len(event), node.pid),
            **vertex_columns(fitted, fitted.chi2 - chi2, fitted.ndf - ndf, topology.lines),
            **flown,
            **truth_columns(tables.truth, true),
            **end_columns(tables.truth, true),
        }
        if has_vertex(node):
            chi2, ndf = fitted.chi2, fitted.ndf
        keys = np.concatenate([part.keys for part in parts], axis=1)
        below = [c for part in parts for c in part.columns]
        return CandidateRows(event, true, leaves, keys, (columns, *below), chi2, ndf, best)

    def _measured(self, node: Decay, leaves: Rows, tables: Tables) -> list[Measured]:
        finals = [n for n in node.walk() if not n.daughters]
        return [tables.measured(leaves[:, k], n.pid, mass(n.pid)) for k, n in enumerate(finals)]

    def _tree_fit(self, found: CandidateRows, tables: Tables) -> CandidateRows:
        """Add the results of the fit of the whole decay with all constraints."""
        decays = [k for k, node in enumerate(self.nodes) if node.daughters]
        masses = {n: mass(self.nodes[k].pid) for n, k in enumerate(decays) if self.labels[k] in self.selection.masses}
        primary = tables.primaries.at(found.primary) if self.selection.point_back else None
        measured = self._measured(self.decay, found.leaves, tables)
        fitted = fit(
            topology_of(self.decay), measured, primary=primary, masses=masses, start=tables.primaries.first(found.event)
        )
        columns = [dict(c) for c in found.columns]
        columns[0] |= {
            "DTF_CHI2": fitted.chi2,
            "DTF_NDOF": np.full(len(fitted.chi2), fitted.ndf),
            "DTF_STATUS": np.where(fitted.converged, 0, 1),
        }
        for n, k in enumerate(decays):
            columns[k] |= {f"DTF_{name}": values for name, values in tree_fit_columns(fitted, n).items()}
        return replace(found, columns=tuple(columns))


def _identical(node: Decay) -> list[int | None]:
    """For each daughter, an earlier one with the same species and decay."""
    keys = [tuple(n.pid for n in daughter.walk()) for daughter in node.daughters]
    return [next((k for k in range(i) if keys[k] == key), None) for i, key in enumerate(keys)]
