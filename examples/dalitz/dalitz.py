"""The published example of compiled parametrizations, from training to figures.

    pip install "sqlamarr-flashsim[sklearn,plot]"
    python examples/dalitz/dalitz.py -o dalitz

A boosted decision tree learns the efficiency over the Dalitz plot, a small network the resolution of both masses. Both
are compiled into ``detector.so``, the pipeline ``pipeline.yaml`` runs them on generated decays, and the figures 5.2 to
5.4 of the thesis are drawn, with what the pipeline makes beside the detailed simulation.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
from decays import accepted, detected, generate, masses
from figures import draw
from sklearn.ensemble import GradientBoostingClassifier
from sklearn.neural_network import MLPRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import MinMaxScaler

import sqlamarr
from sqlamarr.compiler import compile as compile_models

HERE = Path(__file__).parent
INPUTS = ["m_plus_minus", "m_plus_neutral"]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("-o", "--output", type=Path, default=Path("dalitz"), help="Folder for the results.")
    parser.add_argument("-n", "--decays", type=int, default=50_000, help="Decays to train on, and to simulate.")
    options = parser.parse_args()
    options.output.mkdir(parents=True, exist_ok=True)
    library = train(options.decays, options.output)
    out = simulate(library, options.decays, options.output)
    rng = np.random.default_rng(3)
    decays = generate(options.decays, rng)
    draw(decays, accepted(decays), detected(decays, rng), out, options.output)


def train(n: int, folder: Path) -> Path:
    """Efficiency and resolution from decays with detailed simulation, compiled."""
    rng = np.random.default_rng(1)
    decays = generate(n, rng)
    true, seen = masses(decays), accepted(decays)
    efficiency = GradientBoostingClassifier(n_estimators=100, max_depth=4, random_state=1).fit(true, seen)
    # E|x| of a normal x is 0.798 sigma: a network that predicts |error| predicts the standard deviation.
    errors = np.abs(masses(detected(decays, rng)) - true)[seen] / np.sqrt(2 / np.pi)
    target = MinMaxScaler().fit(errors)
    network = MLPRegressor(
        hidden_layer_sizes=(32, 32), activation="tanh", learning_rate_init=3e-3, max_iter=60, random_state=1
    )
    resolution = make_pipeline(MinMaxScaler(), network).fit(true[seen], target.transform(errors))
    made = compile_models(
        {"efficiency": efficiency, "resolution": [resolution, (target, "inverse_transform")]}, folder / "detector.so",
        samples={"efficiency": true, "resolution": true[seen]},
        inputs={"efficiency": INPUTS, "resolution": INPUTS},
    )  # fmt: skip
    for name, result in made.functions.items():
        print(f"  {name:<12} {result}")
    return folder / "detector.so"


def simulate(library: Path, n: int, folder: Path) -> Path:
    """Run the pipeline on other decays, given as a table of particles."""
    decays = generate(n, np.random.default_rng(2))
    columns = {"event": np.repeat(np.arange(n), 3), "pid": np.tile([211, -211, 111], n)}
    momenta = np.stack(decays, axis=1).reshape(-1, 4) * 1e3  # MeV
    columns |= dict(zip(("e", "px", "py", "pz"), momenta.T))
    out = folder / "decays.db"
    summary = sqlamarr.run(
        HERE / "pipeline.yaml", [columns], out, seed=1, models={"detector": str(library)}, overwrite=True
    )
    print(summary.text())
    return out


if __name__ == "__main__":
    main()
