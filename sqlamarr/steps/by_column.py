"""The option ``by`` of a step with a model: a column of the query chooses the function of each row."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sqlamarr.errors import EventError, PipelineError
from sqlamarr.events.event import ROWS_PER_EVENT
from sqlamarr.native.columns import INT64, TEXT, Columns

Value = int | str

#: JSON schema of the option.
SCHEMA: Mapping[str, Any] = {
    "type": "object",
    "minProperties": 1,
    "maxProperties": 1,
    "description": "Column of the query that chooses the function of each row: {COLUMN: [WORD, ...]}, or "
    "{COLUMN: {VALUE: WORD, ...}} if its values are not the words. Write {COLUMN} in 'function', 'model' and "
    "'random' where the word goes.",
    "additionalProperties": {
        "oneOf": [
            {"type": "array", "items": {"type": ["string", "integer"]}, "minItems": 1, "uniqueItems": True},
            {"type": "object", "additionalProperties": {"type": "string"}, "minProperties": 1},
        ],
        "description": "A list of the column's values, which are also the words, or {VALUE: WORD, ...}.",
    },
}

#: JSON schema of the option ``models``, which is used together with ``by``.
MODELS_SCHEMA: Mapping[str, Any] = {
    "type": "object",
    "additionalProperties": {"type": "string"},
    "description": "With 'by': {WORD: MODEL, ...} for the words whose function is in a model other than 'model'.",
}

_PLACEHOLDER = re.compile(r"\{(\w+)\}")


@dataclass(frozen=True)
class Choice:
    """One of the functions of a step, and the rows that it is evaluated on.

    :ivar word: the pipeline's word for these rows; empty if they are all rows
    :ivar values: the values of the column in these rows
    :ivar random: name of the function's random numbers
    """

    word: str
    values: tuple[Value, ...]
    model: str
    function: str
    random: str


@dataclass(frozen=True)
class ByColumn:
    """The words that stand for the values of a column.

    :ivar step: name of the step, for messages
    """

    step: str
    column: str
    words: Mapping[Value, str]

    @classmethod
    def of(cls, step: str, option: Mapping[str, Sequence[Value] | Mapping[Any, str]]) -> ByColumn:
        """Make one from the option of a pipeline file, validated.

        :raises PipelineError: the values are neither all integers nor all text
        """
        ((column, given),) = option.items()
        words = dict(given) if isinstance(given, Mapping) else {value: str(value) for value in given}
        kinds = {type(value) for value in words}
        if kinds not in ({int}, {str}):
            listed = ", ".join(repr(value) for value in words)
            raise PipelineError(
                f"Step {step!r}: by.{column} has the values {listed}; expected all integers or all text. "
                "In YAML, put quotes around numbers that are meant as text, and around on, off, yes, no and null."
            )
        return cls(step, column, words)

    @property
    def type(self) -> int:
        """Transfer type of the column, as :meth:`sqlamarr.Database.columns` takes it."""
        return INT64 if isinstance(next(iter(self.words)), int) else TEXT

    def refuse_text_in_key(self, key: Sequence[str]) -> None:
        """Raise a PipelineError if the values are text but the column is part of the key, which holds integers."""
        if self.type == TEXT and self.column in key:
            raise PipelineError(
                f"Step {self.step!r}: the values of by.{self.column} are text, but {self.column} is part of the key, "
                "whose columns are integers. Give integers, as in by: {COLUMN: {VALUE: WORD, ...}}."
            )

    def choices(self, model: str, models: Mapping[str, str], function: str, random: str | None) -> list[Choice]:
        """Return the functions, in the order of the option.

        :param model: name of their model, which may contain the placeholder
        :param models: other models, by word
        :param function: name of the function, which may contain the placeholder
        :param random: name of the random numbers, which must contain it; None: the step's name and the word
        :raises PipelineError: a placeholder is unknown, or every word would have the same function
        """
        names = {"model": model, "function": function, "random": random or f"{self.step}_{{{self.column}}}"}
        for option, text in names.items():
            self._refuse_unknown_placeholder(option, text)
        words = list(dict.fromkeys(self.words.values()))
        if unknown := [word for word in models if word not in words]:
            raise PipelineError(
                f"Step {self.step!r}: models has an entry for {unknown[0]!r}, which is not among the words of "
                f"by.{self.column}: {', '.join(words)}."
            )
        if not models and not any(self._holds(names[option]) for option in ("model", "function")):
            raise PipelineError(
                f"Step {self.step!r}: by.{self.column} has no effect. Put {{{self.column}}} into 'function' or "
                "'model' where the word goes, or leave 'by' out."
            )
        if not self._holds(names["random"]):
            raise PipelineError(
                f"Step {self.step!r}: all functions would share the random numbers {random!r}. Put {{{self.column}}} "
                "into 'random' where the word goes."
            )
        return [self._choice(word, {**names, **({"model": models[word]} if word in models else {})}) for word in words]

    def _choice(self, word: str, names: Mapping[str, str]) -> Choice:
        values = tuple(value for value, its_word in self.words.items() if its_word == word)
        filled = {option: text.replace(f"{{{self.column}}}", word) for option, text in names.items()}
        return Choice(word, values, **filled)

    def _holds(self, text: str) -> bool:
        return f"{{{self.column}}}" in text

    def _refuse_unknown_placeholder(self, option: str, text: str) -> None:
        for name in _PLACEHOLDER.findall(text):
            if name != self.column:
                raise PipelineError(
                    f"Step {self.step!r}: {option} {text!r} has the placeholder {{{name}}}; expected "
                    f"{{{self.column}}}, the column of 'by'."
                )

    def groups(self, choices: Sequence[Choice], rows: Columns, key: str, template: str) -> Iterator[NDArray[np.int64]]:
        """Yield the positions of each choice's rows, in their order; a choice may have none.

        :param key: column with the id of the rows, for the message
        :param template: where the rows come from, for the message
        :raises EventError: a row has a value that is not among those of the choices, or NULL
        """
        values = rows[self.column]
        plain = np.ma.getdata(values)
        of_row = np.full(rows.rows, -1)
        for index, choice in enumerate(choices):
            for value in choice.values:
                of_row[plain == value] = index
        of_row[np.ma.getmaskarray(values)] = -1
        if (unknown := of_row < 0).any():
            row = int(unknown.argmax())
            masked = np.ma.getmaskarray(values)[row] or plain[row] is None
            self._refuse("NULL" if masked else repr(plain.tolist()[row]), int(rows[key][row]), key, template)
        for index in range(len(choices)):
            yield np.flatnonzero(of_row == index)

    def _refuse(self, value: str, id_: int, key: str, template: str) -> None:
        raise EventError(
            f"{self.column} is {value} for {key} = {id_}, and no function is chosen for it; the step's 'by' lists: "
            f"{', '.join(map(self.described, self.words))}. Add the value there, or leave such rows out of {template}.",
            event_id=id_ - id_ % ROWS_PER_EVENT,
            step=self.step,
        )

    def rows_of(self, choice: Choice) -> str:
        """Return the rows of a choice for a message: the column, its values, and the word if it differs from them."""
        values = ", ".join(map(str, choice.values))
        return f"{self.column} {values}" + f" ({choice.word})" * (values != choice.word)

    def described(self, value: Value) -> str:
        """Return a value for a message, with its word if that differs from it."""
        word = self.words[value]
        return word if str(value) == word else f"{value} ({word})"


def only_choice(step: str, model: str, function: str, random: str | None) -> Choice:
    """Return the choice of a step without ``by``.

    :raises PipelineError: a name contains a placeholder
    """
    for option, text in {"model": model, "function": function, "random": random or step}.items():
        if found := _PLACEHOLDER.search(text):
            raise PipelineError(
                f"Step {step!r}: {option} {text!r} has the placeholder {found[0]}, but the step has no 'by'. Write "
                f"by: {{{found[1]}: [...]}}, with the values of that column of the query."
            )
    return Choice("", (), model, function, random or step)
