"""The kinds of steps by the names that pipelines use."""

from __future__ import annotations

import importlib
import inspect
import pkgutil
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from sqlamarr.steps import kinds
from sqlamarr.steps.protocol import Step
from sqlamarr.steps.workspace import Workspace
from sqlamarr.user_code.fresh_modules import keep

KINDS: dict[str, type[Step]] = {}

_T = TypeVar("_T", bound=type)


def _writes_rows(_step: Step, _workspace: Workspace) -> bool:
    """A kind that does not say may use statements of its own."""
    return True


def _source(step: Step, _folder: Path) -> Path | None:
    """The file of a kind of step that is not ours."""
    own = type(step).__module__.split(".")[0] == __name__.split(".")[0]
    file = None if own else inspect.getsourcefile(type(step))
    return Path(file) if file else None


def _random_names(step: Step) -> tuple[str, ...]:
    return (step.name,)


def _explain(_step: Step) -> list[str]:
    return []


_DEFAULTS = {"writes_rows": _writes_rows, "source": _source, "random_names": _random_names, "explain": _explain}


def register(kind: str) -> Callable[[_T], _T]:
    """Class decorator: make a kind of step known under the name that pipelines use."""

    def add(cls: _T) -> _T:
        for name, default in _DEFAULTS.items():
            if not hasattr(cls, name):
                setattr(cls, name, default)
        KINDS[kind] = cls
        keep(cls.__module__)  # pipelines hold steps of this class, which travel to workers by their module's name
        return cls

    return add


def load_kinds() -> None:
    """Import the kinds of steps that come with the package."""
    for module in pkgutil.iter_modules(kinds.__path__):
        importlib.import_module(f"{kinds.__name__}.{module.name}")
