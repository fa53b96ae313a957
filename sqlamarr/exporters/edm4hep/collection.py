"""A collection of EDM4hep objects for some events, and the fields that podio stores it in."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import awkward as ak
import numpy as np

from sqlamarr.errors import DataError
from sqlamarr.exporters.edm4hep.model import CLASSES, Datatype, Members
from sqlamarr.native.columns import Array
from sqlamarr.output.tables import awkward_arrays as to

INVALID = -2  # podio::ObjectID::invalid: the index of a relation to nothing
OBJECT_ID = "podio::ObjectID"

Values = Mapping[str, Any]  # arrays by member; for members that are classes, mappings again


@dataclass(frozen=True)
class Relation:
    """Relations from the objects of a collection to other objects.

    :ivar target: name of the collection that they are in
    :ivar index: their positions in that collection within their event, concatenated; negative for none
    :ivar each: number of relations of each object; None for relations to one object
    """

    target: str
    index: Array
    each: Array | None = None


@dataclass(frozen=True)
class Collection:
    """Objects of one class. Members that are not given are empty.

    :ivar counts: number of objects in every event
    :ivar vectors: for vector members, the number of values of each object, and all values
    """

    kind: Datatype
    counts: Array
    values: Values
    vectors: Mapping[str, tuple[Array, Any]] = field(default_factory=dict)
    relations: Mapping[str, Relation] = field(default_factory=dict)

    @property
    def size(self) -> int:
        """Number of objects in all events."""
        return int(self.counts.sum())

    def fields(self, name: str, ids: Mapping[str, int]) -> dict[str, Any]:
        """Awkward layouts by name of the field.

        :param ids: numbers of all collections by name
        :raises DataError: a number that the type of its member does not hold
        """
        none = np.zeros(self.size, dtype=np.int64)
        stored = dict(self.values)
        found: dict[str, Any] = {}
        for member, kind in self.kind.vectors.items():
            each, values = self.vectors.get(member, (none, None))
            found[f"_{name}_{member}"] = self._spread(stored, member, each, _content(kind, values, f"{name}.{member}"))
        for member in self.kind.many:
            relation = self.relations.get(member, Relation("", none[:0], none))
            assert relation.each is not None
            found[f"_{name}_{member}"] = self._spread(stored, member, relation.each, _object_ids(relation, ids))
        for member in self.kind.one:
            relation = self.relations.get(member, Relation("", none - 1))
            found[f"_{name}_{member}"] = to.lists(self.counts, _object_ids(relation, ids))
        return {name: to.lists(self.counts, _content(self.kind.data, stored, name)), **found}

    def _spread(self, stored: dict[str, Any], member: str, each: Array, content: Any) -> Any:
        """The list of an event for a member with several values per object; their ranges are added to ``stored``."""
        ends = np.cumsum(each)
        edges = np.concatenate([[0], ends])
        first = np.concatenate([[0], np.cumsum(self.counts)])
        begin_of_event = np.repeat(edges[first[:-1]], self.counts)
        stored[f"{member}_begin"] = ends - each - begin_of_event
        stored[f"{member}_end"] = ends - begin_of_event
        return to.lists(edges[first[1:]] - edges[first[:-1]], content)


def forms(name: str, kind: Datatype) -> dict[str, Any]:
    """The types of the fields that :meth:`Collection.fields` gives."""
    found = {name: list_form(kind.data)}
    found |= {f"_{name}_{member}": list_form(of) for member, of in kind.vectors.items()}
    return found | {f"_{name}_{member}": list_form(OBJECT_ID) for member in (*kind.many, *kind.one)}


def list_form(kind: str) -> Any:
    """The type ``std::vector<kind>``."""
    return ak.forms.ListOffsetForm("i64", form(kind))


def form(kind: str) -> Any:
    """The Awkward form of a member's type: a dtype, dtype[n], string, or a class."""
    if kind in CLASSES:
        members = CLASSES[kind]
        return ak.forms.RecordForm(
            [form(of) for of in members.values()], list(members), parameters={"__record__": kind}
        )
    if kind == "string":
        characters = ak.forms.NumpyForm("uint8", parameters={"__array__": "char"})
        return ak.forms.ListOffsetForm("i64", characters, parameters={"__array__": "string"})
    dtype, bracket, size = kind.rstrip("]").partition("[")
    return ak.forms.RegularForm(ak.forms.NumpyForm(dtype), int(size)) if bracket else ak.forms.NumpyForm(kind)


def record(kind: str, values: Values, length: int) -> Any:
    """Objects of a class as an Awkward layout.

    :raises DataError: a number that the type of its member does not hold
    """
    members: Members = CLASSES[kind]
    contents = [_content(of, values[name], f"{kind}.{name}") for name, of in members.items()]
    return ak.contents.RecordArray(contents, list(members), length=length, parameters={"__record__": kind})


def _content(kind: str, values: Any, where: str) -> Any:
    if kind in CLASSES:
        values = _empty(kind) if values is None else values
        return record(kind, values, _length(values))
    if kind == "string":
        return to.layout(np.array(values, dtype=object))
    dtype, bracket, size = kind.rstrip("]").partition("[")
    array = np.zeros(0) if values is None else np.asarray(np.ma.filled(values, 0))
    narrow = ak.contents.NumpyArray(np.ascontiguousarray(_narrowed(array, np.dtype(dtype), where)).reshape(-1))
    return ak.contents.RegularArray(narrow, int(size), zeros_length=len(array)) if bracket else narrow


def _narrowed(values: Array, dtype: np.dtype[Any], where: str) -> Array:
    with np.errstate(over="ignore", invalid="ignore"):
        narrow: Array = values.astype(dtype)
    lost = narrow != values if dtype.kind in "iu" else np.isinf(narrow) & np.isfinite(values)
    if lost.any():
        raise DataError(f"{where}: the value {values[lost][0]} does not fit into EDM4hep's type {dtype}.")
    return narrow


def _empty(kind: str) -> dict[str, Any]:
    return {name: _empty(of) if of in CLASSES else np.zeros(0) for name, of in CLASSES[kind].items()}


def _length(values: Any) -> int:
    while isinstance(values, Mapping):
        values = next(iter(values.values()))
    return len(values)


def _object_ids(relation: Relation, ids: Mapping[str, int]) -> Any:
    there = relation.index >= 0
    index = np.where(there, relation.index, INVALID)
    return record(
        OBJECT_ID, {"index": index, "collectionID": np.where(there, ids.get(relation.target, 0), 0)}, len(index)
    )
