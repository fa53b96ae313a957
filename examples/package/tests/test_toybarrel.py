"""The package does what it says: run ``pytest`` where it is installed."""

import re
import sqlite3

import pytest

import sqlamarr
from sqlamarr.cli import main

GUN = {"toygun": {"muons": 3, "events": 200}}


def command(*arguments):
    with pytest.raises(SystemExit) as caught:
        main([str(argument) for argument in arguments])
    return int(caught.value.code or 0)


@pytest.fixture(scope="module")
def output(tmp_path_factory):
    path = tmp_path_factory.mktemp("run") / "out.db"
    sqlamarr.run("toybarrel", GUN, path, seed=1)
    return path


def test_momenta_are_measured_as_well_as_the_model_says(output):
    with sqlamarr.open(output) as db:
        n, mean, square = db.execute(
            "SELECT count(*), avg(d), avg(d * d) FROM (SELECT (t.pt - norm2(m.px, m.py, 0)) / t.pt_error AS d "
            "FROM BarrelTracks AS t JOIN MCParticles AS m USING (mcparticle_id))"
        ).fetchone()
    assert n > 400
    assert abs(mean) < 5 / n**0.5
    assert abs(square - 1) < 5 * (2 / n) ** 0.5


def test_hits_are_on_their_layers(output):
    with sqlite3.connect(output) as db:
        found = db.execute("SELECT DISTINCT layer, round(sqrt(x * x + y * y), 6) FROM BarrelHits ORDER BY 1").fetchall()
    assert found == [(0, 100), (1, 200), (2, 400), (3, 800)]


def test_the_result_depends_neither_on_batches_nor_on_workers(output, tmp_path, capsys):
    sqlamarr.run("toybarrel", GUN, tmp_path / "other.db", seed=1, batch_size=7, jobs=2)
    assert command("show", "--hash", output) == command("show", "--hash", tmp_path / "other.db") == 0
    totals = [line.split()[0] for line in capsys.readouterr().out.splitlines() if line.endswith("total")]
    assert totals[0] == totals[1]


def test_the_output_says_what_it_was_made_with(output, capsys):
    assert command("show", output) == 0
    uses = "toybarrel (libraries), toybarrel (pipelines), toygun (sources), barrel_hits (steps)"
    assert f"sqlamarr-toybarrel 0.1.0: {uses}" in capsys.readouterr().out


def test_export_report_and_command(output, tmp_path, capsys):
    assert command("export", output, tmp_path / "out.toytext", "-t", "BarrelTracks", "-O", "separator=;") == 0
    assert (tmp_path / "out.toytext").read_text().startswith("# toytext 1\n# BarrelTracks: mcparticle_id;event_id;pt")
    assert command("toybarrel", output) == 0
    said = re.search(r"^600 tracks, resolution (\S+) %", capsys.readouterr().out, re.MULTILINE)
    assert said is not None
    assert 1 < float(said[1]) < 3  # 0.8 % of scattering, and 2.1 % of curvature at 5250 MeV
    pytest.importorskip("mplhep")
    assert command("report", output, "-o", tmp_path / "r.html") == 0
    assert "Transverse momenta of tracks" in (tmp_path / "r.html").read_text()
