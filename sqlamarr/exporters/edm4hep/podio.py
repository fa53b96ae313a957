"""Podio's metadata of a file: types and numbers of the collections, versions, parameters."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import awkward as ak
import numpy as np

from sqlamarr.exporters.edm4hep.collection import form, list_form, record
from sqlamarr.exporters.edm4hep.model import PODIO_VERSION, VERSION, Datatype
from sqlamarr.native.columns import Array
from sqlamarr.output.tables import awkward_arrays as to

CATEGORIES = ("events", "metadata")
_INFO = "podio::root_utils::CollectionWriteInfo"
_KINDS = {"Int": "int32", "Float": "float32", "Double": "float64", "String": "string"}  # of generic parameters


def collection_ids(kinds: Mapping[str, Datatype]) -> dict[str, int]:
    """A number for every collection; podio uses the numbers in the file."""
    return {name: number for number, name in enumerate(sorted(kinds, key=str.lower), start=1)}


def parameter_forms() -> dict[str, Any]:
    """The fields of podio's generic parameters."""
    found = {}
    for kind, dtype in _KINDS.items():
        found[f"GP{kind}Keys"] = list_form("string")
        found[f"GP{kind}Values"] = ak.forms.ListOffsetForm("i64", list_form(dtype))
    return found


def parameters(values: Mapping[str, str | float], entries: int = 1) -> dict[str, Any]:
    """Generic parameters, the same in every entry: texts and floats."""
    kinds: dict[str, dict[str, str | float]] = {kind: {} for kind in _KINDS}
    for key, value in values.items():
        kinds["String" if isinstance(value, str) else "Double"][key] = value
    found = {}
    for kind, own in kinds.items():
        each = np.full(entries, len(own))
        content = _flat(list(own.values()) * entries, _KINDS[kind])
        found[f"GP{kind}Keys"] = to.lists(each, _flat(list(own) * entries, "string"))
        found[f"GP{kind}Values"] = to.lists(each, to.lists(np.ones(len(own) * entries, dtype=np.int64), content))
    return found


def metadata_forms(kinds: Mapping[str, Datatype]) -> dict[str, Any]:
    """The fields of the ntuple ``podio_metadata``."""
    text = form("string")
    return {
        "PodioBuildVersion": list_form("uint16"),
        "edm4hep___Version": list_form("uint16"),
        "EDMDefinitions": ak.forms.ListOffsetForm("i64", ak.forms.RecordForm([text, text], None)),
        "availableCategories": list_form("string"),
        **{f"{category}___CollectionTypeInfo": list_form(_INFO) for category in CATEGORIES},
    }


def metadata(kinds: Mapping[str, Datatype], ids: Mapping[str, int]) -> dict[str, Any]:
    """The one entry of ``podio_metadata``; the definition of the data model is left empty."""
    definition = ak.contents.RecordArray([_flat(["edm4hep"], "string"), _flat(["{}"], "string")], None)
    info = {"events": {name: kinds[name] for name in sorted(kinds, key=str.lower)}, "metadata": {}}
    return {
        "PodioBuildVersion": _one(_flat(list(PODIO_VERSION), "uint16"), 3),
        "edm4hep___Version": _one(_flat(list(VERSION), "uint16"), 3),
        "EDMDefinitions": _one(definition, 1),
        "availableCategories": _one(_flat(list(CATEGORIES), "string"), len(CATEGORIES)),
        **{f"{name}___CollectionTypeInfo": _one(_info(own, ids), len(own)) for name, own in info.items()},
    }


def _info(kinds: Mapping[str, Datatype], ids: Mapping[str, int]) -> Any:
    values: dict[str, Any] = {
        "collectionID": np.array([ids[name] for name in kinds], dtype=np.uint32),
        "dataType": [kind.collection for kind in kinds.values()],
        "isSubset": np.zeros(len(kinds), dtype=bool),
        "schemaVersion": np.array([kind.schema_version for kind in kinds.values()], dtype=np.uint32),
        "name": list(kinds),
        "storageType": [f"std::vector<{kind.data}>" for kind in kinds.values()],
    }
    return record(_INFO, values, len(kinds))


def _flat(values: list[Any], kind: str) -> Any:
    if kind == "string":
        return to.layout(_texts(values))
    return ak.contents.NumpyArray(np.array(values, dtype=kind))


def _texts(values: list[str]) -> Array:
    return np.array(values, dtype=object)


def _one(content: Any, length: int) -> Any:
    return to.lists(np.array([length]), content)
