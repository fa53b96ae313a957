"""Train a conditional GAN to do what the shipped resolution plugin does, compile it, and swap it in by one line.

    pip install "sqlamarr-flashsim[sklearn,onnx,plot]" torch
    python examples/train_gan/train_gan.py -o gan

It takes some minutes on one core, and leaves ``generator.onnx``, ``resolution.so`` and a table of distances
(Kolmogorov-Smirnov) between the plugin and the network, in bins of momentum and pseudorapidity. The recipe is that of
Lamarr's tracking resolution (CERN-THESIS-2024-108, 4.2.4): residual blocks, binary cross-entropy with smoothed labels,
noise on what the discriminator sees, RMSprop with decaying rates.

To use the result in a run: --model tracking.resolution=gan/resolution.so
"""

from __future__ import annotations

import argparse
import time
import warnings
from pathlib import Path

import numpy as np
import torch
from compare import compare
from networks import Discriminator, Generator
from sample import EVENTS, FLAGS, INPUTS, make
from sklearn.preprocessing import QuantileTransformer, StandardScaler
from torch.nn.functional import binary_cross_entropy_with_logits as cross_entropy
from torch.optim import swa_utils

import sqlamarr
from sqlamarr.compiler import compile as compile_models

NOISE = 128  # as the step of the pipeline declares it
OUTPUTS = ["dx", "dy", "dz", "dtx", "dty", "dp", "chi2PerDoF", "nDoF", "ghostProb"]
SMOOTHING, BLUR = 0.05, 0.05


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("-o", "--output", type=Path, default=Path("gan"), help="Folder for the results.")
    parser.add_argument("--rows", type=int, default=200_000, help="Rows to learn from.")
    parser.add_argument("--steps", type=int, default=5000, help="Steps of training.")
    parser.add_argument("--batch", type=int, default=512, help="Rows per step.")
    parser.add_argument("--width", type=int, default=128, help="Width of the hidden layers.")
    parser.add_argument("--depth", type=int, default=4, help="Residual blocks of each network.")
    parser.add_argument("--seed", type=int, default=1)
    return parser.parse_args()


def train(features: torch.Tensor, answers: torch.Tensor, options: argparse.Namespace) -> Generator:
    """Both networks in turns; the average of the generator over its last steps is kept."""
    n_in, n_out = features.shape[1], answers.shape[1]
    generator = Generator(n_in, NOISE, n_out, options.width, options.depth)
    discriminator = Discriminator(n_in, n_out, options.width, options.depth, BLUR)
    kept = swa_utils.AveragedModel(generator, multi_avg_fn=swa_utils.get_ema_multi_avg_fn(0.998))
    optimizers = [
        torch.optim.RMSprop(net.parameters(), lr=rate) for net, rate in ((generator, 4e-4), (discriminator, 6e-4))
    ]
    decay = 0.05 ** (1 / options.steps)
    rates = [torch.optim.lr_scheduler.ExponentialLR(optimizer, decay) for optimizer in optimizers]
    real, fake = (torch.full((options.batch, 1), label) for label in (1 - SMOOTHING, SMOOTHING))
    start = time.perf_counter()
    for step in range(options.steps):
        x, y, z = _draw(features, answers, options.batch)
        made = generator(x, z).detach()
        loss_d = cross_entropy(discriminator(x, y), real) + cross_entropy(discriminator(x, made), fake)
        _descend(optimizers[1], loss_d)
        x, _, z = _draw(features, answers, options.batch)
        loss_g = cross_entropy(discriminator(x, generator(x, z)), real)
        _descend(optimizers[0], loss_g)
        kept.update_parameters(generator)
        for rate in rates:
            rate.step()
        if step % max(1, options.steps // 10) == 0:
            seconds = time.perf_counter() - start
            print(f"  step {step:5d}  {seconds:5.0f} s  discriminator {loss_d:.3f}  generator {loss_g:.3f}", flush=True)
    return kept.module.eval()


def _draw(features: torch.Tensor, answers: torch.Tensor, rows: int) -> tuple[torch.Tensor, ...]:
    chosen = torch.randint(len(features), (rows,))
    return features[chosen], answers[chosen], torch.randn(rows, NOISE)


def _descend(optimizer: torch.optim.Optimizer, loss: torch.Tensor) -> None:
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()


def export(generator: Generator, n_in: int, path: Path) -> None:
    rows = {"features": {0: "N"}, "noise": {0: "N"}, "answers": {0: "N"}}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the older exporter needs no further package
        torch.onnx.export(
            generator, (torch.zeros(2, n_in), torch.zeros(2, NOISE)), str(path), dynamo=False, opset_version=17,
            input_names=["features", "noise"], output_names=["answers"], dynamic_axes=rows,
        )  # fmt: skip


def main() -> None:
    options = arguments()
    options.output.mkdir(parents=True, exist_ok=True)
    torch.manual_seed(options.seed)
    sample = make(options.rows, options.seed, NOISE)
    before, after = StandardScaler().fit(sample.features), _target(sample.answers)
    scaled = before.transform(sample.features), after.transform(sample.answers)
    x, y = (torch.from_numpy(rows.astype(np.float32)) for rows in scaled)
    print(f"training on {options.rows:,} rows, {options.steps} steps of {options.batch}")
    generator = train(x, y, options)
    network, library = options.output / "generator.onnx", options.output / "resolution.so"
    export(generator, x.shape[1], network)
    made = compile_models(
        {"resolution": [before, str(network), (after, "inverse_transform")]}, library, tolerance=1e-3,
        samples={"resolution": sample.features[:4096]}, inputs={"resolution": [*INPUTS, *FLAGS]},
        outputs={"resolution": OUTPUTS},
    )  # fmt: skip
    print(f"{library}: {library.stat().st_size / 1e6:.2f} MB, {made.functions['resolution']}")
    compare(library, make(60_000, options.seed + 1, NOISE), OUTPUTS, options.output)
    swap(library, options.output / "swapped.db")


def _target(answers: np.ndarray) -> QuantileTransformer:
    """Answers as standard normal numbers, each by its quantiles."""
    return QuantileTransformer(n_quantiles=500, output_distribution="normal", subsample=None).fit(answers)


def swap(library: Path, out: Path) -> None:
    """The whole pipeline with the network in the place of one function."""
    models = {"tracking.resolution": str(library)}
    summary = sqlamarr.run("lhcb_run2", [EVENTS / "bbbar.hepmc.gz"], out, seed=42, models=models, overwrite=True)
    print(summary.text())


if __name__ == "__main__":
    main()
