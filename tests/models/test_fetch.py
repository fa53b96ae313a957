"""Models by URL: only with a checksum, only once, and from the cache where there is no network."""

from __future__ import annotations

import hashlib
import sqlite3
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from run_tools import command_line

from sqlamarr import load_pipeline
from sqlamarr import open as open_file
from sqlamarr.errors import InstallationError, ModelError, PipelineError
from sqlamarr.output import provenance
from sqlamarr.running.options import RunOptions
from sqlamarr.running.worker import Worker

pytest.importorskip("pooch")

PIPELINE = """
name: test
models: {{m: {{{model}}}}}
schema: schema.sql
steps:
  - find_primary_vertices: {{}}
  - select_particles: {{}}
  - plugin: {{model: m, function: f, query: q.sql, table: Answers, key: [mcparticle_id, event_id],
             inputs: 1, outputs: [a]}}
output: {{tables: [MCParticles, Answers]}}
"""
SCHEMA = "CREATE TABLE Answers (mcparticle_id INTEGER PRIMARY KEY, event_id INTEGER NOT NULL, a REAL NOT NULL);"
QUERY = "SELECT mcparticle_id, event_id, px FROM MCParticles"
SOURCE = "float *f(float *out, const float *in) { out[0] = 2 * in[0]; return out; }"


@pytest.fixture
def served(compile_plugin, tmp_path, monkeypatch):
    """A server of one model: its URL, its checksum, and what was asked of it."""
    content = compile_plugin(SOURCE).read_bytes()
    asked = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            asked.append(self.path)
            self.send_response(200 if self.path.endswith("/model.so") else 404)
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setenv("SQLAMARR_CACHE", str(tmp_path / "cache"))
    yield f"http://127.0.0.1:{server.server_port}/a/model.so", hashlib.sha256(content).hexdigest(), asked
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture
def pipeline(make_pipeline):
    return lambda model: make_pipeline(PIPELINE.format(model=model), q=QUERY, schema=SCHEMA)


def test_a_model_is_fetched_once_and_served_from_the_cache(served, pipeline, example, tmp_path, capsys):
    url, checksum, asked = served
    path = pipeline(f"library: '{url}', sha256: {checksum}")
    assert command_line("fetch", path) == 0
    kept = tmp_path / "cache" / f"{checksum[:16]}-model.so"
    assert kept.is_file()
    printed = capsys.readouterr().out
    assert f"  m                    {kept}\n" in printed
    assert "1 of 1 models come from the network." in printed
    for turn in range(2):
        assert command_line("run", path, example, "-o", tmp_path / f"{turn}.db", "-n", 1) == 0
    assert asked == ["/a/model.so"]
    with open_file(tmp_path / "1.db") as db:
        assert provenance.read(db)["models"]["m"] == {"library": str(kept), "sha256": checksum, "url": url}
    with sqlite3.connect(tmp_path / "1.db") as db:
        wrong = "SELECT count(*) FROM Answers JOIN MCParticles USING (mcparticle_id) WHERE abs(a / px - 2) > 1e-3"
        assert db.execute(wrong).fetchone() == (0,)
    db.close()


def test_the_command_line_gives_url_and_checksum_in_one_word(served, pipeline, tmp_path):
    url, checksum, _ = served
    path = pipeline("library: 'plugins:lhcb_run2'")
    assert command_line("fetch", path, "--model", f"m={url}#sha256={checksum}") == 0
    assert (tmp_path / "cache" / f"{checksum[:16]}-model.so").is_file()


def test_another_file_than_the_checksum_says_is_never_kept(served, pipeline, tmp_path):
    url, checksum, _ = served
    with pytest.raises(ModelError, match=f"model.so is not the file that the pipeline expects.*{checksum}"):
        Worker(load_pipeline(pipeline(f"library: '{url}', sha256: {'ab' * 32}")), RunOptions(seed=1))
    assert not list((tmp_path / "cache").glob("*"))


def test_a_spoilt_file_in_the_cache_is_fetched_again(served, pipeline, tmp_path):
    url, checksum, asked = served
    path = pipeline(f"library: '{url}', sha256: {checksum}")
    assert command_line("fetch", path) == 0
    kept = tmp_path / "cache" / f"{checksum[:16]}-model.so"
    kept.write_bytes(b"spoilt")
    Worker(load_pipeline(path), RunOptions(seed=1))
    assert hashlib.sha256(kept.read_bytes()).hexdigest() == checksum
    assert len(asked) == 2


def test_a_server_that_cannot_be_reached_is_named_with_the_remedy(pipeline, tmp_path, monkeypatch):
    monkeypatch.setenv("SQLAMARR_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    path = pipeline(f"library: 'http://127.0.0.1:9/model.so', sha256: {'ab' * 32}")
    with pytest.raises(ModelError, match="Cannot fetch http://127.0.0.1:9/model.so .*'sqlamarr fetch PIPELINE'.*cache"):
        Worker(load_pipeline(path), RunOptions(seed=1))


def test_a_page_that_is_not_there_is_no_model(served, pipeline):
    url, checksum, _ = served
    missing = url.replace("model.so", "other.so")
    with pytest.raises(ModelError, match="Cannot fetch .*other.so .*404"):
        Worker(load_pipeline(pipeline(f"library: '{missing}', sha256: {checksum}")), RunOptions(seed=1))


@pytest.mark.parametrize(
    ("model", "message"),
    [
        ("library: 'https://host/a.so'", "https://host/a.so is a download and needs a sha256"),
        ("python: 'https://host/a.py:f'", "https://host/a.py:f: Python code is not downloaded automatically"),
    ],
)
def test_what_is_not_fetched_is_said_when_the_pipeline_is_read(pipeline, model, message):
    with pytest.raises(PipelineError, match=message):
        load_pipeline(pipeline(model))


def test_other_protocols_are_refused(pipeline):
    path = pipeline(f"library: 'ftp://host/a.so', sha256: {'ab' * 32}")
    with pytest.raises(ModelError, match="ftp://host/a.so: models can only be downloaded by http or https"):
        Worker(load_pipeline(path), RunOptions(seed=1))


def test_without_pooch_the_extra_is_named(pipeline, monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "pooch", None)
    path = pipeline(f"library: 'http://host/a.so', sha256: {'ab' * 32}")
    with pytest.raises(InstallationError, match=r'pip install "sqlamarr-flashsim\[fetch\]"'):
        Worker(load_pipeline(path), RunOptions(seed=1))


def test_a_pipeline_without_urls_needs_no_network(capsys):
    assert command_line("fetch", "lhcb_run2") == 0
    assert "0 of 6 models come from the network." in capsys.readouterr().out
