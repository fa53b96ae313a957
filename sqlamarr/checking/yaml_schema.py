"""Checks of YAML against JSON schemas, with helpful error messages."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from functools import lru_cache
from typing import Any

from sqlamarr.errors import SqlamarrError

#: Numbers with an exponent as in YAML 1.2; the YAML package follows YAML 1.1, where 10e3 is a string.
_EXPONENT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)[eE][-+]?[0-9]+$")


def validate(
    content: Any, schema: Mapping[str, Any], file: str, place: str, kind: type[SqlamarrError] = SqlamarrError
) -> None:
    """Check content against a JSON schema.

    :param file: the file that it comes from, for the message
    :param place: its place in the file, for the message; empty: the top level
    :param kind: the exception to raise
    :raises SqlamarrError: ``kind``, about the first deviation; misspelt keys come before missing ones
    """
    import jsonschema

    for error in _by_weight(jsonschema.Draft202012Validator(schema).iter_errors(content)):
        error, expected = _of_alternative(error)
        path = [*([place] if place else []), *map(str, error.absolute_path)]
        raise kind(f"{file}: {'.'.join(path) or 'top level'}: {_explain(error)}{expected}")


def _by_weight(errors: Iterable[Any]) -> list[Any]:
    """Sort errors, with misspelt keys first."""
    return sorted(errors, key=lambda e: (e.validator != "additionalProperties", list(map(str, e.absolute_path))))


def _of_alternative(error: Any) -> tuple[Any, str]:
    """If no alternative fits, pick the error of the one of the right type, if any, and say what is expected."""
    if error.validator != "oneOf" or "description" not in error.schema:
        return error, ""
    alternatives: dict[int, list[Any]] = {}
    for below in error.context:
        alternatives.setdefault(below.schema_path[0], []).append(below)
    for errors in alternatives.values():
        if not any(below.validator in ("type", "enum") and not below.path for below in errors):
            return _by_weight(errors)[0], f" {error.absolute_path[-1]!r} is: {error.schema['description']}"
    return error, ""


def with_integers(content: Any, schema: Mapping[str, Any]) -> Any:
    """Convert whole numbers in validated content to integers where the schema asks for these, such as 1e6 events."""
    if isinstance(content, float) and schema.get("type") == "integer":
        return int(content)
    if isinstance(content, Mapping):
        known = schema.get("properties", {})
        return {key: with_integers(value, known.get(key, {})) for key, value in content.items()}
    if isinstance(content, list):
        return [with_integers(value, schema.get("items", {})) for value in content]
    return content


def read_yaml(text: str | bytes, file: str, kind: type[SqlamarrError] = SqlamarrError, hint: str = "") -> Any:
    """Read the content of a YAML file.

    :param hint: advice for the end of the message
    :raises SqlamarrError: ``kind``, with the place where the YAML is invalid, or where a key is repeated
    """
    import yaml

    try:
        loader, node = _parsed(text)
        for key, first in _repeated_keys(node):
            raise kind(
                f"{file}, line {key.start_mark.line + 1}: the key {key.value!r} was already used in line "
                f"{first.start_mark.line + 1}; one of the two would be lost. Join them, or rename one."
            )
        return None if node is None else loader.construct_document(node)
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise kind(f"{file} is not valid YAML{_fault(error)}.{hint}") from error


def _parsed(text: bytes | str) -> tuple[Any, Any]:
    """Return a loader and its document. The loader in C is ten times as fast; the other has better error messages."""
    import yaml

    if hasattr(yaml, "CSafeLoader"):
        with suppress(yaml.YAMLError, UnicodeDecodeError):
            loader = _loader(yaml.CSafeLoader)(text)
            return loader, loader.get_single_node()
    loader = _loader(yaml.SafeLoader)(text)
    return loader, loader.get_single_node()


@lru_cache(maxsize=2)
def _loader(base: Any) -> Any:
    """Extend one of the YAML package's safe loaders so that 10e3 is a number."""

    class Loader(base):  # type: ignore[misc]
        pass

    Loader.add_implicit_resolver("tag:yaml.org,2002:float", _EXPONENT, list("-+.0123456789"))
    return Loader


def _fault(error: Exception) -> str:
    """The message of a YAML error, without the placeholder for the name of a file."""
    mark, problem = getattr(error, "problem_mark", None), getattr(error, "problem", None)
    if mark is None:
        text = " ".join(str(error).split())
        return ": " + text.replace('in "<byte string>", ', "").replace('in "<unicode string>", ', "")
    context, begin = getattr(error, "context", None), getattr(error, "context_mark", None)
    begun = f" (started in line {begin.line + 1})" if begin is not None and begin.line != mark.line else ""
    what = f"{context}{begun}, {problem}" if context else problem
    return f", line {mark.line + 1}, column {mark.column + 1}: {what}"


def _repeated_keys(document: Any) -> Iterator[tuple[Any, Any]]:
    """Yield repeated keys of mappings, each with the first one; the YAML package would silently use the last."""
    import yaml

    nodes, seen = [document], set()
    while nodes:
        node = nodes.pop()
        if id(node) in seen:  # an alias
            continue
        seen.add(id(node))
        if isinstance(node, yaml.SequenceNode):
            nodes += node.value
        elif isinstance(node, yaml.MappingNode):
            first: dict[tuple[str, str], Any] = {}
            for key, value in node.value:
                nodes.append(value)
                if isinstance(key, yaml.ScalarNode) and key.value != "<<":
                    known = first.setdefault((key.tag, key.value), key)
                    if known is not key:
                        yield key, known


def suggest(name: str, known: Iterable[str]) -> str:
    """End a sentence about an unknown name: with a full stop, or with the known name that was probably meant."""
    close = difflib.get_close_matches(name, list(known), n=1)
    return f". Did you mean {close[0]!r}?" if close else "."


def _explain(error: Any) -> str:
    if error.validator == "additionalProperties":
        known = list(error.schema.get("properties", {}))
        unknown = sorted(map(str, set(error.instance) - set(known)))[0]
        return f"unknown key {unknown!r}; known are: {', '.join(known)}{suggest(unknown, known)}"
    if error.validator == "required":
        missing = [name for name in error.validator_value if name not in error.instance]
        return f"missing {', '.join(missing)}."
    if error.validator == "oneOf" and "description" in error.schema:
        return f"found {error.instance!r}. It is: {error.schema['description']}"
    if error.validator == "dependentRequired":
        pairs = ((name, other) for name, needed in error.validator_value.items() for other in needed)
        name, other = next((n, o) for n, o in pairs if n in error.instance and o not in error.instance)
        return f"{name!r} also needs {other!r}."
    if error.validator in ("type", "minProperties", "maxProperties") and "description" in error.schema:
        return f"{error.message}. It is: {error.schema['description']}"
    return f"{error.message}."
