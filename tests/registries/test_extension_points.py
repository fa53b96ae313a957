"""An entry of ours is a file and nothing else: what depends on it is derived, and it is documented."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from run_tools import command_line

from sqlamarr.cli.plugin import registries
from sqlamarr.compiler.reader import READERS
from sqlamarr.exporters.format import FORMATS
from sqlamarr.models.kind import KINDS as MODELS
from sqlamarr.report.section import SECTIONS
from sqlamarr.sources.kind import SOURCES, ContentKind

ROOT = Path(__file__).parents[2]


def page(name):
    return (ROOT / "docs" / name).read_text()


@pytest.mark.parametrize("name", FORMATS.ours())
def test_every_format_is_taken_by_its_name_and_by_its_suffixes(name, reference, tmp_path, capsys):
    format = FORMATS.get(name)
    table = ["-t", "Tracks"] if format.TAKES_TABLES else []
    assert command_line("export", reference[0], tmp_path / "out", "--format", name, *table) == 0
    for suffix in format.SUFFIXES:
        capsys.readouterr()
        assert command_line("export", reference[0], tmp_path / f"out{suffix}", *table) == 0
        assert f": {name}, " in capsys.readouterr().out
    assert command_line("export", reference[0], tmp_path / "no", "--format", "no") == 2
    assert name in capsys.readouterr().err


def test_the_options_of_formats_are_described_shown_and_have_defaults(capsys):
    assert command_line("export", "--help") == 0
    shown = capsys.readouterr().out
    for name, format in FORMATS.own():
        assert format.HELP, name
        for option, schema in format.OPTIONS.items():
            assert {"description", "default"} <= set(schema), (name, option)
            assert f"--{option.replace('_', '-')}" in shown


def test_a_new_file_is_a_new_format(tmp_path, monkeypatch, reference):
    import sqlamarr.exporters.formats as package
    from sqlamarr.registries import registry

    (tmp_path / "newest.py").write_text(
        "from sqlamarr.exporters.format import Format\n"
        "class Newest(Format):\n"
        "    HELP, SUFFIXES = 'new', ('.newest',)\n"
        "    def write(self, db, path, tables, options, summary):\n"
        "        path.write_text('new')\n"
        "exporter = Newest()\n"
    )
    monkeypatch.setattr(package, "__path__", [*package.__path__, str(tmp_path)])
    registry._modules_of.cache_clear()
    try:
        assert command_line("export", reference[0], tmp_path / "out.newest") == 0
        assert (tmp_path / "out.newest").read_text() == "new"
    finally:
        registry._modules_of.cache_clear()


def test_every_format_is_documented():
    for name, format in FORMATS.own():
        for suffix in format.SUFFIXES:
            assert suffix in page("export.md"), name
        for option in format.OPTIONS:
            assert f"--{option.replace('_', '-')}" in page("export.md"), (name, option)


def test_every_kind_of_source_is_documented():
    for name, kind in SOURCES.own():
        assert kind.HELP, name
        word = name.upper() if isinstance(kind, ContentKind) else f"{name}:"
        assert word in page("sources.md").replace("HepMC3", "HEPMC") + page("gun.md"), name


def test_every_kind_of_model_and_its_options_are_documented():
    for name, kind in MODELS.own():
        assert f"`{name}`" in page("models.md"), name
        for option in kind.OPTIONS:
            assert f"{option}:" in page("models.md"), (name, option)


def test_every_section_of_the_report_is_documented():
    for name, maker in SECTIONS.own():
        assert maker.HELP, name
        assert re.search(rf"^\| {name.replace('_', ' ')} \|", page("report.md"), re.MULTILINE | re.IGNORECASE), name


def test_every_suffix_that_the_compiler_reads_is_documented():
    for _, reader in READERS.own():
        for suffix in reader.SUFFIXES:
            assert suffix in page("compiler.md"), suffix


def test_every_group_of_entry_points_is_documented_and_no_other():
    groups = set(re.findall(r"^\| `sqlamarr\.(\w+)` \|", page("plugins.md"), re.MULTILINE))
    assert groups == {registry.group for registry in registries()}


def test_the_template_package_has_an_entry_of_almost_every_group():
    text = (ROOT / "examples" / "package" / "pyproject.toml").read_text()
    groups = set(re.findall(r"entry-points\.\"sqlamarr\.(\w+)\"", text))
    assert groups == {registry.group for registry in registries()} - {"models"}
    assert all(f"`sqlamarr.{group}`" in (ROOT / "examples/package/README.md").read_text() for group in groups)


def test_names_of_groups_in_contributing_are_folders_that_exist():
    for folder in re.findall(r"`(sqlamarr/[\w/]+/)`", (ROOT / "CONTRIBUTING.md").read_text()):
        assert (ROOT / folder).is_dir(), folder
