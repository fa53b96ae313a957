"""``pileup:``, a Poisson-distributed number of further collisions in the events of another source."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import closing
from typing import Any

from sqlamarr.errors import InputError
from sqlamarr.events.chunk import Chunk
from sqlamarr.events.event import DataSource, EventRef
from sqlamarr.native.random import stream_key
from sqlamarr.sources.base import Numbering
from sqlamarr.sources.gun.gun import LUMINOUS_REGION
from sqlamarr.sources.kind import DescribedSource
from sqlamarr.sources.pileup.events import MixingSettings, PileupPiece
from sqlamarr.sources.pileup.poisson import poisson, words
from sqlamarr.sources.pileup.pool import Generated, Pool, Stored, reuse
from sqlamarr.sources.reading import Reading
from sqlamarr.sources.yaml_inputs import refuse_endless

_PLACE = {"type": "array", "items": {"type": "number", "minimum": 0}, "minItems": 3, "maxItems": 3}
_INPUTS = {"type": ["string", "object", "array"], "items": {"type": ["string", "object"]}}
SCHEMA: Mapping[str, Any] = {
    "type": "object",
    "required": ["mu", "collisions"],
    "properties": {
        "mu": {
            "type": "number",
            "exclusiveMinimum": 0,
            "maximum": 200,
            "description": "Mean number of visible collisions per crossing; LHCb in Run 2: about 1.1.",
        },
        "collisions": {
            **_INPUTS,
            "description": "Minimum-bias collisions: files, or the description of a source, e.g. {pythia: {...}}.",
        },
        "signal": {
            **_INPUTS,
            "description": "Events that they are added to: inputs as on the command line, or descriptions. Without it, "
            "events are crossings with at least one collision.",
        },
        "luminous_region": {
            "description": f"Where collisions are: a year ({', '.join(map(str, LUMINOUS_REGION))}; default 2016), "
            "widths [x, y, z] in mm, {widths: [x, y, z], centre: [x, y, z]}, or none.",
            "oneOf": [
                {"enum": [*LUMINOUS_REGION, "none"]},
                _PLACE,
                {
                    "type": "object",
                    "properties": {"widths": _PLACE, "centre": {**_PLACE, "items": {"type": "number"}}},
                    "required": ["widths", "centre"],
                    "additionalProperties": False,
                },
            ],
        },
        "events": {
            "type": "integer",
            "minimum": 1,
            "description": "Number of events: needed without signal; with signal, at most so many are read.",
        },
    },
    "additionalProperties": False,
}
NUMBER = 0  # stream of random numbers: how many collisions


def read(description: DescribedSource, reading: Reading, entry: dict[str, Any]) -> Iterator[PileupPiece]:
    """The events of the signal with pile-up, or crossings without signal.

    :param entry: of the provenance
    :raises InputError: an input is wrong, or the number of events is not limited
    """
    if reading.seed is None:
        raise InputError(f"{description.path} draws collisions at random, which needs a seed.")
    content = description.content
    key = stream_key(reading.seed, "source:pileup")
    at_least = 0 if "signal" in content else 1
    with closing(_pool(description, reading)) as pool:
        settings = MixingSettings(stream_key(reading.seed, "source:pileup:place"), *_region(content), pool.sources)
        for number, (event, source, chunk) in enumerate(_events(description, reading)):
            n = poisson(content["mu"], words(key, event.event_id, NUMBER)[0], at_least)
            collisions = tuple(pool.collision(key, event, i) for i in range(n))
            yield PileupPiece(event, source, chunk, collisions, settings)
            if number + 1 == content.get("events"):
                break
        if note := reuse(pool):
            reading.warn(note)


def _region(content: Mapping[str, Any]) -> tuple[tuple[float, ...] | None, tuple[float, ...]]:
    """Widths and centre of the luminous region [mm]; without widths, nothing is moved."""
    region = content.get("luminous_region", 2016)
    if region == "none":
        return None, (0.0, 0.0, 0.0)
    if isinstance(region, Mapping):
        return tuple(map(float, region["widths"])), tuple(map(float, region["centre"]))
    return tuple(map(float, region if isinstance(region, list) else LUMINOUS_REGION[region])), (0.0, 0.0, 0.0)


def _pool(description: DescribedSource, reading: Reading) -> Pool:
    """Prepare the pool that collisions come from."""
    arguments = _arguments(description, "collisions")
    seed = stream_key(reading.seed or 0, "source:pileup:collisions")
    made = [argument for argument in arguments if isinstance(argument, DescribedSource) and not argument.is_read]
    if made:
        if len(arguments) > 1:
            raise InputError(
                f"{description.path}: pileup.collisions: expected files, or one description of a generator, "
                f"found {len(arguments)} inputs."
            )
        return Generated(made[0].prepare(seed), made[0].path, reading)
    inner = Reading(Numbering(), "record", seed=seed)
    pool = Stored(_inputs(arguments, inner).chunks(1), reading)
    reading.described.extend({**entry, "role": "pile-up collisions"} for entry in inner.described)
    for warning in inner.warnings:
        reading.warn(warning)
    if not len(pool):
        raise InputError(f"{description.path}: pileup.collisions: the files contain no collisions.")
    return pool


def _events(description: DescribedSource, reading: Reading) -> Iterator[tuple[EventRef, DataSource, Chunk | None]]:
    if "events" in description.content:
        reading.last = True  # inputs that follow are read nevertheless
    if "signal" in description.content:
        for chunk in _inputs(_arguments(description, "signal"), reading).chunks(1):
            (event,), (source, *_) = chunk.events, chunk.sources
            yield event, source, chunk
        return
    if "events" not in description.content:
        refuse_endless(description, reading)
    source = reading.numbering.next_source(description.path, "crossings")
    while not reading.numbering.exhausted:
        yield reading.numbering.next_event(), source, None


def _arguments(description: DescribedSource, key: str) -> list[Any]:
    """Inputs of an entry: globs resolved, descriptions read; relative paths start at the description's folder."""
    from sqlamarr.sources.inputs import as_arguments, described_argument, resolve

    paths = [_anchored(given, description) for given in as_arguments(description.content[key])]
    return [described_argument(argument, description.folder) for argument in resolve(paths)]


def _anchored(given: Any, description: DescribedSource) -> Any:
    if not isinstance(given, str):
        return given
    if given == "-":
        raise InputError(f"{description.path}: pile-up cannot be read from standard input (-); name a file.")
    return str(description.folder / given)


def _inputs(arguments: list[Any], reading: Reading) -> Any:
    from sqlamarr.sources.inputs import Inputs

    return Inputs(arguments, reading)


__all__ = ["SCHEMA", "read"]
