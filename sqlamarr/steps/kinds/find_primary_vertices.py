"""``find_primary_vertices``: find the generator's vertices that are collisions."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from sqlamarr.native import truth
from sqlamarr.native.columns import Array, Columns
from sqlamarr.particles.codes import LHCB_SIGNAL
from sqlamarr.steps.batch import Batch
from sqlamarr.steps.generator_record import SIGNAL_STATUS, errors_of_events
from sqlamarr.steps.protocol import Run
from sqlamarr.steps.registry import register
from sqlamarr.steps.workspace import Workspace


@register("find_primary_vertices")
@dataclass(frozen=True)
class FindPrimaryVertices:
    """Flag the primary vertices of collisions, also where they do not follow from the beams.

    If no vertex follows from a beam, the primary vertex is the one that the signal comes from, else that of
    the particle with the lowest barcode.
    """

    signal_status: int = LHCB_SIGNAL
    name: str = "find_primary_vertices"
    tables: tuple[str, ...] = ("GenVertices",)

    SCHEMA: ClassVar[Mapping[str, Any]] = {
        "type": "object",
        "properties": {"signal_status": SIGNAL_STATUS},
        "additionalProperties": False,
    }

    @classmethod
    def from_options(cls, options: Mapping[str, Any]) -> FindPrimaryVertices:
        """Make a step from the options of a pipeline file."""
        return cls(**options)

    def writes_rows(self, _: Workspace) -> bool:
        """Return False: the step writes whole columns."""
        return False

    def prepare(self, workspace: Workspace) -> Run:
        """Return the function that runs on a batch; there is nothing to check, as the tables are the package's own."""
        workspace.claim(self.name, "GenVertices")
        return self._run

    def _run(self, batch: Batch) -> None:
        vertices = batch.columns("GenVertices")
        with errors_of_events():
            found = truth.find_primaries(batch.columns("GenParticles"), vertices, self.signal_status)
        if found.rows:
            vertices = _flagged(vertices, found["genvertex_id"])
            batch.replace("GenVertices", vertices)
        self._count(batch, vertices)

    def _count(self, batch: Batch, vertices: Columns) -> None:
        primary = vertices["is_primary"] == 1
        batch.count("primary_vertices", np.count_nonzero(primary), "generator vertices flagged as primary")
        at_origin = primary & (vertices["x"] == 0) & (vertices["y"] == 0) & (vertices["z"] == 0)
        batch.count("primary_vertices_at_origin", np.count_nonzero(at_origin), "of these at the origin")


def _flagged(vertices: Columns, ids: Array) -> Columns:
    """Return the vertices, with those of these ids flagged as primary."""
    is_primary = vertices["is_primary"].copy()
    is_primary[np.isin(np.ma.getdata(vertices["genvertex_id"]), ids)] = 1
    return Columns({name: is_primary if name == "is_primary" else vertices.raw(name) for name in vertices})
