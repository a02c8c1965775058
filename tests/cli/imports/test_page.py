"""docs/importing.md: its files and commands, as they are written there."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest
from click.testing import CliRunner

from commonbeat.cli.imports.command import import_group
from commonbeat.cli.imports.mapping import Mapping, Place, Values, read_mapping
from commonbeat.reports.models import ImportBatch, Report, State
from commonbeat.topics.ready_made import install_ready_made
from tests import make
from tests.conftest import REPOSITORY

PAGE = (REPOSITORY / "docs/importing.md").read_text("utf-8")
BLOCKS = re.findall(r"^```(\w*) ?(\S*)\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)


def test_the_page_runs_as_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, db: None) -> None:
    make.fallback()
    install_ready_made(make.NOW)
    monkeypatch.chdir(tmp_path)
    said = ""
    for kind, name, written in BLOCKS:
        if name:
            Path(name).write_text(written, "utf-8")
        elif kind == "sh":
            for line in written.splitlines():
                said = run(line)
        else:
            # What the page shows is what the command before it said.
            assert written in said
    assert {batch.source for batch in ImportBatch.objects.all()} == {"council-dumps", "app", "ushahidi:quake"}
    assert Report.objects.filter(state=State.REJECTED).count() == 3
    assert Path("not-taken.csv").read_text("utf-8").count("\n") == 2


def run(line: str) -> str:
    command, group, *arguments = shlex.split(line)
    assert (command, group) == ("commonbeat", "import")
    if arguments[0] == "undo":
        # Numbers of a test database do not begin anew.
        arguments[1] = str(ImportBatch.objects.earliest("pk").pk)
    result = CliRunner().invoke(import_group, arguments)
    assert result.exit_code == 0, result.output
    return result.output


def test_the_page_names_every_key() -> None:
    table = PAGE.partition("## What a mapping may say")[2].partition("\n## ")[0]
    for kind in (Mapping, Place, Values):
        for key in kind.__struct_fields__:
            assert f"`{key}`" in table or f"`[{key}" in table or f"`{key} = " in table, key


def test_shipped_mappings_are_mappings() -> None:
    shipped = sorted((REPOSITORY / "docs/mappings").glob("*.toml"))
    assert shipped
    for file in shipped:
        assert read_mapping(file).source
