"""What a run counts: numbers with a key for programs and a text for people."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple, SupportsInt


class Count(NamedTuple):
    """A counter.

    :ivar text: what is counted, for people; the plural of a noun without its number
    """

    text: str
    number: int


class Counters(Mapping[str, Count]):
    """Counters by key, in the order in which they were first met.

    >>> counters = Counters()
    >>> counters.add("lost_tracks", 2, "tracks without hits")
    >>> counters.add("lost_tracks", 3)
    >>> counters["lost_tracks"]
    Count(text='tracks without hits', number=5)
    >>> counters.number("found_tracks")
    0
    """

    def __init__(self) -> None:
        self._counts: dict[str, Count] = {}

    def add(self, key: str, number: SupportsInt, text: str = "") -> None:
        """Add to a counter.

        :param text: what is counted, for people; default: the text so far, or else the key
        """
        before = self._counts.get(key, Count(key, 0))
        self._counts[key] = Count(text or before.text, before.number + int(number))

    def update(self, other: Counters) -> None:
        """Add all counters of another object."""
        for key, count in other.items():
            self.add(key, count.number, count.text)

    def number(self, key: str) -> int:
        """The number of a counter; 0 if nothing was ever added to it."""
        return self._counts[key].number if key in self._counts else 0

    def as_dict(self) -> dict[str, dict[str, Any]]:
        """Text and number by key, ready for JSON."""
        return {key: count._asdict() for key, count in self._counts.items()}

    @classmethod
    def from_dict(cls, content: Mapping[str, Mapping[str, Any]]) -> Counters:
        """Make counters from the result of :meth:`as_dict`."""
        counters = cls()
        for key, count in content.items():
            counters.add(key, count["number"], count["text"])
        return counters

    def __getitem__(self, key: str) -> Count:
        return self._counts[key]

    def __iter__(self) -> Iterator[str]:
        return iter(self._counts)

    def __len__(self) -> int:
        return len(self._counts)
