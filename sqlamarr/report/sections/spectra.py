"""Spectra of particles and of their tracks."""

from __future__ import annotations

from sqlamarr.report import tracks
from sqlamarr.report.sample import Sample
from sqlamarr.report.section import TRACKS, Section, SectionMaker


class Spectra(SectionMaker):
    """Spectra of particles and of their tracks."""

    HELP = "Spectra of particles and of their tracks."
    TABLES = TRACKS
    PLACE = 120

    def make(self, sample: Sample) -> Section:
        """The section."""
        return Section("Spectra", pictures=tracks.spectra(sample))


section = Spectra()
