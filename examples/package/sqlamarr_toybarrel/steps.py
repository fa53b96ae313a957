"""A kind of step: where charged particles cross the layers of a barrel."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from sqlamarr.events.event import ROWS_PER_EVENT
from sqlamarr.steps.batch import Batch
from sqlamarr.steps.protocol import FillsTable, Run
from sqlamarr.steps.workspace import Workspace

LIGHT = 0.299792458  # bending: pt [MeV] = LIGHT * field [T] * radius [mm]
HALF_LENGTH = 1200.0  # of the barrel [mm]


@dataclass(frozen=True)
class BarrelHits(FillsTable):
    """Hits of particles from near the beam: a circle in x and y, a straight line in z along its arc."""

    name: str
    table: str
    radii: tuple[float, ...]

    SCHEMA: ClassVar[Mapping[str, Any]] = {
        "type": "object",
        "properties": {
            "table": {"type": "string", "description": "Table for the hits."},
            "radii": {
                "type": "array", "items": {"type": "number", "exclusiveMinimum": 0}, "minItems": 1,
                "description": "Radii of the layers [mm].",
            },
            "name": {"type": "string", "description": "Name of the step; default: the table."},
        },
        "required": ["table", "radii"],
        "additionalProperties": False,
    }  # fmt: skip

    def prepare(self, workspace: Workspace) -> Run:
        """Before any event: the table must be there."""
        workspace.claim(self.name, self.table)
        return self._run

    def _run(self, batch: Batch) -> None:
        p = batch.columns("MCParticles")
        charge = np.ma.filled(p["charge"], 0)
        pt = np.hypot(p["px"], p["py"])
        keep = (charge != 0) & (pt > 0)
        ids, charge, pt = p["mcparticle_id"][keep], charge[keep], pt[keep]
        bend = pt / (LIGHT * batch.conditions["field"])  # radius of the circle [mm]
        phi, slope = np.arctan2(p["py"][keep], p["px"][keep]), p["pz"][keep] / pt
        rows: list[np.ndarray[Any, Any]] = []
        for layer, radius in enumerate(self.radii):
            half_angle = np.arcsin(np.minimum(radius / (2 * bend), 1))
            z = slope * 2 * bend * half_angle
            hit = (radius < 2 * bend) & (np.abs(z) < HALF_LENGTH)
            angle = phi - np.sign(charge) * half_angle
            found = np.stack([ids, np.full(len(ids), layer), radius * np.cos(angle), radius * np.sin(angle), z])
            rows.append(found[:, hit])
        self._write(batch, np.concatenate(rows, axis=1))

    def _write(self, batch: Batch, rows: np.ndarray[Any, Any]) -> None:
        """Hits by ascending id: event_id + position among the hits of the event."""
        rows = rows[:, np.lexsort((rows[1], rows[0]))]
        particle = rows[0].astype(np.int64)
        event = particle - particle % ROWS_PER_EVENT
        position = np.arange(len(event)) - np.searchsorted(event, event)
        batch.write(self.table, {
            "barrelhit_id": event + position, "event_id": event, "mcparticle_id": particle,
            "layer": rows[1].astype(np.int64), "x": rows[2], "y": rows[3], "z": rows[4],
        })  # fmt: skip
        batch.count("hits in the barrel", len(event))
