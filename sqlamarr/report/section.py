"""What a section of the page is, and the sections by name."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from typing import ClassVar

from sqlamarr.registries.registry import Registry, instance_of
from sqlamarr.report.drawing import Picture
from sqlamarr.report.sample import Sample

TRACKS = ("MCParticles", "MCVertices", "Tracks", "TrackStates", "Vertices")  # what the sample of tracks is made of


@dataclass
class Section:
    """A part of the page; what is empty is not shown.

    :ivar short: its name in the navigation
    :ivar facts: pairs of name and value
    :ivar head, rows: a table of numbers
    :ivar text: a long text that is folded away
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
    """Makes a section: derive from it, and name an object of your class ``section``.

    :cvar HELP: what it shows, in a sentence
    :cvar TABLES: what an output must hold; without them the page has no such section
    :cvar PLACE: sections come by ascending place
    """

    HELP: ClassVar[str]
    TABLES: ClassVar[tuple[str, ...]] = ()
    PLACE: ClassVar[int] = 500

    @abstractmethod
    def make(self, sample: Sample) -> Section:
        """The section.

        :param sample: the output, ``sample.db``, and what is read of it
        """


SECTIONS: Registry[SectionMaker] = Registry(
    "report",
    "section of the report",
    package="sqlamarr.report.sections",
    attribute="section",
    check=instance_of(SectionMaker),
)

__all__ = ["SECTIONS", "TRACKS", "Section", "SectionMaker"]
