"""The front end for scikit-learn: every estimator against itself."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("sklearn")
pd = pytest.importorskip("pandas")

from compiler_tools import assert_same_bits_for_every_count, needs_compiler  # noqa: E402
from hypothesis import given, settings  # noqa: E402
from hypothesis import strategies as st  # noqa: E402
from sklearn import ensemble, linear_model, neural_network, preprocessing, tree  # noqa: E402
from sklearn.compose import ColumnTransformer, TransformedTargetRegressor  # noqa: E402
from sklearn.decomposition import PCA  # noqa: E402
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis  # noqa: E402
from sklearn.pipeline import FeatureUnion, Pipeline, make_pipeline  # noqa: E402

from sqlamarr.compiler import compile as compile_models  # noqa: E402
from sqlamarr.compiler.evaluate import evaluate  # noqa: E402
from sqlamarr.compiler.ir import FLOAT32, FLOAT64  # noqa: E402
from sqlamarr.compiler.scikit import read_object  # noqa: E402
from sqlamarr.errors import CompilerError  # noqa: E402
from sqlamarr.models.compiled import CompiledModel  # noqa: E402

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning", "ignore::FutureWarning")
RNG = np.random.Generator(np.random.Philox(5))
X = RNG.normal(size=(400, 4)) * [1, 10, 0.1, 3] + [0, 5, 1, -2]
X[:, 3] = np.round(X[:, 3])  # repeated values
SIGNAL = X[:, 0] + 0.1 * X[:, 1] + RNG.normal(size=400) * 0.3
TWO, THREE = (SIGNAL > 0.5).astype(int), np.digitize(SIGNAL, [0.0, 1.0])
TARGETS = np.stack([SIGNAL, X[:, 1] * X[:, 2]], axis=1)
FRAME = pd.DataFrame(X, columns=["p", "eta", "phi", "charge"])
WITH_GAPS = np.where(RNG.uniform(size=X.shape) < 0.1, np.nan, X)


def columns_by_index():
    return ColumnTransformer(
        [
            ("a", preprocessing.StandardScaler(), [1, 0]),
            ("b", "drop", [2]),
            ("c", preprocessing.MinMaxScaler(), slice(3, 4)),
        ]
    )


def columns_by_name():
    return ColumnTransformer(
        [
            ("scale", preprocessing.QuantileTransformer(n_quantiles=50), ["eta", "p"]),
            ("log", preprocessing.FunctionTransformer(np.abs), ["phi"]),
        ],
        remainder="passthrough",
    )


def network(kind, **options):
    return kind(hidden_layer_sizes=(17, 8), max_iter=30, random_state=1, **options)


PRE = preprocessing
TRANSFORMERS = {
    "minmax": PRE.MinMaxScaler((-1, 2)),
    "minmax_clip": PRE.MinMaxScaler(clip=True),
    "standard": PRE.StandardScaler(),
    "standard_mean_only": PRE.StandardScaler(with_std=False),
    "standard_std_only": PRE.StandardScaler(with_mean=False),
    "robust": PRE.RobustScaler(),
    "max_abs": PRE.MaxAbsScaler(),
    "quantile_uniform": PRE.QuantileTransformer(n_quantiles=100),
    "quantile_normal": PRE.QuantileTransformer(n_quantiles=100, output_distribution="normal"),
    "power": PRE.PowerTransformer(),
    "power_plain": PRE.PowerTransformer(standardize=False),
    "function": PRE.FunctionTransformer(np.arcsinh, np.sinh, check_inverse=False),
    "identity": PRE.FunctionTransformer(),
    "pca": PCA(3),
    "pca_whiten": PCA(2, whiten=True),
    "pipeline": make_pipeline(
        PRE.StandardScaler(), Pipeline([("q", PRE.QuantileTransformer(n_quantiles=30)), ("m", PRE.MinMaxScaler())])
    ),
}
ONE_WAY = {
    "columns_by_index": columns_by_index(),
    "nested_columns": make_pipeline(columns_by_index(), PRE.PowerTransformer()),
    "union": FeatureUnion([("a", PRE.StandardScaler()), ("b", "passthrough"), ("c", PCA(2)), ("d", "drop")]),
}
CLASSIFIERS = {
    "gradient_boosting": ensemble.GradientBoostingClassifier(n_estimators=20),
    "histogram": ensemble.HistGradientBoostingClassifier(max_iter=20),
    "forest": ensemble.RandomForestClassifier(10),
    "extra_trees": ensemble.ExtraTreesClassifier(10),
    "tree": tree.DecisionTreeClassifier(max_depth=6),
    "logistic": linear_model.LogisticRegression(),
    "discriminant": LinearDiscriminantAnalysis(),
    "network": make_pipeline(PRE.StandardScaler(), network(neural_network.MLPClassifier, activation="tanh")),
}
REGRESSORS = {
    "gradient_boosting": ensemble.GradientBoostingRegressor(n_estimators=20),
    "histogram": ensemble.HistGradientBoostingRegressor(max_iter=20),
    "histogram_absolute": ensemble.HistGradientBoostingRegressor(max_iter=10, loss="absolute_error"),
    "forest": ensemble.RandomForestRegressor(10),
    "extra_trees": ensemble.ExtraTreesRegressor(10),
    "tree": tree.DecisionTreeRegressor(),
    "linear": linear_model.LinearRegression(),
    "ridge": linear_model.Ridge(),
    "network": make_pipeline(PRE.StandardScaler(), network(neural_network.MLPRegressor, activation="logistic")),
    "target": TransformedTargetRegressor(linear_model.Ridge(), transformer=PRE.StandardScaler()),
}


def fitted_models():
    models = {}
    for name, transformer in TRANSFORMERS.items():
        models[name] = transformer.fit(X)
        models[f"{name}_inverse"] = (transformer, "inverse_transform")
    for name, transformer in ONE_WAY.items():
        models[name] = transformer.fit(X)
    models["columns_by_name"] = columns_by_name().fit(FRAME)
    positive = PRE.PowerTransformer("box-cox").fit(np.abs(X) + 0.1)
    models |= {"box_cox": positive, "box_cox_inverse": (positive, "inverse_transform")}
    from sklearn.base import clone

    for name, classifier in CLASSIFIERS.items():
        for classes, y in ((2, TWO), (3, THREE)):
            models[f"{name}_{classes}_classes"] = clone(classifier).fit(X, y)
            models[f"{name}_{classes}_labels"] = (clone(classifier).fit(X, y * 2 - 1), "predict")
    for name, regressor in REGRESSORS.items():
        models[f"{name}_regressor"] = clone(regressor).fit(X, SIGNAL)
    for name in ("forest", "tree", "ridge", "network", "target"):
        models[f"{name}_two_targets"] = clone(REGRESSORS[name]).fit(X, TARGETS)
    models["exponential"] = ensemble.GradientBoostingClassifier(loss="exponential", n_estimators=5).fit(X, TWO)
    models["zero"] = ensemble.GradientBoostingClassifier(init="zero", n_estimators=5).fit(X, TWO)
    models["poisson"] = ensemble.HistGradientBoostingRegressor(max_iter=5, loss="poisson").fit(X, np.exp(SIGNAL))
    models["log_link"] = linear_model.PoissonRegressor().fit(X / 10, np.exp(SIGNAL))
    models["gaps"] = ensemble.HistGradientBoostingClassifier(max_iter=10).fit(WITH_GAPS, TWO)
    models["tree_with_gaps"] = tree.DecisionTreeClassifier(max_depth=6).fit(WITH_GAPS, TWO)
    return models


@pytest.fixture(scope="module")
def models():
    import warnings

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return fitted_models()


@pytest.fixture(scope="module")
def library(models, tmp_path_factory):
    """All of them in one library: compiling verifies each."""
    return compile_models(models, tmp_path_factory.mktemp("scikit") / "all.so", tolerance=2e-6)


@needs_compiler
def test_every_estimator_follows_its_original(library, models):
    assert set(library.functions) == set(models)
    for name, verified in library.functions.items():
        assert verified.deviation <= 2e-6, name
        assert verified.jumps == 0, name


@needs_compiler
@pytest.mark.parametrize("name", ["quantile_normal", "forest_3_classes", "network_2_classes", "gaps", "power_inverse"])
def test_rows_are_independent(name, library):
    n_in, n_out, _ = library.sizes[name]
    x = RNG.normal(size=(101, n_in)).astype(np.float32)
    assert_same_bits_for_every_count(CompiledModel(library.path, name), x, None, n_out)


def answers(model, method, x, dtype=FLOAT64):
    """What the translation and the original make of x, both in double precision."""
    source = read_object(model, method, dtype)
    ours = evaluate(source.graph, x).astype(np.float64)
    with np.errstate(all="ignore"):
        theirs = source.reference(np.asarray(x, np.float32).astype(np.float64), np.empty((len(x), 0)))
    return ours, theirs


@pytest.mark.parametrize("kind", ["gaps", "tree_with_gaps"])
def test_missing_values_go_where_the_training_sent_them(kind, models):
    x = np.where(RNG.uniform(size=(500, 4)) < 0.3, np.nan, X[RNG.integers(0, 400, 500)])
    ours, theirs = answers(models[kind], "predict_proba", x)
    assert np.allclose(ours, theirs, rtol=1e-12, atol=0)


@pytest.mark.parametrize("distribution", ["uniform", "normal"])
def test_quantiles_at_ties_and_ends_are_those_of_the_original(distribution):
    data = np.round(RNG.exponential(size=(300, 2)) * 4).astype(np.float32).astype(np.float64)
    transformer = PRE.QuantileTransformer(n_quantiles=40, output_distribution=distribution).fit(data)
    grid = np.arange(-2, 30, 0.25, dtype=np.float32)
    x = np.stack([grid, grid[::-1]], axis=1)
    ours, theirs = answers(transformer, "transform", x)
    assert np.allclose(ours, theirs, rtol=1e-12, atol=1e-12)
    back = np.stack([np.linspace(-6, 6, 501)] * 2, axis=1).astype(np.float32)
    ours, theirs = answers(transformer, "inverse_transform", back)
    assert np.allclose(ours, theirs, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("model", ["forest_2_classes", "gradient_boosting_2_classes", "histogram_2_classes"])
def test_inputs_on_a_threshold_go_the_right_way(model, models):
    from sqlamarr.compiler.scikit.ranges import _cuts

    cuts = np.concatenate([t for _, t in _cuts(models[model])])
    near = np.concatenate([f(cuts.astype(np.float32)) for f in (lambda v: v, above, below)])
    ours, theirs = answers(models[model], "predict_proba", np.repeat(near[:, None], 4, axis=1))
    assert np.allclose(ours, theirs, rtol=1e-12, atol=1e-15)


def above(values):
    return np.nextafter(values, np.float32(np.inf))


def below(values):
    return np.nextafter(values, np.float32(-np.inf))


@settings(max_examples=25, deadline=None)
@given(
    rows=st.integers(5, 60), columns=st.integers(1, 6), seed=st.integers(0, 1000),
    scale=st.sampled_from([1e-3, 1.0, 1e4]), repeated=st.booleans(),
)  # fmt: skip
def test_transformers_and_their_inverses_of_any_shape(rows, columns, seed, scale, repeated):
    rng = np.random.default_rng(seed)
    data = rng.normal(size=(rows, columns)) * scale
    data = np.round(data / scale) * scale if repeated else data
    data = np.unique(data, axis=0) if len(np.unique(data, axis=0)) > 2 else data + rng.normal(size=data.shape)
    x = (data[rng.integers(0, len(data), 40)] * rng.uniform(0.5, 1.5, (40, 1))).astype(np.float32)
    for transformer in (
        PRE.MinMaxScaler(), PRE.StandardScaler(), PRE.RobustScaler(),
        PRE.QuantileTransformer(n_quantiles=min(10, len(data))),
        PRE.QuantileTransformer(n_quantiles=min(10, len(data)), output_distribution="normal"),
    ):  # fmt: skip
        transformer.fit(data)
        for method in ("transform", "inverse_transform"):
            ours, theirs = answers(transformer, method, x)
            assert np.allclose(ours, theirs, rtol=1e-9, atol=1e-9 * scale), (transformer, method)


@settings(max_examples=10, deadline=None)
@given(classes=st.integers(2, 5), features=st.integers(1, 6), depth=st.integers(1, 8), seed=st.integers(0, 100))
def test_tree_classifiers_of_any_shape(classes, features, depth, seed):
    rng = np.random.default_rng(seed)
    data, y = rng.normal(size=(80, features)), np.arange(80) % classes
    x = rng.normal(size=(60, features))
    for model in (
        ensemble.RandomForestClassifier(4, max_depth=depth, random_state=seed),
        ensemble.GradientBoostingClassifier(n_estimators=3, max_depth=depth, random_state=seed),
        ensemble.HistGradientBoostingClassifier(max_iter=3, max_depth=depth, min_samples_leaf=3),
    ):
        ours, theirs = answers(model.fit(data, y), "predict_proba", x)
        assert np.allclose(ours, theirs, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("explicit", [False, True])
def test_the_range_of_the_training_is_found_behind_a_logarithm(explicit):
    momenta = 10 ** RNG.uniform(3, 5, (200, 2))
    log = PRE.FunctionTransformer(np.log10, (lambda y: 10**y) if explicit else None)
    model = make_pipeline(log, PRE.MinMaxScaler(), network(neural_network.MLPRegressor)).fit(momenta, momenta[:, 0])
    source = read_object(model, None, FLOAT32)
    assert np.allclose(source.low, momenta.min(axis=0))
    assert np.allclose(source.high, momenta.max(axis=0))
    columns = ColumnTransformer([("a", make_pipeline(log, PRE.MinMaxScaler()), [1]), ("b", "passthrough", [0])])
    source = read_object(columns.fit(momenta), None, FLOAT32)
    assert np.allclose(source.high, [np.nan, momenta[:, 1].max()], equal_nan=True)


# ---- several models in one function ------------------------------------------------------------------------


@needs_compiler
def test_preprocessing_a_generator_with_noise_and_the_inverse_follow_each_other(tmp_path):
    import joblib

    scaler = PRE.QuantileTransformer(n_quantiles=50, output_distribution="normal").fit(FRAME)
    target = PRE.StandardScaler().fit(TARGETS)
    inside = np.concatenate([scaler.transform(FRAME), RNG.normal(size=(400, 3))], axis=1)
    generator = network(neural_network.MLPRegressor).fit(inside, target.transform(TARGETS))
    for name, model in (("pre", scaler), ("gen", generator), ("target", target)):
        joblib.dump(model, tmp_path / f"{name}.pkl")
    chain = f"{tmp_path}/pre.pkl,{tmp_path}/gen.pkl,{tmp_path}/target.pkl:inverse_transform"
    made = compile_models(
        {"from_files": chain, "from_objects": [scaler, generator, (target, "inverse_transform")],
         "first_only": [generator, (target, "inverse_transform[0]")]},
        tmp_path / "gen.so", noise={"from_files": 3, "from_objects": 3, "first_only": 3},
        outputs={"from_files": ["dx", "dy"]},
    )  # fmt: skip
    assert made.sizes == {"from_files": (4, 2, 3), "from_objects": (4, 2, 3), "first_only": (4, 1, 3)}
    x, z = X.astype(np.float32), RNG.normal(size=(400, 3)).astype(np.float32)
    model = CompiledModel(made.path, "from_files")
    assert model.input_names == ["p", "eta", "phi", "charge"]
    assert model.output_names == ["dx", "dy"]
    frame = pd.DataFrame(x.astype(float), columns=FRAME.columns)
    expected = target.inverse_transform(generator.predict(np.concatenate([scaler.transform(frame), z], axis=1)))
    assert np.allclose(model(x, z, 2), expected, rtol=1e-4, atol=1e-4)


@needs_compiler
def test_double_precision_is_closer(tmp_path):
    model = network(neural_network.MLPRegressor).fit(X, SIGNAL)
    deviation = {}
    for double in (False, True):
        made = compile_models({"f": model}, tmp_path / f"{double}.so", double=double)
        deviation[double] = made.functions["f"].deviation
    assert deviation[True] < 1e-7  # of the answer, which is float32
    assert deviation[True] < deviation[False]


# ---- what is refused ---------------------------------------------------------------------------------------------


class Odd(PRE.StandardScaler):
    """A class of the user's that does something else."""

    def transform(self, x):
        return np.sin(x)


REFUSED = {
    "not fitted": (PRE.StandardScaler(), "StandardScaler is not fitted"),
    "unknown estimator": (PRE.SplineTransformer().fit(X), "SplineTransformer.transform cannot be compiled. Estimators"),
    "redefined": (Odd().fit(X), "Odd.transform cannot be compiled"),
    "lambda": (PRE.FunctionTransformer(lambda x: x).fit(X), "FunctionTransformer: the function '<lambda>' cannot be"),
    "keywords": (PRE.FunctionTransformer(np.exp, kw_args={"where": True}).fit(X), "keyword arguments .where."),
    "labels": ((tree.DecisionTreeClassifier().fit(X, np.array(["a", "b"])[TWO]), "predict"), "of the labels a, b"),
    "no method": ((PRE.StandardScaler().fit(X), "predict"), "StandardScaler.predict cannot be compiled. Of this"),
    "not an estimator": (object(), "builtins.object is not a scikit-learn estimator. Export it to ONNX"),
    "init": (
        ensemble.GradientBoostingRegressor(init=linear_model.Ridge(), n_estimators=2).fit(X, SIGNAL),
        "init=Ridge cannot be compiled. Fit with the default init",
    ),
    "targets": (ensemble.RandomForestClassifier(2).fit(X, np.stack([TWO, THREE], 1)), "several targets cannot be"),
    "do not fit": ([PRE.StandardScaler().fit(X), PCA(2).fit(X), PRE.StandardScaler().fit(X)], "takes 4 inputs, but "),
    "categories": (
        ensemble.HistGradientBoostingRegressor(categorical_features=[3], max_iter=3).fit(X, SIGNAL),
        "categorical features cannot be compiled. Encode them",
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", REFUSED)
def test_what_cannot_be_compiled_is_named_with_what_to_do(case, tmp_path):
    model, message = REFUSED[case]
    with pytest.raises(CompilerError, match=message):
        compile_models({"f": model}, tmp_path / "f.so")


def test_layers_keep_the_type_that_was_asked_for():
    model = network(neural_network.MLPRegressor).fit(X, SIGNAL)
    for dtype in (FLOAT32, FLOAT64):
        graph = read_object(model, None, dtype).graph
        assert {value.dtype for value in graph.values if value.op == "dense"} == {dtype}
