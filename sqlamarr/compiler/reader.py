"""What a front end of the compiler is, and the front ends by name."""

from __future__ import annotations

from abc import ABC, abstractmethod
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from sqlamarr.compiler.function import ModelSource
from sqlamarr.errors import CompilerError
from sqlamarr.registries.registry import Registry, instance_of


class Reader(ABC):
    """A front end: derive from it, and name an object of your class ``reader``.

    :cvar SUFFIXES: ends of the names of files that it reads
    """

    SUFFIXES: ClassVar[tuple[str, ...]]

    @abstractmethod
    def read(self, path: Path, method: str | None, dtype: np.dtype[Any], noise: int | str | None) -> ModelSource:
        """A function from a file.

        :param method: what of the model to call; None: what a model of its kind is for
        :param dtype: the type in which the weights of networks are kept
        :param noise: what takes random numbers, where the file does not tell; None: nobody said
        :raises CompilerError: the file is none, or has something in it that cannot be compiled
        """


READERS: Registry[Reader] = Registry(
    "",
    "front end of the compiler",
    package="sqlamarr.compiler.readers",
    attribute="reader",
    check=instance_of(Reader),
    error=CompilerError,
)
