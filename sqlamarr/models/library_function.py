"""Code shared by functions of shared libraries, whether they take rows or whole events."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from abc import ABC, abstractmethod
from collections.abc import Sequence
from pathlib import Path
from typing import Any, ClassVar, Generic, TypeVar

import numpy as np
from numpy.typing import NDArray

from sqlamarr.errors import ModelError
from sqlamarr.models.base import Floats
from sqlamarr.native.library import check, ffi, lib, native_folder, text

ANSWER = "sqlamarr-probe:"  # prefix of the line that a trial call in a child process prints

SizesT = TypeVar("SizesT")


class LibraryFunction(ABC, Generic[SizesT]):
    """One function of a shared library, which may describe itself.

    :param path: the library
    :param function: name of the function, as the pipeline has it
    :raises ModelError: the library cannot be loaded, or has no such function
    :cvar KIND: prefix of the names of the native calls
    :cvar OUTPUTS: index of the outputs among its lists of names; the first list is that of the inputs
    :cvar SUFFIX: suffix of the name of the C function
    """

    KIND: ClassVar[str]
    OUTPUTS: ClassVar[int]
    SUFFIX: ClassVar[str] = ""

    def __init__(self, path: Path, function: str) -> None:
        self.path, self.function = path, function
        out = ffi.new(f"{self.KIND} **")
        check(self._native("open")(os.fsencode(path), function.encode(), out))
        self._handle = ffi.gc(out[0], self._native("free"))
        self._tried = False

    def __str__(self) -> str:
        return f"function '{self.function}{self.SUFFIX}' of {self.path.name}"

    def _native(self, name: str) -> Any:
        return getattr(lib, f"{self.KIND}_{name}")

    @property
    @abstractmethod
    def declared(self) -> SizesT | None:
        """The sizes that the library itself declares, if any."""

    @abstractmethod
    def _probe(self, sizes: SizesT, *limits: Any) -> None:
        """Try in a child process whether a function that declares no sizes has these.

        :raises ModelError: the sizes differ. This is safe: the child process takes the damage
        """

    @property
    def input_names(self) -> list[str] | None:
        """Names of the inputs of a row in their order, if the library has them."""
        return self._names(0, self.declared.inputs) if self.declared else None  # type: ignore[attr-defined]

    @property
    def output_names(self) -> list[str] | None:
        """Names of the outputs in their order, if the library has them."""
        return self._names(self.OUTPUTS, self.declared.outputs) if self.declared else None  # type: ignore[attr-defined]

    @property
    def origin(self) -> str | None:
        """The origin of the model, as the model itself describes it."""
        return text(self._native("origin")(self._handle))

    def _names(self, which: int, count: int) -> list[str] | None:
        names = [text(self._native("name")(self._handle, which, i)) for i in range(count)]
        return None if any(name is None for name in names) else [str(name) for name in names]

    def _verify(self, sizes: SizesT, *limits: Any) -> None:
        declared = self.declared
        if declared is None:
            self._probe(sizes, *limits)
        elif declared != sizes:
            raise ModelError(f"{self}: the pipeline expects {sizes}, but the library declares {declared}.")

    def outside(self, inputs: Floats) -> NDArray[np.int64]:
        """Count the rows outside the range that the library declares, per input; 0 if it declares none."""
        counts = np.zeros(inputs.shape[1], dtype=np.int64)
        inputs = np.ascontiguousarray(inputs, dtype=np.float32)
        c_counts = ffi.from_buffer("int64_t[]", counts)
        check(self._native("outside")(self._handle, *inputs.shape, as_pointer(inputs), c_counts))
        return counts

    def _trial_call(self, arguments: Sequence[str | int], sizes: SizesT) -> list[int]:
        """Call a function that does not declare its sizes once, in a child process, which may crash.

        :param arguments: arguments of ``python -m sqlamarr.models.probe LIBRARY``
        :returns: the numbers that the probe prints
        :raises ModelError: the call crashed, failed or did not end
        """
        command = [sys.executable, "-m", "sqlamarr.models.probe", str(self.path.absolute()), *map(str, arguments)]
        # Run in the folder that holds this package: the current one may contain something else called sqlamarr.
        folder = native_folder().parent.parent
        try:
            child = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False, cwd=folder)
        except subprocess.TimeoutExpired as error:
            raise ModelError(f"{self}: the trial call did not end within a minute.") from error
        if child.returncode < 0:
            name = signal.Signals(-child.returncode).name
            raise ModelError(
                f"{self}: a trial call in a child process ended with {name}. "
                f"It does not work with {sizes}. Correct inputs, outputs and noise in the pipeline."
            )
        if child.returncode:
            raise ModelError(f"{self}: the trial call failed: {child.stderr.strip()[-500:]}")
        (answer,) = (line for line in child.stdout.splitlines() if line.startswith(ANSWER))
        return [int(word) for word in answer.removeprefix(ANSWER).split()]


def as_pointer(array: NDArray[Any]) -> Any:
    """Return a float32 array as a C pointer."""
    return ffi.from_buffer("float[]", array)
