"""The kinds of steps, by the names that pipelines use."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from typing import TypeVar

from sqlamarr.errors import PackageError, PipelineError
from sqlamarr.registries import used
from sqlamarr.registries.entry import OURS, PROGRAM, Entry
from sqlamarr.registries.registry import Registry, described, refuse_clash, unusable
from sqlamarr.steps.protocol import Step
from sqlamarr.steps.workspace import Workspace
from sqlamarr.user_code.fresh_modules import keep_module

_NEEDED = ("SCHEMA", "from_options", "name", "tables", "prepare")
_OURS = "sqlamarr.steps.kinds"

_T = TypeVar("_T", bound=type)


def _writes_rows(_step: Step, _workspace: Workspace) -> bool:
    """Return True: a kind that does not define this may use statements of its own."""
    return True


def _source(step: Step, _folder: Path) -> Path | None:
    """Return the file of a kind of step that is not part of sqlamarr."""
    own = type(step).__module__.split(".")[0] == __name__.split(".")[0]
    file = None if own else inspect.getsourcefile(type(step))
    return Path(file) if file else None


def _random_names(step: Step) -> tuple[str, ...]:
    return (step.name,)


def _explain(_step: Step) -> list[str]:
    return []


_DEFAULTS = {"writes_rows": _writes_rows, "source": _source, "random_names": _random_names, "explain": _explain}


def complete(cls: type) -> None:
    """Add the members of :class:`~sqlamarr.steps.protocol.Step` that a kind of step may leave out."""
    for name, default in _DEFAULTS.items():
        if not hasattr(cls, name):
            setattr(cls, name, default)


def _check(found: object) -> type[Step]:
    if not isinstance(found, type):
        raise TypeError(f"expected a step class (sqlamarr.steps.protocol.Step), found {described(found)}")
    # Fields of a dataclass without a default are not attributes of the class.
    missing = [name for name in _NEEDED if not hasattr(found, name) and name not in _fields(found)]
    if missing:
        raise TypeError(
            f"expected a step class (sqlamarr.steps.protocol.Step); {found.__qualname__} has no {', '.join(missing)}"
        )
    complete(found)
    return found


def _fields(cls: type) -> set[str]:
    return {name for base in cls.__mro__ for name in inspect.get_annotations(base)}


class Kinds(Registry[type[Step]]):
    """Kinds of steps, which are classes. A module of sqlamarr or of an entry point registers them on import."""

    def __init__(self) -> None:
        super().__init__("steps", "kind of step", check=_check, package=_OURS, error=PipelineError)
        self._registered: dict[str, list[Entry]] = {}
        self._importing: Entry | None = None
        self._broken: dict[Entry, PackageError] = {}
        self._imported_modules: set[Entry] = set()
        self._brought: set[Entry] = set()  # entry points whose import has registered something

    def register(self, name: str, entry: object) -> None:
        """Register a class as a kind of step; see :func:`register`."""
        cls = _check(entry)
        ours = cls.__module__.startswith(f"{_OURS}.")
        if name in self._ours() and not ours:
            raise PackageError(
                f"The kind of step {name!r} is part of sqlamarr itself. Register {cls.__module__}.{cls.__qualname__} "
                "under another name."
            )
        owner = None if ours else self._owner(cls.__module__)
        origin = OURS if ours else owner.origin if owner else PROGRAM
        new = Entry(self.group, name, origin, f"{cls.__module__}:{cls.__qualname__}", lambda: cls)
        others = [old for old in self._registered.get(name, []) if old.origin != origin]
        self._registered[name] = [*others, new]
        self._loaded.pop(new, None)

    def _owner(self, module: str) -> Entry | None:
        """Return the entry point of a class: the one being imported, or one of its module or of a package above it."""
        if self._importing is not None:
            self._brought.add(self._importing)
            return self._importing
        return next((e for e in self.foreign() if f"{module}.".startswith(f"{e.place.partition(':')[0]}.")), None)

    def candidates(self, name: str) -> list[Entry]:
        """Return everything with this name. Modules of packages are imported only if nothing else has the name."""
        found = self._candidates(name)
        if not found:
            for entry in self._modules():
                self._import(entry)
            found = self._candidates(name)
        return found

    def _candidates(self, name: str) -> list[Entry]:
        own = self._ours()
        if name in own:
            import_module(own[name].place)
        objects = []
        for entry in self.foreign():
            if entry.name == name:
                if ":" in entry.place:
                    objects.append(entry)
                else:
                    self._import(entry)
        registered = self._registered.get(name, [])
        if name in own:  # registered during the import
            mine = [e for e in registered if e.place.startswith(f"{own[name].place}:")]
            return [Entry(self.group, name, own[name].origin, mine[0].place, mine[0].load), *objects]
        return [*registered, *objects]

    def _modules(self) -> list[Entry]:
        return [entry for entry in self.foreign() if ":" not in entry.place]

    def _import(self, entry: Entry) -> None:
        """Import the module of an entry point, so that it registers its kinds; remember it if it is broken."""
        if entry in self._imported_modules:
            return
        self._imported_modules.add(entry)
        try:
            with self._as(entry):
                import_module(entry.place)
        except (Exception, SystemExit) as error:
            self._broken[entry] = PackageError(unusable(self.noun, entry, error))
            return
        if not self._registers(entry):
            reason = TypeError("expected a module that registers a kind of step, found a module that registers none")
            self._broken[entry] = PackageError(unusable(self.noun, entry, reason))

    @contextmanager
    def _as(self, entry: Entry) -> Iterator[None]:
        before, self._importing = self._importing, entry
        try:
            yield
        finally:
            self._importing = before

    def _registers(self, entry: Entry) -> bool:
        """Return whether the module of an entry point has registered a kind, now or when the program imported it."""
        kinds = (kind.place for kinds in self._registered.values() for kind in kinds)
        return entry in self._brought or any(f"{p.partition(':')[0]}.".startswith(f"{entry.place}.") for p in kinds)

    def _unusable(self) -> dict[Entry, PackageError]:
        """Return the modules of packages that failed to import."""
        return {entry: self._broken[entry] for entry in self._modules() if entry in self._broken}

    def get(self, name: str, *, place: str = "") -> type[Step]:
        """Return the kind with this name; see :meth:`~sqlamarr.registries.registry.Registry.get`."""
        found = self.candidates(name)
        if not found:
            broken = self._unusable()
            if named := [str(error) for entry, error in broken.items() if entry.name == name]:
                raise PackageError(f"{place}{named[0]}")
            raise PipelineError(" ".join([self.unknown(name, place), *map(str, broken.values())]))
        refuse_clash(self.noun, found)
        used.note(found[0])
        return self.load(found[0])

    def names(self) -> list[str]:
        """Return all names that are known without an import, and those that were registered."""
        objects = [entry.name for entry in self.foreign() if ":" in entry.place]
        return sorted({*self._ours(), *objects, *(name for name, kinds in self._registered.items() if kinds)})

    def own(self) -> Iterator[tuple[str, type[Step]]]:
        """Return the kinds of steps of sqlamarr itself, imported."""
        for name in self.ours():
            yield name, self.load(self._candidates(name)[0])

    def others(self) -> Iterator[tuple[Entry, type[Step] | PackageError]]:
        """Return the kinds of the program and of installed packages; a broken one is represented by its error."""
        for entry in self._modules():
            self._import(entry)
        yield from self._unusable().items()
        registered = [e for kinds in self._registered.values() for e in kinds if not e.place.startswith(f"{_OURS}.")]
        for entry in [*registered, *(e for e in self.foreign() if ":" in e.place)]:
            try:
                refuse_clash(self.noun, self.candidates(entry.name))
                yield entry, self.load(entry)
            except PackageError as error:
                yield entry, error

    def forget(self, name: str) -> None:
        """Remove the kind that the program registered under a name."""
        self._registered.pop(name, None)


KINDS = Kinds()


def register(kind: str) -> Callable[[_T], _T]:
    """Register a kind of step, as a class decorator, under the name that pipelines use.

    If the program registers the same name again, the last class counts.

    :raises PackageError: the name belongs to sqlamarr itself, or the class lacks a member of a step
    """

    def add(cls: _T) -> _T:
        KINDS.register(kind, cls)
        # Pipelines hold steps of this class, which are sent to workers by the name of their module.
        keep_module(cls.__module__)
        return cls

    return add
