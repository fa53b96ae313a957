"""Events with pile-up, as they are made in the worker."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from sqlamarr.events.chunk import Chunk, ParsedChunk, halves
from sqlamarr.events.event import DataSource, EventRef, Rejected
from sqlamarr.native.random import Random
from sqlamarr.sources.pileup.overlay import Group, OverlayPart, Tables, TooManyRowsError, move, overlay, primary_places
from sqlamarr.sources.pileup.pool import PackedCollision
from sqlamarr.sources.yaml_inputs import RecipeChunk


@dataclass(frozen=True)
class MixingSettings:
    """What the events of a source have in common.

    :ivar key: key of the random numbers for places
    :ivar widths: widths of the luminous region in x, y, z [mm]; None leaves collisions where they are
    :ivar centre: centre of the luminous region [mm]
    :ivar sources: data sources of the collisions, by id
    """

    key: int
    widths: tuple[float, ...] | None
    centre: tuple[float, ...]
    sources: Mapping[int, DataSource]


@dataclass(frozen=True)
class PileupPiece:
    """An event: the collision with the signal, if there is one, and further collisions."""

    event: EventRef
    source: DataSource
    signal: Chunk | None
    collisions: tuple[PackedCollision, ...]
    settings: MixingSettings

    @classmethod
    def chunk(cls, pieces: Sequence[PileupPiece]) -> PileupChunk:
        """Put events together."""
        return PileupChunk(tuple(pieces))


@dataclass(frozen=True)
class PileupChunk:
    """Some events with their pile-up."""

    pieces: tuple[PileupPiece, ...]

    @property
    def events(self) -> Sequence[EventRef]:
        """The events, by ascending id."""
        return tuple(piece.event for piece in self.pieces)

    @property
    def sources(self) -> tuple[DataSource, ...]:
        """The sources of the events and of their collisions."""
        found = {piece.source.datasource_id: piece.source for piece in self.pieces}
        for piece in self.pieces:
            found.update({packed.datasource_id: _source(piece, packed) for packed in piece.collisions})
        return tuple(source for _, source in sorted(found.items()))

    def split(self) -> tuple[PileupChunk, PileupChunk]:
        """The first and the second half of the events."""
        first, _ = halves(self.events)
        return PileupChunk(self.pieces[: len(first)]), PileupChunk(self.pieces[len(first) :])

    def parse(self) -> ParsedChunk:
        """The tables of the events with all their collisions."""
        reasons: dict[int, str] = {}
        groups = list(_groups(self.pieces, reasons))
        while True:
            good = [Group(tables, [part for part in parts if part.event_id not in reasons]) for tables, parts in groups]
            try:
                tables = overlay(good)
            except TooManyRowsError as error:
                reasons.update(error.reasons)
            else:
                break
        lines = {piece.event.event_id: piece.event.line for piece in self.pieces}
        rejected = [Rejected(event, lines[event], reason) for event, reason in sorted(reasons.items())]
        return ParsedChunk(_placed(tables, self.pieces), rejected)


def _source(piece: PileupPiece, packed: PackedCollision) -> DataSource:
    return piece.settings.sources[packed.datasource_id]


def _groups(pieces: Sequence[PileupPiece], reasons: dict[int, str]) -> Iterator[Group]:
    """Parse all chunks; events of the same recipe are made in one go.

    :param reasons: why events are rejected; entries are added
    """
    recipes: dict[int, list[tuple[RecipeChunk, OverlayPart, str]]] = {}
    for chunk, part, where in _chunks(pieces):
        if isinstance(chunk, RecipeChunk):
            recipes.setdefault(id(chunk.recipe), []).append((chunk, part, where))
        else:
            yield _parsed(chunk, [part], [where], reasons)
    for made in recipes.values():
        made.sort(key=lambda entry: entry[1].made_as)
        chunks, parts, wheres = zip(*made)
        events = tuple(event for chunk in chunks for event in chunk.events)
        yield _parsed(RecipeChunk(events, (), chunks[0].recipe), list(parts), list(wheres), reasons)


def _chunks(pieces: Sequence[PileupPiece]) -> Iterator[tuple[Chunk, OverlayPart, str]]:
    """Chunks of one event each, the events that they belong to, and the beginning of a sentence about them."""
    for piece in pieces:
        event = piece.event
        if piece.signal is not None:
            yield piece.signal, OverlayPart(event.event_id, event.event_id, 0, event.datasource_id), ""
        for rank, packed in enumerate(piece.collisions, start=1):
            chunk = packed.chunk()
            (made,) = chunk.events
            where = f"Pile-up ({_source(piece, packed).path}, event {made.number}): "
            yield chunk, OverlayPart(made.event_id, event.event_id, rank, packed.datasource_id), where


def _parsed(chunk: Chunk, parts: list[OverlayPart], wheres: list[str], reasons: dict[int, str]) -> Group:
    parsed = chunk.parse()
    bad = {row.event_id: row.message for row in parsed.rejected}
    for part, where in zip(parts, wheres):
        if part.made_as in bad:
            reasons.setdefault(part.event_id, where + bad[part.made_as])
    return Group(parsed.tables, parts)


def _placed(tables: Tables, pieces: Sequence[PileupPiece]) -> Tables:
    """Move collisions of pile-up to a new place; move those of the signal only if they are at the origin.

    The random numbers belong to genevent_id. The place at which the generator put a collision is subtracted.
    """
    settings = pieces[0].settings
    events = tables["GenEvents"]
    if settings.widths is None or not events.rows:
        return tables
    here = primary_places(tables)
    drawn = Random(settings.key).normal(events["genevent_id"], 3).astype(np.float64)
    steps = np.array(settings.centre) + drawn * np.array(settings.widths) - here
    signal = np.isin(events["datasource_id"], list(settings.sources), invert=True)
    steps[signal & here.any(axis=1)] = 0.0
    return move(tables, steps)


__all__ = ["PileupChunk", "PileupPiece", "MixingSettings"]
