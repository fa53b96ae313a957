"""Makes the ONNX files of this folder, which tests compile and compare with onnxruntime.

    pip install torch onnxscript keras scikit-learn skl2onnx onnxmltools lightgbm xgboost
    python tests/data/make_onnx.py

PyTorch and the converters are not needed for the tests. Networks are untrained, of fixed seeds.
"""

from __future__ import annotations

import os
import warnings
from pathlib import Path

os.environ["KERAS_BACKEND"] = "torch"

import numpy as np
import onnx
import torch
from torch import nn

FOLDER = Path(__file__).parent
warnings.simplefilter("ignore")


class Residual(nn.Module):
    """x + f(x)."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.dense, self.norm = nn.Linear(width, width), nn.LayerNorm(width)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x + nn.functional.leaky_relu(self.dense(self.norm(x)), 0.1)


class ResidualMLP(nn.Module):
    """A classifier of residual blocks."""

    def __init__(self, n_in: int = 12, width: int = 32, n_out: int = 4) -> None:
        super().__init__()
        self.net = nn.Sequential(nn.Linear(n_in, width), nn.ReLU(), *(Residual(width) for _ in range(3)))
        self.head = nn.Linear(width, n_out)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return torch.softmax(self.head(self.net(x)), dim=1)


class Generator(nn.Module):
    """The generator of a conditional GAN, with batch normalization as in its training."""

    def __init__(self, n_in: int = 6, noise: int = 8, n_out: int = 5) -> None:
        super().__init__()
        self.first = nn.Sequential(nn.Linear(n_in + noise, 32), nn.BatchNorm1d(32), nn.LeakyReLU(0.2))
        self.blocks = nn.ModuleList([nn.Sequential(nn.Linear(32, 32), nn.LeakyReLU(0.1)) for _ in range(2)])
        self.last = nn.Linear(32, n_out)

    def forward(self, features: torch.Tensor, noise: torch.Tensor) -> torch.Tensor:
        x = self.first(torch.cat([features, noise], dim=1))
        for block in self.blocks:
            x = x + block(x)
        return self.last(x)


class AffineFlow(nn.Module):
    """Noise, scaled and shifted by functions of the features."""

    def __init__(self, n_in: int = 4, n_out: int = 3) -> None:
        super().__init__()
        self.net = nn.Sequential(nn.Linear(n_in, 16), nn.GELU(), nn.Linear(16, 2 * n_out))

    def forward(self, features: torch.Tensor, noise: torch.Tensor) -> torch.Tensor:
        shift, log_scale = self.net(features).chunk(2, dim=-1)
        return shift + torch.exp(torch.tanh(log_scale)) * noise


class CouplingFlow(nn.Module):
    """RealNVP: half of the variables scale and shift the other half, in turns."""

    def __init__(self, n_in: int = 4, n_out: int = 6, layers: int = 4) -> None:
        super().__init__()
        self.half = n_out // 2
        self.nets = nn.ModuleList(
            nn.Sequential(nn.Linear(n_in + self.half, 24), nn.ELU(), nn.Linear(24, n_out)) for _ in range(layers)
        )

    def forward(self, features: torch.Tensor, noise: torch.Tensor) -> torch.Tensor:
        kept, changed = noise[:, : self.half], noise[:, self.half :]
        for net in self.nets:
            parameters = net(torch.cat([features, kept], dim=1))
            log_scale, shift = parameters[:, : self.half], parameters[:, self.half :]
            changed = changed * torch.exp(2 * torch.tanh(log_scale / 2)) + shift
            kept, changed = changed, kept
        return torch.cat([kept, changed], dim=1)


class AutoregressiveFlow(nn.Module):
    """Variable i depends on those before: sampling goes through the network once for each."""

    def __init__(self, n_in: int = 3, n_out: int = 4) -> None:
        super().__init__()
        self.n_out = n_out
        self.net = nn.Sequential(nn.Linear(n_in + n_out, 24), nn.SiLU(), nn.Linear(24, 2 * n_out))

    def forward(self, features: torch.Tensor, noise: torch.Tensor) -> torch.Tensor:
        x = torch.zeros_like(noise)
        for i in range(self.n_out):
            mask = (torch.arange(self.n_out) < i).float()
            parameters = self.net(torch.cat([features, x * mask], dim=1)).view(-1, 2, self.n_out)
            new = parameters[:, 0] + nn.functional.softplus(parameters[:, 1]) * noise
            x = torch.where(torch.arange(self.n_out) == i, new, x)
        return x


def export(name: str, module: nn.Module, *widths: int, dynamo: bool) -> None:
    torch.manual_seed(len(name))
    for parameter in module.parameters():
        if parameter.ndim > 1:
            nn.init.normal_(parameter, std=1.5 / parameter.shape[1] ** 0.5)
    module.train()
    module(*(torch.randn(256, width) for width in widths))  # gives batch normalization its numbers
    module.eval()
    names = ["features", "noise"][: len(widths)]
    inputs = tuple(torch.randn(3, width) for width in widths)
    options = {"dynamic_shapes": tuple({0: torch.export.Dim("N")} for _ in widths)} if dynamo else {
        "dynamic_axes": {n: {0: "N"} for n in [*names, "answers"]}, "opset_version": 17,
    }  # fmt: skip
    torch.onnx.export(
        module, inputs, str(FOLDER / f"{name}.onnx"), input_names=names, output_names=["answers"], dynamo=dynamo,
        **({"external_data": False} if dynamo else {}), **options,
    )  # fmt: skip


def strip() -> None:
    """Without what exporters note of the program that called them."""
    for path in FOLDER.glob("*.onnx"):
        model = onnx.load(path)
        for part in (model, model.graph, *model.graph.node, *model.graph.value_info, *model.graph.input):
            part.doc_string = ""
            del part.metadata_props[:]
        del model.graph.value_info[:]
        onnx.save(model, path)


def networks() -> None:
    export("residual_mlp", ResidualMLP(), 12, dynamo=False)
    export("residual_mlp_dynamo", ResidualMLP(width=16), 12, dynamo=True)
    export("gan_generator", Generator(), 6, 8, dynamo=False)
    export("gan_generator_dynamo", Generator(), 6, 8, dynamo=True)
    export("affine_flow", AffineFlow(), 4, 3, dynamo=True)
    export("coupling_flow", CouplingFlow(), 4, 6, dynamo=False)
    export("coupling_flow_dynamo", CouplingFlow(), 4, 6, dynamo=True)
    export("autoregressive_flow", AutoregressiveFlow(), 3, 4, dynamo=False)


def keras_model() -> None:
    import keras

    keras.utils.set_random_seed(1)
    inputs = keras.Input((8,))
    x = keras.layers.Dense(24, activation="relu")(inputs)
    x = keras.layers.BatchNormalization()(x)
    x = keras.layers.add([keras.layers.Dense(24, activation="tanh")(x), x])
    outputs = keras.layers.Dense(3, activation="softmax")(keras.layers.Dropout(0.1)(x))
    model = keras.Model(inputs, outputs)
    model(np.zeros((1, 8), np.float32))
    model.export(str(FOLDER / "keras_mlp.onnx"), format="onnx", verbose=False)


def classical() -> None:
    import lightgbm
    import xgboost
    from onnxmltools import convert_lightgbm, convert_xgboost
    from onnxmltools.convert.common.data_types import FloatTensorType as MlFloats
    from skl2onnx import to_onnx
    from sklearn import ensemble, linear_model, pipeline, preprocessing
    from sklearn.neural_network import MLPClassifier, MLPRegressor

    rng = np.random.default_rng(7)
    x = rng.normal(size=(600, 5)).astype(np.float32)
    target = np.sin(x[:, 0]) + 0.5 * x[:, 1] * x[:, 2] + 0.1 * rng.normal(size=600)
    two, three = (target > 0).astype(int), np.digitize(target, [-0.5, 0.5])
    scaled = lambda last: pipeline.make_pipeline(preprocessing.StandardScaler(), last)  # noqa: E731
    models = {
        "sk_boosting": ensemble.GradientBoostingClassifier(n_estimators=20).fit(x, two),
        "sk_boosting_three": ensemble.GradientBoostingClassifier(n_estimators=6).fit(x, three),
        "sk_forest": ensemble.RandomForestClassifier(n_estimators=8, max_depth=5).fit(x, three),
        "sk_forest_regressor": ensemble.ExtraTreesRegressor(n_estimators=8, max_depth=5).fit(x, target),
        "sk_logistic": scaled(linear_model.LogisticRegression()).fit(x, two),
        "sk_logistic_three": scaled(linear_model.LogisticRegression()).fit(x, three),
        "sk_ridge": scaled(linear_model.Ridge()).fit(x, target),
        "sk_mlp": scaled(MLPClassifier(hidden_layer_sizes=(16, 16), max_iter=30)).fit(x, two),
        "sk_mlp_regressor": scaled(MLPRegressor(hidden_layer_sizes=(16,), activation="tanh", max_iter=30)).fit(
            x, target
        ),
        "sk_min_max": pipeline.make_pipeline(preprocessing.MinMaxScaler(), preprocessing.Normalizer()).fit(x),
        "sk_zipmap": ensemble.GradientBoostingClassifier(n_estimators=5).fit(x, two),
    }
    for name, model in models.items():
        options = {} if name == "sk_zipmap" else {"zipmap": False}
        has_map = hasattr(model, "predict_proba")
        converted = to_onnx(model, x[:1], options={id(model): options} if has_map and options else None)
        (FOLDER / f"{name}.onnx").write_bytes(converted.SerializeToString())
    types = [("features", MlFloats([None, 5]))]
    boosted = {
        "lightgbm_two": convert_lightgbm(
            lightgbm.LGBMClassifier(n_estimators=20, num_leaves=8, verbose=-1).fit(x, two), "m", types, zipmap=False
        ),
        "lightgbm_regressor": convert_lightgbm(
            lightgbm.LGBMRegressor(n_estimators=20, num_leaves=8, verbose=-1).fit(x, target), "m", types
        ),
        "xgboost_two": convert_xgboost(xgboost.XGBClassifier(n_estimators=20, max_depth=3).fit(x, two), "m", types),
        "xgboost_three": convert_xgboost(xgboost.XGBClassifier(n_estimators=8, max_depth=3).fit(x, three), "m", types),
        "xgboost_regressor": convert_xgboost(
            xgboost.XGBRegressor(n_estimators=20, max_depth=3).fit(x, target), "m", types
        ),
    }  # fmt: skip
    for name, converted in boosted.items():
        (FOLDER / f"{name}.onnx").write_bytes(converted.SerializeToString())


if __name__ == "__main__":
    networks()
    keras_model()
    classical()
    strip()
