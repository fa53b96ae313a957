"""What exists is documented."""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
from pathlib import Path

import apsw
import pytest
from run_tools import command_line

import sqlamarr
from sqlamarr.cli import group, main
from sqlamarr.errors import DISTRIBUTION
from sqlamarr.output.file import quoted_count
from sqlamarr.pipeline.load import SCHEMA
from sqlamarr.running.run import run
from sqlamarr.steps.registry import KINDS

ROOT = Path(__file__).parents[2]


def test_every_sql_function_is_documented_and_every_documented_one_exists(db):
    builtin = {row[0] for row in apsw.Connection(":memory:").execute("SELECT name FROM pragma_function_list")}
    ours = {row[0] for row in db.execute("SELECT name FROM pragma_function_list")} - builtin
    text = (ROOT / "docs" / "sql_functions.md").read_text()
    assert set(re.findall(r"`(\w+)\(", text)) == ours - {"sqlamarr_sink"}


def tracked_texts():
    names = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=False).stdout.split(b"\0")
    paths = [ROOT / name.decode() for name in names if name] or [p for p in ROOT.rglob("*") if ".git" not in p.parts]
    endings = {".md", ".py", ".sh", ".sub", ".toml", ".txt", ".yaml", ".yml", ".cff", ".cpp", ".h", ".html"}
    return {p: p.read_text() for p in paths if p.suffix in endings and p.is_file() and p != Path(__file__)}


def test_what_to_install_is_ours_and_has_the_extra():
    """On the index the name sqlamarr is another group's."""
    extras = set(re.findall(r"^(\w+) = \[", (ROOT / "pyproject.toml").read_text().partition("[project.opt")[2], re.M))
    found = 0
    for path, text in tracked_texts().items():
        assert not re.search(r"\bsqlamarr\[|pip install [\"']?sqlamarr(?![-\w])", text), path
        for names in re.findall(re.escape(DISTRIBUTION) + r"\[([\w,]+)\]", text):
            assert set(names.split(",")) <= extras, (path, names)
            found += 1
        for package, extra in re.findall(r"missing_package\([^\n]*\"([\w-]+)\", \"(\w+)\"\)", text):
            assert extra in extras or extra == package, (path, extra)
            found += 1
    assert found > 20


def test_links_between_pages_and_files_lead_somewhere():
    pages = [page for page in tracked_texts() if page.suffix == ".md"]
    for page in pages:
        for link in re.findall(r"\]\(([^)#:\s]+)(?:#[^)]*)?\)", page.read_text()):
            assert (page.parent / link).exists(), (page, link)
    assert len(pages) > 10


def test_no_builtin_function_is_shadowed(db):
    assert db.execute("SELECT log(100.0)").fetchone() == (2.0,)


def test_every_command_is_in_the_readme():
    text = (ROOT / "README.md").read_text()
    for name in group.list_commands(None):
        assert f"`sqlamarr {name}" in text, name


def test_every_command_and_option_has_a_help_text():
    for name in group.list_commands(None):
        command = group.get_command(None, name)
        assert command.help, name
        for parameter in command.params:
            if parameter.param_type_name == "option":
                assert parameter.help, (name, parameter.name)


@pytest.mark.parametrize("kind", KINDS.ours())
def test_every_option_of_every_step_is_described(kind):
    schema = KINDS.get(kind).SCHEMA
    assert schema["additionalProperties"] is False
    for name, option in schema["properties"].items():
        assert option.get("description"), name


def test_every_kind_of_step_and_every_key_of_a_pipeline_is_documented():
    text = (ROOT / "docs" / "pipelines.md").read_text()
    for kind, step in KINDS.own():
        assert f"**`{kind}`**" in text, kind
        for option in step.SCHEMA["properties"]:
            assert f"`{option}`" in text, (kind, option)
    for key in SCHEMA["properties"]:
        assert f"`{key}`" in text, key


def test_every_column_of_lengths_and_momenta_has_its_unit():
    units = {"x": "mm", "y": "mm", "z": "mm", "t": "mm/c", "p": "MeV", "pt": "MeV", "pe": "MeV", "m": "MeV"}
    units |= {"px": "MeV", "py": "MeV", "pz": "MeV", "qop": "1/MeV"}
    for path in (ROOT / "sqlamarr" / "database" / "schema.sql", ROOT / "pipelines" / "lhcb_run2" / "schema.sql"):
        for line in path.read_text().splitlines():
            match = re.match(r"\s+(\w+) REAL", line)
            if match and match.group(1) in units:
                assert f"[{units[match.group(1)]}" in line, f"{path.name}: {line}"


def test_the_readme_shows_how_many_rows_the_example_gives(example, tmp_path):
    text = (ROOT / "README.md").read_text()
    run("lhcb_run2", [example], tmp_path / "out.db", seed=42)
    for table, rows in re.findall(r"^  (\w+) +([\d,]+) rows$", text, re.MULTILINE):
        with sqlamarr.open(tmp_path / "out.db") as db:
            assert f"{quoted_count(db, table):,}" == rows, table


def test_the_readme_shows_what_the_export_gives(example, tmp_path, capsys):
    text = (ROOT / "README.md").read_text().partition("<!-- root -->")[2]
    run("lhcb_run2", [example], tmp_path / "out.db", seed=42)
    with pytest.raises(SystemExit):
        main(["export", str(tmp_path / "out.db"), str(tmp_path / "out.root")])
    row = re.compile(r"^  (\w+) +([\d,]+ entries, +\d+ columns)$", re.MULTILINE)
    shown, given = dict(row.findall(text)), dict(row.findall(capsys.readouterr().out))
    assert shown
    for table, numbers in shown.items():
        assert alike(given[table], numbers), table


PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
ELSEWHERE = re.compile("import ROOT|classifier|{{")  # what needs programs, models or templates that are not here
COMMANDS = ("sql", "gun", "export", "tuple")  # whose output depends on the file and the seed alone


def blocks(page, language):
    return re.findall(rf"^```{language}\n(.*?)^```", page.read_text(), re.MULTILINE | re.DOTALL)


def commands(page):
    """Commands of the console with what they print."""
    for block in blocks(page, "console"):
        for part in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]:
            lines = part.splitlines()
            for n in range(1, len(lines) + 1):  # a command goes on while a quotation is open
                text = "\n".join(lines[:n])
                if text.count('"') % 2 == text.count("'") % 2 == 0 and not text.endswith("\\"):
                    yield shlex.split(text.replace("\\\n", " "), comments=True), "\n".join(lines[n:])
                    break


def alike(printed, shown):
    """Whether the words agree, and the numbers within a tenth: a change of physics need not edit pages."""
    number = re.compile(r"(?<![\w.])-?\d[\d,]*(?:\.\d+)?(?:e[-+]\d+)?")
    if re.sub(r"[-\s]+", " ", number.sub("#", printed)) != re.sub(r"[-\s]+", " ", number.sub("#", shown)):
        return False
    pairs = zip(number.findall(printed), number.findall(shown))
    return all(abs(float(a.replace(",", "")) - (n := float(b.replace(",", "")))) <= 0.1 * abs(n) + 3 for a, b in pairs)


def test_a_page_with_other_words_or_far_numbers_is_stale():
    assert alike("a.root: 1.50 MB\n  Tracks   957 entries", "a.root: 1.49 MB\n  Tracks  1,001 entries")
    assert not alike("Tracks 957 entries", "Tracks 557 entries")
    assert not alike("Tracks 957 entries", "Traks 957 entries")


@pytest.fixture
def desk(tmp_path, monkeypatch, reference):
    """A folder as a reader of the documentation has it: the examples, and out.db."""
    (tmp_path / "examples").symlink_to(ROOT / "examples")
    shutil.copy(reference[0], tmp_path / "out.db")
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_what_a_page_shows_runs_and_gives_what_is_shown(page, desk, capsys):
    for words, shown in commands(page):
        runs = words[:2] == ["sqlamarr", "run"] and words[3].startswith("examples/")
        if runs or (words[1] in COMMANDS and Path(words[2]).exists()):
            again = ["--overwrite"] if words[1] not in ("sql", "gun") else []
            assert command_line(*words[1:], *again) == 0, words
            printed = capsys.readouterr().out.rstrip()
            assert runs or not shown.strip() or alike(printed, shown.rstrip()), (words, printed)
    for text in blocks(page, "sql"):
        if not ELSEWHERE.search(text):
            with sqlamarr.open("out.db") as db:
                assert db.execute(text).fetchall()
    for text in blocks(page, "python"):
        if not ELSEWHERE.search(text):
            exec(text, {"sqlamarr": sqlamarr})
            for kind in re.findall(r"@register\(\"(\w+)\"\)", text):
                KINDS.forget(kind)
