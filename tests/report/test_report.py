"""The report: its estimators, its page, and how a browser shows it."""

from __future__ import annotations

import base64
import re
import shutil
import subprocess
from xml.etree import ElementTree

import numpy as np
import pytest
from decay_events import lambda_b_file, simulated
from run_tools import command_line
from scipy import stats

import sqlamarr
from sqlamarr.errors import OutputError
from sqlamarr.report.drawing import picture
from sqlamarr.report.page import write_report
from sqlamarr.report.sample import sample_of
from sqlamarr.report.statistics import chi2_probability, core, efficiency, half_width, widths
from sqlamarr.report.tracks import pull_picture

pytest.importorskip("matplotlib")
pytest.importorskip("mplhep")
pytest.importorskip("hist")
LC = "[Lambda_c+ -> p+ K- pi+]CC"
BROWSER = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)


@pytest.fixture(scope="module")
def page(reference, tmp_path_factory):
    path = tmp_path_factory.mktemp("report") / "report.html"
    assert command_line("report", reference[0], "-o", path) == 0
    return path


@pytest.fixture(scope="module")
def lambda_c(tmp_path_factory):
    folder = tmp_path_factory.mktemp("lc")
    source = simulated(folder, lambda_b_file, 1500)
    write_report(source, folder / "lc.html", decays=[LC, "[B0 -> K+ pi-]CC"])
    return (folder / "lc.html").read_text()


# -- estimators -------------------------------------------------------------------------------------


@pytest.mark.parametrize("ndf", [1, 2, 3, 4, 7, 10])
def test_chi2_probabilities(ndf):
    chi2 = np.array([0.0, 0.3, 1.0, 4.0, 20.0, 60.0])
    assert chi2_probability(chi2, ndf) == pytest.approx(stats.chi2.sf(chi2, ndf), rel=1e-9, abs=1e-15)


def test_the_core_of_a_mixture():
    rng = np.random.default_rng(1)
    errors = np.exp(rng.normal(1, 0.3, 20_000))
    scale = rng.choice([1.1, 3.0, 8.0], 20_000, p=[0.75, 0.15, 0.1])
    found = core(5 + rng.normal(0, 1, 20_000) * scale * errors, errors)
    assert found.width == pytest.approx(1.1, abs=0.04)
    assert found.mean == pytest.approx(5, abs=5 * found.mean_error)
    assert found.fraction == pytest.approx(0.75, abs=0.07)
    assert found.width_error < 0.02


def test_the_core_of_a_gaussian_is_all_of_it():
    x = np.random.default_rng(2).normal(0, 1, 20_000)
    assert core(x).width == pytest.approx(1, abs=0.06)
    assert np.isnan(core(x[:20]).width)


@pytest.mark.parametrize("scales", [[1, 3, 8], [0.01, 3, 5], [1, 1, 1]])
def test_many_values_of_one_error_are_fitted_in_bins_that_nobody_sees(scales):
    rng = np.random.default_rng(4)
    x = 0.3 + rng.normal(0, 1, 12_000) * rng.choice(scales, 12_000, p=[0.6, 0.3, 0.1])
    binned, one_by_one = core(x), core(x, np.ones(12_000))
    for name, value in vars(one_by_one).items():
        assert getattr(binned, name) == pytest.approx(value, rel=1e-3, abs=one_by_one.mean_error / 100)


def test_efficiencies_have_wilson_intervals():
    value, low, high = efficiency(np.array([0, 5, 10, 0]), np.array([10, 10, 10, 0]))
    assert value[:3] == pytest.approx([0, 0.5, 1])
    assert low[0] == 0
    assert high[2] == pytest.approx(0, abs=1e-12)
    assert high[0] == pytest.approx(1 / 11)
    assert low[1] == pytest.approx(0.1508, abs=1e-3)
    assert np.isnan(value[3])


def test_widths_ignore_tails_and_know_their_errors():
    rng = np.random.default_rng(3)
    runs = [half_width(rng.normal(0, 2, 400)) for _ in range(500)]
    x = rng.normal(0, 2, 400)
    found, error = widths(np.full(400, 0.5), x, np.array([0.0, 1.0, 2.0]))
    assert found[0] == half_width(x)
    assert error[0] == pytest.approx(np.std(runs), rel=0.15)
    assert np.isnan(found[1])


def test_residuals_are_those_of_the_tracks(reference):
    with sqlamarr.open(reference[0]) as db:
        r = sample_of(db).residuals()
    assert 0.003 < half_width(r["p"] / r["true_p"] - 1) < 0.007
    assert half_width(r["pull_tx"]) == pytest.approx(1.07, abs=0.2)
    assert half_width(r["ip_x"]) < 0.15


def test_a_big_file_is_looked_at_in_part(reference):
    with sqlamarr.open(reference[0]) as db:
        whole, part = sample_of(db), sample_of(db, most=2000)
        assert (whole.events, whole.all_events) == (40, 40)
        assert 1 <= part.events < 10
        assert part.all_events == 40
        assert len(part.tracks["p"]) < len(whole.tracks["p"])


# -- the page ---------------------------------------------------------------------------------------


def test_the_page_has_its_sections_and_every_picture(page):
    text = page.read_text()
    titles = re.findall(r"<h2>(.*?)</h2>", text)
    for title in ("Run", "Cut flow", "Spectra", "Efficiencies", "Resolutions", "Pulls", "Identification", "Timing"):
        assert title in titles
    images = re.findall(r'src="data:image/svg\+xml;base64,([^"]*)"', text)
    assert len(images) > 25
    for image in images:
        assert ElementTree.fromstring(base64.b64decode(image)).tag.endswith("svg")
    assert not re.search(r'(src|href)="(?!data:|#)', text)  # nothing from elsewhere
    assert "seed</th><td>42" in text
    assert "tmp_resolution" in base64.b64decode(images[-1]).decode() or "Time of the steps" in text


def test_the_cut_flow_counts_tracks(page, reference):
    text = page.read_text()
    with sqlamarr.open(reference[0]) as db:
        (n,) = db.execute(
            "SELECT count(*) FROM Tracks JOIN MCParticles USING (mcparticle_id) WHERE type = 3 AND abs(pid) = 211"
        ).fetchone()
    row = re.search(r"<td>π</td>(.*?)</tr>", text)[1]
    assert f"<td>{n:,}</td>" in row


def test_the_same_numbers_give_the_same_picture():
    pulls = np.random.default_rng(1).normal(size=500)
    assert pull_picture("Pull", pulls, "") == pull_picture("Pull", pulls, "")


def test_numbers_of_a_decay(lambda_c):
    assert "[Lambda_c+ → p+ K- pi+]CC" in lambda_c
    ratio = re.search(r"mass of Lambda_c\+, core width over propagated error</td><td>([\d.]+) ±", lambda_c)
    assert float(ratio[1]) == pytest.approx(1, abs=0.25)
    assert "Vertex of Lambda_c+: chi2 probability below 0.01" in lambda_c


def test_a_decay_that_is_not_there_is_said(lambda_c):
    section = lambda_c[lambda_c.index("[B0 → K+ pi-]CC</h2>") :]
    assert re.search(r"<td>candidates</td><td>0</td>", section)


def test_a_page_is_called_one(reference, tmp_path):
    with pytest.raises(OutputError, match=r"r\.pdf: a report is an HTML page; expected a name ending in \.html"):
        write_report(reference[0], tmp_path / "r.pdf")


def test_files_are_not_overwritten(reference, tmp_path, capsys):
    existing = tmp_path / "report.html"
    existing.write_text("my notes")
    with pytest.raises(OutputError, match="exists. Choose another name"):
        write_report(reference[0], existing)
    with pytest.raises(OutputError, match="is not an HTML page"):
        write_report(reference[0], existing, overwrite=True)
    assert command_line("report", reference[0], "-o", tmp_path / "no" / "where.html") == 1
    assert "does not exist; make it first" in capsys.readouterr().err


def test_a_run_without_tracks_has_a_report_too(make_pipeline, example, tmp_path):
    pipeline = make_pipeline("name: t\nsteps:\n  - select_particles: {}\noutput: {tables: [MCParticles]}\n")
    sqlamarr.run(pipeline, example, tmp_path / "out.db", seed=1, events=2)
    summary = write_report(tmp_path / "out.db", tmp_path / "r.html")
    assert summary.pictures == 1  # the times


@pytest.mark.parametrize(
    ("shot", "there", "missing"),
    [({"particle": "pi0"}, "Energy in the ECAL", "Momentum resolution"),
     ({"decay": "J/psi(1S) -> mu+ mu-"}, "Momentum resolution", "p: PIDp"),
     ({"particle": "nu_mu"}, "Cut flow", "Spectrum: momentum"),
     ({"particle": "pi+", "eta": {"flat": [-4, -2]}}, "Spectrum: momentum", "Momentum resolution")],
)  # fmt: skip
def test_pictures_with_nothing_in_them_are_left_out(tmp_path, shot, there, missing):
    gun = {"gun": {"events": 150, "pt": {"flat": [500, 5000]}, "eta": {"flat": [2, 4.5]}, **shot}}
    sqlamarr.run("lhcb_run2", gun, tmp_path / "out.db", seed=1)
    write_report(tmp_path / "out.db", tmp_path / "r.html")
    page = (tmp_path / "r.html").read_text()
    assert there in page
    assert f"<h3>{missing}" not in page
    assert 'base64,"' not in page


def test_a_wide_resonance_is_compared_with_its_true_masses(tmp_path):
    """Against the known mass the core would be as wide as the resonance, 6 times the error."""
    gun = {
        "gun": {"events": 1500, "decay": "K*(892)0 -> K+ pi-", "pt": {"flat": [2000, 8000]}, "eta": {"flat": [2.5, 4]}}
    }
    sqlamarr.run("lhcb_run2", gun, tmp_path / "out.db", seed=1)
    write_report(tmp_path / "out.db", tmp_path / "r.html", decays=["K*(892)0 -> K+ pi-"])
    page = (tmp_path / "r.html").read_text()
    ratio = re.search(r"mass of K\*\(892\)0, core width over propagated error</td><td>([\d.]+) ±", page)
    assert float(ratio[1]) == pytest.approx(1.05, abs=0.25)


def test_few_decades_have_plain_numbers():
    """matplotlib's own labels of half a decade run into each other."""
    values = np.geomspace(3, 8, 50)
    drawn = picture("", "", lambda axes: axes.plot(values, values), log="x")
    text = base64.b64decode(drawn.svg).decode()
    assert re.findall(r"<!-- ([\d.]+) -->", text)[:4] == ["3", "4", "5", "6"]
    assert "mathdefault" not in text


# -- in a browser -----------------------------------------------------------------------------------

CHECK = """<script>addEventListener("load", () => {
  const images = [...document.images];
  const shown = images.filter(i => i.complete && i.naturalWidth > 0);
  document.documentElement.dataset.checked = [images.length, shown.length,
    document.documentElement.scrollWidth, innerWidth].join(" ");
});</script>"""


@pytest.mark.skipif(BROWSER is None, reason="no Chromium here: the page is not looked at in a browser")
@pytest.mark.parametrize("width", [1400, 500])
def test_a_browser_shows_every_picture_and_complains_of_nothing(page, tmp_path, width):
    checked = tmp_path / "checked.html"
    checked.write_text(page.read_text().replace("</head>", CHECK + "</head>"))
    command = [BROWSER, "--headless", "--no-sandbox", "--disable-gpu", "--enable-logging=stderr", "--v=0",
               f"--user-data-dir={tmp_path / 'profile'}", f"--window-size={width},900", "--dump-dom",
               "--virtual-time-budget=5000", checked.as_uri()]  # fmt: skip
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=True)
    assert "CONSOLE" not in done.stderr, done.stderr
    found = re.search(r'data-checked="(\d+) (\d+) (\d+) (\d+)"', done.stdout)
    images, shown, content, window = map(int, found.groups())
    assert images == shown > 25
    assert content <= window  # nothing sticks out to the right
