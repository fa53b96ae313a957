"""A section of ``sqlamarr report``, on the page of every output that has the tables."""

from __future__ import annotations

import numpy as np

from sqlamarr.report.drawing import histograms, picture
from sqlamarr.report.sample import Sample
from sqlamarr.report.section import Section, SectionMaker


class Barrel(SectionMaker):
    """Measured transverse momenta, and how far they are from the truth."""

    HELP = "Momenta that the barrel measures."
    TABLES = ("BarrelTracks", "MCParticles")

    def make(self, sample: Sample) -> Section:
        """The section."""
        found = sample.db.arrays(
            "SELECT t.pt, t.pt_error, norm2(m.px, m.py, 0) AS true_pt "
            "FROM BarrelTracks AS t JOIN MCParticles AS m USING (mcparticle_id)"
        )
        pull = (found["pt"] - found["true_pt"]) / found["pt_error"]
        return Section(
            "Barrel",
            lead="Transverse momenta of tracks with three hits or more.",
            facts=[("tracks", f"{len(pull):,}")],
            pictures=[
                picture("Transverse momentum", "All tracks of the barrel.",
                        lambda axes: histograms(axes, np.linspace(0, 10_000, 41), [("measured", found["pt"])]),
                        x="pt [MeV]", y="tracks"),
                picture("Pull", "Measured minus true, over the error.",
                        lambda axes: histograms(axes, np.linspace(-5, 5, 41), [("tracks", pull)]),
                        x="pull", y="tracks"),
            ],
        )  # fmt: skip


section = Barrel()
