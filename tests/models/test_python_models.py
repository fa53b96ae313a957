"""Functions on numpy arrays as models."""

from __future__ import annotations

import numpy as np
import pytest

from sqlamarr.errors import ModelError, PipelineError
from sqlamarr.models.base import Sizes
from sqlamarr.models.python import PythonModel

MODULE = '''
import numpy as np

def double(inputs):
    """Twice the inputs."""
    return 2 * inputs

double.input_names = ["a", "b"]
double.input_min, double.input_max = [-1, -1], [1, 1]

def smear(inputs, noise):
    return inputs[:, 0] + noise[:, 0]

def matrix(inputs):
    return inputs @ np.arange(inputs.shape[1] * 3, dtype=np.float32).reshape(-1, 3)

def centred(inputs):
    return inputs - inputs.mean(axis=0)

def random(inputs):
    return inputs + np.random.normal(size=inputs.shape)

def last_bits(inputs):
    return inputs * (1 + 1e-7 * np.arange(len(inputs))[:, None] / len(inputs))

def fails(inputs):
    return inputs / undefined

def leaves(inputs):
    raise SystemExit

number = 3

class Scale:
    """By a factor."""

    input_names = ["a", "b"]

    def __init__(self, factor):
        self.factor = factor

    def __call__(self, inputs):
        return self.factor * inputs

half = Scale(0.5)
'''


@pytest.fixture
def load(tmp_path):
    (tmp_path / "mine.py").write_text(MODULE)
    return lambda function: PythonModel("mine.py", function, tmp_path)


def rows(n, width):
    return np.random.default_rng(n).normal(size=(n, width)).astype(np.float32)


def test_an_object_that_can_be_called_is_a_model_and_its_class_is_none(load):
    model = load("half")
    model.verify(Sizes(2, 2, 0))
    assert (model.input_names, model.origin) == (["a", "b"], "By a factor.")
    assert model(rows(3, 2), None, 2).tolist() == (0.5 * rows(3, 2)).tolist()
    with pytest.raises(PipelineError, match=r"'mine\.py:Scale' is a class, not a function\. Create an object in "
                                            r"the module, as in 'my_scale = Scale\(\.\.\.\)', and give the name "
                                            r"of the object\."):  # fmt: skip
        load("Scale")


def test_a_function_is_called_on_arrays(load):
    model = load("double")
    model.verify(Sizes(2, 2, 0))
    assert model(rows(300, 2), None, 2).tolist() == (2 * rows(300, 2)).tolist()
    assert str(model) == "function 'mine.py:double'"


def test_noise_is_the_second_argument_and_one_output_needs_no_second_axis(load):
    assert load("smear")(rows(3, 2), rows(3, 1), 1)[:, 0].tolist() == (rows(3, 2)[:, 0] + rows(3, 1)[:, 0]).tolist()


def test_what_a_function_says_of_itself_is_taken(load):
    model = load("double")
    assert (model.input_names, model.output_names, model.origin) == (["a", "b"], None, "Twice the inputs.")
    assert model.outside(np.array([[0, 2]], np.float32)).tolist() == [0, 1]


@pytest.mark.parametrize("n", [1, 100, 257, 600])
def test_a_row_does_not_see_its_batch(load, n):
    model = load("matrix")
    together = model(rows(n, 40), None, 3)
    assert together.tobytes() == b"".join(model(rows(n, 40)[i : i + 1], None, 3).tobytes() for i in range(n))


def test_a_function_whose_last_bits_depend_on_the_place_is_called_row_by_row(load):
    model = load("last_bits")
    together = model(rows(50, 2), None, 2)
    assert together.tobytes() == b"".join(model(row[None], None, 2).tobytes() for row in rows(50, 2))


def test_a_function_of_any_width_serves_steps_of_different_sizes(load):
    model = load("matrix")
    for width in (2, 3):
        model.verify(Sizes(width, 3, 0))
    for width, sums in ((2, [3, 5, 7]), (3, [9, 12, 15])):
        assert model(np.ones((4, width), np.float32), None, 3).tolist() == [sums] * 4


def test_a_function_that_looks_at_other_rows_is_refused(load):
    with pytest.raises(
        ModelError, match="'mine.py:centred': returns a different result for a row when other rows change"
    ):
        load("centred").verify(Sizes(2, 2, 0))


def test_a_function_that_draws_its_own_random_numbers_is_refused(load):
    with pytest.raises(ModelError, match="different results for the same rows. Take random numbers from the noise"):
        load("random").verify(Sizes(2, 2, 0))


def test_a_wrong_number_of_outputs_stops_before_any_event(load):
    with pytest.raises(ModelError, match=r"array of shape \(256, 2\) for 256 rows, expected \(256, 3\)"):
        load("double").verify(Sizes(2, 3, 0))


def test_a_function_of_other_arguments_is_refused(load):
    with pytest.raises(ModelError, match=r"cannot be called as f\(inputs, noise\)"):
        load("double").verify(Sizes(2, 2, 1))
    with pytest.raises(ModelError, match=r"cannot be called as f\(inputs\): missing a required argument: 'noise'"):
        load("smear").verify(Sizes(2, 1, 0))


def test_what_a_function_raises_is_told_with_its_line(load):
    with pytest.raises(ModelError, match=r"mine.py:fails': raised NameError.*\n  .*mine.py, line \d+: return inputs /"):
        load("fails").verify(Sizes(2, 2, 0))
    with pytest.raises(ModelError, match="raised SystemExit"):
        load("leaves").verify(Sizes(2, 2, 0))


@pytest.mark.parametrize(
    ("source", "function", "message"),
    [
        ("mine.py", "missing", "cannot import 'mine.py:missing'.*no attribute"),
        ("other.py", "f", "cannot import 'other.py:f'.*No such file"),
        ("no_such_module", "f", "cannot import 'no_such_module:f'.*beside the pipeline"),
        ("mine.py", "number", "'mine.py:number' is not a function"),
    ],
)
def test_a_function_that_is_not_there_is_named(load, tmp_path, source, function, message):
    load("double")
    with pytest.raises(PipelineError, match=message):
        PythonModel(source, function, tmp_path)
