"""Candidates of a whole file in pieces, as ``sqlamarr tuple`` writes them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from sqlamarr.candidates.build import Builder, CandidateRows, LimitError, Selection
from sqlamarr.candidates.cuts import Cut
from sqlamarr.candidates.tables import Tables, check_tables, has_photons, read_tables
from sqlamarr.candidates.variables import OF_EVENTS, Columns, describe, labels_of
from sqlamarr.checking.wording import counted
from sqlamarr.database.connection import Database
from sqlamarr.errors import OutputError, SqlamarrError
from sqlamarr.events.event import ROWS_PER_EVENT
from sqlamarr.output.file import open_output
from sqlamarr.output.particles import particles_of
from sqlamarr.particles.codes import PHOTON
from sqlamarr.particles.descriptors import Decay, Descriptor, charge, ctau, parse

EVENTS = 2000  # events that are processed together;
AT_ONCE = 100_000  # fewer if a particle has more combinations: with four tracks, each takes 6 kB
ENOUGH = 100  # events from which the number of combinations in a file can be estimated,
FAR_TOO_MANY = 1.5  # if the estimate exceeds the limit by this factor
SEEN = 10_000  # mm: particles that fly farther leave the detector before they decay


@dataclass(frozen=True)
class CandidateBlock:
    """Candidates of some events.

    :ivar events: how many events
    :ivar columns: the variables, one entry per candidate
    """

    events: int
    columns: Columns


class NTuple:
    """Candidates of a decay in an output file.

    :param db: the file
    :param descriptor: e.g. ``[Lambda_b0 -> (Lambda_c+ -> p+ K- pi+) mu-]CC``
    :param selection: which candidates
    :raises SqlamarrError: the descriptor, a label or a condition is wrong, or the file lacks tables
    """

    def __init__(self, db: Database, descriptor: str | Descriptor, selection: Selection) -> None:
        check_tables(db)
        self.db, self.selection = db, selection
        self.descriptor = parse(descriptor) if isinstance(descriptor, str) else descriptor
        decay = self.descriptor.decay
        self.labels = labels_of(decay)
        _check_labels(decay, self.labels, selection)
        _check_final_state(decay, db)
        _check_charge(decay, selection)
        decays = [decay]
        if self.descriptor.with_conjugate and _differ(decay, decay.conjugated(), selection):
            decays.append(decay.conjugated())
        self.builders = [Builder(d, self.labels, selection) for d in decays]
        self.kept = _kept(decay, self.labels)
        self.where = Cut(selection.where, "--where") if selection.where else None
        self._combined: Counter[str] = Counter()  # combinations so far, by the particle's label
        self._events = self._seen = 0  # events in the file; events done

    def pieces(self) -> Iterator[CandidateBlock]:
        """The candidates in the order of the events, in at least one piece, which may be empty.

        :raises SqlamarrError: there are more combinations than the selection allows; raised before they are made
        """
        ids = np.asarray(self.db.arrays("SELECT event_id FROM Events ORDER BY event_id")["event_id"], dtype=np.int64)
        self._combined, self._events, self._seen = Counter(), len(ids), 0
        for begin in range(0, max(len(ids), 1), EVENTS):
            yield from self._of_events(ids[begin : begin + EVENTS])

    def _of_events(self, ids: Any) -> Iterator[CandidateBlock]:
        first, last = (int(ids[0]), int(ids[-1]) + ROWS_PER_EVENT) if len(ids) else (0, 0)
        tables = read_tables(self.db, first, last)
        limit = self.selection.max_combinations
        most = limit if len(ids) == 1 else min(AT_ONCE, limit)
        try:
            found = [builder.build(tables, most) for builder in self.builders]
        except LimitError as error:
            self._check_limit(error.label, error.number, len(ids))
            half = len(ids) // 2
            yield from self._of_events(ids[:half])
            yield from self._of_events(ids[half:])
            return
        for builder in self.builders:
            self._combined.update(builder.combined)
        for label in self._combined:
            self._check_limit(label, 0, len(ids))
        self._seen += len(ids)
        yield CandidateBlock(len(ids), self._columns(tables, found))

    def _check_limit(self, label: str, new: int, events: int) -> None:
        """Give up before there are more combinations than allowed.

        :param new: combinations in these events, in addition to those already made
        """
        number, limit = self._combined[label] + new, self.selection.max_combinations
        seen = self._seen + events
        all_of_them = number * self._events // max(seen, 1)
        if number <= limit and (seen < ENOUGH or all_of_them <= FAR_TOO_MANY * limit):
            return
        where = "the file"
        if seen < self._events:
            where = f"the first {seen:,} of {counted(self._events, 'event')}, about {all_of_them:,} in all"
        final = next(name for name, node in zip(self.labels, self.descriptor.decay.walk()) if not node.daughters)
        raise SqlamarrError(
            f"{label} has about {number:,} combinations of its daughters in {where}, expected at most {limit:,}. "
            f"Cut on the particles before they are combined (--cut '{final}: PT > 500', or a mass window for "
            "each one that decays), keep only true candidates (--truth), or raise the limit (--max-combinations N)."
        )

    def _columns(self, tables: Tables, found: list[CandidateRows]) -> Columns:
        event = np.concatenate([f.event for f in found]).astype(np.int64)
        order = np.argsort(event, kind="stable")
        out: Columns = {"event_id": event[order]}
        row = np.searchsorted(tables.events["event_id"], out["event_id"])
        for name in ("nPVs", "nTracks", "weight"):
            out[name] = np.asarray(tables.events[name])[row] if len(row) else np.zeros(0)
        for k in self.kept:
            for name in found[0].columns[k]:
                values = np.concatenate([f.columns[k][name] for f in found])[order]
                out[f"{self.labels[k]}_{name}"] = values
        if self.where is not None:
            rows = self.where.rows(out)
            out = {name: values[rows] for name, values in out.items()}
        return _numbered(out)

    def unit_and_meaning(self, column: str) -> tuple[str, str]:
        """Unit and meaning of a column of the n-tuple."""
        return describe(column, self.labels)


def find_candidates(
    path: str | Path,
    descriptor: str,
    selection: Selection | None = None,
    *,
    progress: Callable[[int], object] | None = None,
) -> Columns:
    """Find all candidates of a decay in an output file, as numpy arrays by name.

    :param path: the file that a run wrote
    :param descriptor: the decay
    :param selection: which candidates; default all combinations of long tracks
    :param progress: called with numbers of events
    :raises SqlamarrError: the descriptor, a label or a condition is wrong, or the file lacks tables
    """
    with open_output(path) as db, particles_of(db):
        pieces = []
        for piece in NTuple(db, descriptor, selection or Selection()).pieces():
            pieces.append(piece.columns)
            if progress:
                progress(piece.events)
    return {name: np.concatenate([piece[name] for piece in pieces]) for name in pieces[0]}


def _numbered(columns: Columns) -> Columns:
    """Add the number of each candidate in its event, and the number of candidates in the event."""
    event = columns["event_id"]
    first = np.searchsorted(event, event, "left")
    number = {"nCandidate": np.arange(len(event)) - first}
    number["totCandidates"] = np.searchsorted(event, event, "right") - first
    columns = {**columns, **number}
    return {name: columns[name] for name in [*OF_EVENTS, *(n for n in columns if n not in OF_EVENTS)]}


def _kept(decay: Decay, labels: list[str]) -> list[int]:
    """Which particles get columns: the head and those marked with ^, or all if none is marked."""
    nodes = list(decay.walk())
    marked = [k for k, node in enumerate(nodes) if node.marked or k == 0]
    return marked if any(node.marked for node in nodes) else list(range(len(labels)))


def _differ(decay: Decay, conjugated: Decay, selection: Selection) -> bool:
    """Whether a decay and its conjugate have candidates of their own.

    B_s0 -> J/psi phi and B_s~0 -> J/psi phi have the same candidates, which are counted once unless the truth
    distinguishes them.
    """
    if selection.truth:
        return decay.species() != conjugated.species()
    return decay.shape() != conjugated.shape()


def _check_charge(decay: Decay, selection: Selection) -> None:
    """Check that truth matching is not combined with a wrong-sign decay, which only serves to study backgrounds."""
    node = decay.unbalanced()
    if selection.truth and node is not None:
        total = sum(charge(daughter.pid) for daughter in node.daughters)
        raise SqlamarrError(
            f"{node} does not conserve charge, {charge(node.pid):+g} becomes {total:+g}, so none is true. Correct "
            "the descriptor or, for wrong-sign combinations, omit --truth."
        )


def _check_final_state(decay: Decay, db: Database) -> None:
    """Check that final-state particles can be measured, as tracks or photons."""
    for node in decay.walk():
        if node.daughters or charge(node.pid):
            continue
        if node.pid != PHOTON:
            advice = f"write what it decays to, ({node.name} -> ...)" if ctau(node.pid) < SEEN else "leave it out"
            raise SqlamarrError(f"{node.name} leaves neither a track nor a photon cluster: {advice}.")
        if not has_photons(db):
            raise OutputError(
                f"{db.path} has no reconstructed photons: expected table Clusters and view Photons, as the pipeline "
                "lhcb_run2 makes."
            )


def _check_labels(decay: Decay, labels: list[str], selection: Selection) -> None:
    nodes = dict(zip(labels, decay.walk()))
    for label in selection.cuts:
        if label not in nodes:
            raise SqlamarrError(f"--cut: no particle of the decay is called {label!r}; there are {', '.join(labels)}.")
    for label in selection.masses:
        decaying = [name for name, node in nodes.items() if node.daughters]
        if label not in decaying:
            raise SqlamarrError(f"--mass: no decaying particle is called {label!r}; there are {', '.join(decaying)}.")
