"""Imports go downward only; the contracts stand in pyproject.toml."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

from tests.architecture.source import REPOSITORY, name_of, source_files

# A lean endpoint answers without Django's pages; what it shares with them are models, queries and rules.
PAGE_MAKERS = ("django.views", "django.shortcuts", "django.template")


def lint(folder: Path, config: str = "pyproject.toml") -> subprocess.CompletedProcess[str]:
    """Run import-linter in a process of its own, for it turns the logging of its process over."""
    code = "import sys; from importlinter.cli import lint_imports as run; sys.exit(run(sys.argv[1], no_cache=True))"
    return subprocess.run([sys.executable, "-c", code, config], cwd=folder, capture_output=True, text=True, timeout=120)


@pytest.mark.slow
def test_the_contracts_hold() -> None:
    answer = lint(REPOSITORY)
    assert answer.returncode == 0, answer.stdout


@pytest.mark.slow
def test_a_broken_contract_is_noticed(tmp_path: Path) -> None:
    # The same kind of contract as ours, on a package whose ground floor reaches up.
    for room in ("", "ground", "web", "open"):
        (tmp_path / "smallhouse" / room).mkdir(parents=True, exist_ok=True)
        (tmp_path / "smallhouse" / room / "__init__.py").write_text("")
    (tmp_path / "contracts.ini").write_text(
        "[importlinter]\nroot_package = smallhouse\n"
        "[importlinter:contract:1]\nname = down\ntype = layers\ncontainers = smallhouse\n"
        "layers =\n    web | open\n    ground\n"
    )
    assert lint(tmp_path, "contracts.ini").returncode == 0
    (tmp_path / "smallhouse" / "ground" / "__init__.py").write_text("import smallhouse.web\n")
    assert "smallhouse.ground -> smallhouse.web" in lint(tmp_path, "contracts.ini").stdout


def test_the_lean_endpoints_import_no_page_making() -> None:
    found = []
    for path in source_files(".py"):
        if not name_of(path).startswith("live/"):
            continue
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            names = [a.name for a in node.names] if isinstance(node, ast.Import) else []
            if isinstance(node, ast.ImportFrom):
                names = [node.module or ""]
            found += [f"{name_of(path)}:{node.lineno} imports {n}" for n in names if n.startswith(PAGE_MAKERS)]
    assert found == []
