"""Features that uproot's public writing interface lacks: titles of branches, C++ class names in RNTuples."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import uproot
import uproot.writing._cascadentuple
import uproot.writing._cascadetree

from sqlamarr.errors import SqlamarrError

_COMPRESSIONS = {"zstd": (uproot.ZSTD, 5), "lz4": (uproot.LZ4, 4), "zlib": (uproot.ZLIB, 1), "lzma": (uproot.LZMA, 5)}
_one_at_a_time = threading.Lock()


def compression(text: str) -> Any:
    """uproot's compression from ``zstd``, ``lz4:9``, ``none`` ...

    :raises SqlamarrError: the name is unknown, or the level is not a number from 1 to 22
    """
    name, colon, level = text.lower().partition(":")
    if name == "none" and not colon:
        return None
    if name not in _COMPRESSIONS or (colon and not (level.isdigit() and 1 <= int(level) <= 22)):
        raise SqlamarrError(
            f"Unknown compression {text!r}; expected {', '.join(_COMPRESSIONS)} or none, "
            "optionally with a level (zstd:9)."
        )
    kind, usual = _COMPRESSIONS[name]
    return kind(int(level) if colon else usual)


@contextmanager
def branch_titles(titles: Mapping[str, str]) -> Iterator[None]:
    """A context in which new trees get these titles of branches; other branches keep ROOT's leaf list."""
    tree = uproot.writing._cascadetree.Tree
    usual = tree._branch_np

    def titled(self: Any, branch_name: str, *arguments: Any, **options: Any) -> Any:
        branch = usual(self, branch_name, *arguments, **options)
        branch["fTitle"] = titles.get(branch_name) or branch["fTitle"]
        return branch

    with _one_at_a_time:
        tree._branch_np = titled
        try:
            yield
        finally:
            tree._branch_np = usual


@contextmanager
def class_names() -> Iterator[None]:
    """A context in which new RNTuples name the C++ class of a record by the form's ``__record__``.

    ROOT can then read them into objects of that class. Without a name, it cannot read them at all.
    """
    module = uproot.writing._cascadentuple
    usual = module._cpp_typename

    def named(form: Any, subcall: bool = False) -> Any:
        return form.parameters.get("__record__") or usual(form, subcall)

    with _one_at_a_time:
        module._cpp_typename = named
        try:
            yield
        finally:
            module._cpp_typename = usual
