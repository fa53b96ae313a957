"""Which output of a model is which column of its step."""

from __future__ import annotations

import re
from collections.abc import Sequence

from sqlamarr.errors import PipelineError
from sqlamarr.models import Floats

_NUMBERED = re.compile(r"(.*?)(\d+|False|True)")
_TRUTH = {"False": "0", "True": "1"}  # classes of a yes or no


class OutputOrder:
    """The outputs of a step among those of its model: by name where the model has names, else by their order.

    One output is what it is under any name, and names that only count (``y0``, ``y1``) say no more than their order.

    :param step: name of the step, for messages
    :param outputs: the step's names of the outputs
    :param names: the model's, if it has any
    :param model: what messages call it
    :raises PipelineError: the two name different things
    """

    def __init__(self, step: str, outputs: Sequence[str], names: Sequence[str] | None, model: object) -> None:
        self._order: list[int] | None = None
        if names is None or list(names) == list(outputs) or len(names) == len(outputs) == 1 or _only_count(names):
            return
        if sorted(names) != sorted(outputs):
            raise PipelineError(
                f"Step {step!r}: outputs are {', '.join(outputs)}, where {model} gives {', '.join(names)}. Name "
                "them in the step as the model does, in any order, or in the model as the step does (sqlamarr compile "
                "--outputs FUNCTION=NAME,...)."
            )
        self._order = [list(names).index(name) for name in outputs]

    def __call__(self, answers: Floats) -> Floats:
        """A model's answers (rows, outputs) with their columns in the step's order."""
        return answers if self._order is None else answers[:, self._order]


def _only_count(names: Sequence[str]) -> bool:
    """Whether the names are one word, or none, with ascending numbers (or False and True) behind it."""
    found = [_NUMBERED.fullmatch(name) for name in names]
    words = {match[1] for match in found if match}
    numbers = [int(_TRUTH.get(match[2], match[2])) for match in found if match]
    return len(numbers) == len(names) and len(words) == 1 and numbers in [[*range(i, len(names) + i)] for i in (0, 1)]


def refuse_twice(step: str, table: str, columns: Sequence[str]) -> None:
    """Raise a PipelineError if a step would give its table two columns of one name."""
    seen: set[str] = set()
    for name in columns:
        if name.casefold() in seen:
            raise PipelineError(
                f"Step {step!r}: table {table!r} would have two columns {name!r} ({', '.join(columns)}). Give every "
                "output a name of its own, which is none of the key's."
            )
        seen.add(name.casefold())
