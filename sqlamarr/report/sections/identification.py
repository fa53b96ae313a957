"""Identification of charged particles."""

from __future__ import annotations

from sqlamarr.report.identification import identification
from sqlamarr.report.sample import Sample
from sqlamarr.report.section import TRACKS, Section, SectionMaker


class Identification(SectionMaker):
    """Identification of charged particles."""

    HELP = "Identification of charged particles."
    TABLES = (*TRACKS, "PID")
    PLACE = 160

    def make(self, sample: Sample) -> Section:
        """The section."""
        return Section("Identification", pictures=identification(sample))


section = Identification()
