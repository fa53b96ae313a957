"""Small plots, drawn with matplotlib and kept as text to embed in a page."""

from __future__ import annotations

import base64
import io
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from sqlamarr.errors import missing_package
from sqlamarr.report.statistics import Array, efficiency

COLOURS = ("#4477aa", "#ee6677", "#228833", "#ccbb44", "#66ccee", "#aa3377")  # P. Tol's colour-blind safe palette
SIZE = (4.8, 3.4)  # inches


@dataclass(frozen=True)
class Picture:
    """A picture of a page.

    :ivar title: above it
    :ivar caption: the text below it, which says what is drawn
    :ivar svg: base64 of an SVG image; empty if there is nothing to show
    """

    title: str
    caption: str
    svg: str


def need_plot() -> tuple[Any, Any, Any]:
    """matplotlib, mplhep and hist.

    :raises InstallationError: one of them is missing
    """
    try:
        import hist
        import matplotlib as mpl
        import mplhep
    except ImportError as error:
        raise missing_package("The report", str(error.name), "plot") from error
    return mpl, mplhep, hist


def picture(
    title: str,
    caption: str,
    draw: Callable[[Any], object],
    *,
    x: str = "",
    y: str = "",
    log: str = "",
    legend: bool = True,
) -> Picture:
    """Draw on one pair of axes.

    :param draw: called with the axes
    :param log: which axes are logarithmic: ``x``, ``y``, ``xy`` or none
    """
    mpl, _, _ = need_plot()
    from matplotlib.figure import Figure  # not pyplot: no state, no window, whatever the backend

    settings = {"font.size": 9, "svg.hashsalt": "sqlamarr", "axes.grid": True, "grid.alpha": 0.25}
    with mpl.rc_context(settings):
        figure = Figure(figsize=SIZE, layout="constrained")
        axes = figure.add_subplot()
        draw(axes)
        axes.set(xlabel=x, ylabel=y)
        if not _shows_anything(axes):
            return Picture(title, caption, "")
        for side in log:
            getattr(axes, f"set_{side}scale")("log", **({"nonpositive": "clip"} if side == "y" else {}))
        if "x" in log:
            _number(axes.xaxis, *axes.get_xlim())
        if legend and axes.get_legend_handles_labels()[0]:
            axes.legend(fontsize=7.5, frameon=False)
        buffer = io.BytesIO()
        figure.savefig(buffer, format="svg", metadata={"Date": None})
    return Picture(title, caption, base64.b64encode(buffer.getvalue()).decode())


def _shows_anything(axes: Any) -> bool:
    """Whether there is a value above zero. Everything drawn here is a count, a fraction, a width or a time."""
    limits = axes.dataLim
    return bool(np.isfinite([limits.x1, limits.y1]).all() and limits.x1 > 0 and limits.y1 > 0)


def _number(axis: Any, low: float, high: float) -> None:
    """Plain numbers on a logarithmic axis of few decades, where matplotlib's powers of ten overlap."""
    from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

    decades = np.log10(high / low)
    if decades > 3:
        return
    axis.set_major_locator(LogLocator(subs=(1, 2, 5) if decades > 0.8 else (1, 2, 3, 4, 5, 6, 8)))
    axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axis.set_minor_formatter(NullFormatter())


def histograms(axes: Any, edges: Array, samples: Sequence[tuple[str, Array]], *, density: bool = False) -> None:
    """Distributions on top of each other: the first filled, the last as points with errors, a line between them."""
    _, mplhep, hist = need_plot()
    for k, (label, values) in enumerate(samples):
        filled = hist.Hist(hist.axis.Variable(edges), storage=hist.storage.Double()).fill(values[np.isfinite(values)])
        n = f"{label} ({len(values):,})"
        options: dict[str, Any] = {"ax": axes, "label": n, "color": COLOURS[k], "density": density, "flow": "none"}
        if k == 0:
            mplhep.histplot(filled, histtype="fill", alpha=0.35, yerr=False, **options)
        elif k < len(samples) - 1:
            mplhep.histplot(filled, histtype="step", lw=1.2, yerr=False, **options)
        else:
            mplhep.histplot(filled, histtype="errorbar", yerr=True, markersize=4, **options)


def points(axes: Any, edges: Array, values: Array, errors: Any, label: str, colour: int) -> None:
    """Values in bins, with errors."""
    centres, half = (edges[1:] + edges[:-1]) / 2, np.diff(edges) / 2
    axes.errorbar(
        centres, values, yerr=errors, xerr=half, fmt="os^Dv<"[colour], ms=3.5, lw=1, color=COLOURS[colour], label=label
    )


def fractions(axes: Any, edges: Array, total: Array, parts: Sequence[tuple[str, Array]], errors: bool = True) -> None:
    """Fractions in bins with binomial errors; each label has all values and a mask of those that pass."""
    whole = np.histogram(total, edges)[0]
    for k, (label, passed) in enumerate(parts):
        value, low, high = efficiency(np.histogram(passed, edges)[0], whole)
        points(axes, edges, value, [low, high] if errors else None, label, k)
    axes.set_ylim(bottom=0)


def unit_gaussian(axes: Any, pulls: Array, label: str = "Gaussian of width 1") -> None:
    """Pulls from -5 to 5 with a normal distribution of the same area."""
    edges = np.linspace(-5, 5, 51)
    histograms(axes, edges, [("pulls", pulls)])
    x = np.linspace(-5, 5, 201)
    normal = np.exp(-(x**2) / 2) / np.sqrt(2 * np.pi)
    axes.plot(x, normal * len(pulls) * 0.2, color=COLOURS[1], lw=1.2, label=label)
    axes.set_ylim(bottom=0.5)
