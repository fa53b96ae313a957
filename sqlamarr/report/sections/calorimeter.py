"""Clusters of the electromagnetic calorimeter."""

from __future__ import annotations

from sqlamarr.report.calorimeter import calorimeter
from sqlamarr.report.sample import Sample
from sqlamarr.report.section import TRACKS, Section, SectionMaker


class Calorimeter(SectionMaker):
    """Clusters of the electromagnetic calorimeter."""

    HELP = "Clusters of the electromagnetic calorimeter."
    TABLES = (*TRACKS, "Clusters")
    PLACE = 170

    def make(self, sample: Sample) -> Section:
        """The section."""
        return Section("Calorimeter", pictures=calorimeter(sample))


section = Calorimeter()
