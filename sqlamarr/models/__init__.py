"""Models that stand in a pipeline: functions from rows of numbers to rows of numbers.

A new kind is a new file here with a class that is a :class:`Model`, and its key in
:mod:`sqlamarr.models.entry`.
"""

from sqlamarr.models.base import Description, Floats, Model, Sizes
from sqlamarr.models.compiled import CompiledModel
from sqlamarr.models.entry import ModelFile, find
from sqlamarr.models.files import sha256
from sqlamarr.models.noise import RowNoise

__all__ = ["CompiledModel", "Description", "Floats", "Model", "ModelFile", "RowNoise", "Sizes", "find", "sha256"]
