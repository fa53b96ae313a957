"""The interface of a section of the page, and the registry of sections."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from typing import ClassVar

from sqlamarr.registries.registry import Registry, instance_of
from sqlamarr.report.drawing import Picture
from sqlamarr.report.sample import Sample

TRACKS = ("MCParticles", "MCVertices", "Tracks", "TrackStates", "Vertices")  # needed for the sample of tracks


@dataclass
class Section:
    """A part of the page. Empty parts are not shown.

    :ivar short: its name in the navigation
    :ivar facts: pairs of name and value
    :ivar head, rows: a table of numbers
    :ivar text: a long text that is initially collapsed
    """

    title: str
    short: str = ""
    lead: str = ""
    facts: list[tuple[str, ...]] = field(default_factory=list)
    head: tuple[str, ...] = ()
    rows: list[tuple[str, ...]] = field(default_factory=list)
    pictures: list[Picture] = field(default_factory=list)
    text_title: str = ""
    text: str = ""

    def __post_init__(self) -> None:
        self.short = self.short or self.title
        self.pictures = [picture for picture in self.pictures if picture.svg]

    @property
    def filled(self) -> bool:
        """Whether there is anything to show."""
        return bool(self.facts or self.rows or self.pictures)


class SectionMaker(ABC):
    """Makes a section. Derive from this class and name an object of your class ``section``.

    :cvar HELP: what it shows, in a sentence
    :cvar TABLES: tables that the output must have for this section to be shown
    :cvar PLACE: sections are sorted by this number
    """

    HELP: ClassVar[str]
    TABLES: ClassVar[tuple[str, ...]] = ()
    PLACE: ClassVar[int] = 500

    @abstractmethod
    def make(self, sample: Sample) -> Section:
        """Make the section.

        :param sample: the data read from the output, which is ``sample.db``
        """


SECTIONS: Registry[SectionMaker] = Registry(
    "report",
    "section of the report",
    package="sqlamarr.report.sections",
    attribute="section",
    check=instance_of(SectionMaker),
)

__all__ = ["SECTIONS", "TRACKS", "Section", "SectionMaker"]
