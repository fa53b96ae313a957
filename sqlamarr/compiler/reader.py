"""The interface of a front end of the compiler, and the front ends by name."""

from __future__ import annotations

from abc import ABC, abstractmethod
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from sqlamarr.compiler.function import ModelSource
from sqlamarr.errors import CompilerError
from sqlamarr.registries.registry import Registry, instance_of


class Reader(ABC):
    """A front end. To add one, derive from this class and name an object of your class ``reader``.

    :cvar SUFFIXES: suffixes of the files that it reads
    """

    SUFFIXES: ClassVar[tuple[str, ...]]

    @abstractmethod
    def read(self, path: Path, method: str | None, dtype: np.dtype[Any], noise: int | str | None) -> ModelSource:
        """Read a function from a file.

        :param method: the method of the model to call; None: the main method of such a model
        :param dtype: the type in which the weights of networks are kept
        :param noise: the input that takes random numbers, if the file does not show it; None: not given
        :raises CompilerError: the file is not readable, or contains something that cannot be compiled
        """


READERS: Registry[Reader] = Registry(
    "",
    "front end of the compiler",
    package="sqlamarr.compiler.readers",
    attribute="reader",
    check=instance_of(Reader),
    error=CompilerError,
)
