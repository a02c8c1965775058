"""List the settings of a site."""

from __future__ import annotations

import ast
import dataclasses
import inspect
import itertools
from pathlib import Path

import click

from commonbeat.config import options as options_module
from commonbeat.config.options import KNOWN_LANGUAGES, PREFIX, Options, read_options

SECRETS = frozenset(
    {"secret_key", "database_url", "kannel_password", "kannel_hook_secret", "smsgate_password", "smsgate_signing_key"}
)
_KINDS = {
    "str": "text",
    "int": "whole number",
    "float": "number",
    "bool": "yes or no",
    "Path": "folder",
    "tuple[str, ...]": "list, separated by commas",
}
_INTRODUCTION = f"""# Settings

<!-- Made by `make settings-page` from src/commonbeat/config/options.py; a test keeps it current. -->

A site needs no settings to start. What you set stands in one file, `commonbeat.toml` in the data folder (or wherever
`COMMONBEAT_CONFIG` says), under the names in lower case (`site_name = "Our town"`), or in the environment under the
names below. The environment wins. For each secret, `COMMONBEAT_…_FILE` may name a file that holds it.
A name or value that is not known stops the start with a sentence that says what to do. `commonbeat settings` shows
what is in force, secrets hidden. Languages known: {", ".join(KNOWN_LANGUAGES)}.

| Setting | Kind | Unless set | What it does |
|---|---|---|---|
"""


@click.command()
@click.option("--markdown", is_flag=True, help="Print docs/settings.md: every setting with its default.")
def settings(markdown: bool) -> None:
    """List the settings with the values in force; secrets are hidden."""
    if markdown:
        click.echo(settings_page(), nl=False)
        return
    options = read_options()
    meanings = option_meanings()
    for field in dataclasses.fields(Options):
        value = getattr(options, field.name)
        shown = _shown(value)
        if field.name in SECRETS:
            shown = "(set)" if value else "(not set)"
        click.echo(f"{PREFIX}{field.name.upper()} = {shown}")
        click.echo(f"    {meanings[field.name]}")


def settings_page() -> str:
    """Give docs/settings.md."""
    meanings = option_meanings()
    rows = []
    for field in dataclasses.fields(Options):
        default = _shown(field.default)
        cell = f"`{default}`" if default else "empty"
        meaning = meanings[field.name].replace("|", "\\|")
        rows.append(f"| `{PREFIX}{field.name.upper()}` | {_KINDS[str(field.type)]} | {cell} | {meaning} |\n")
    return _INTRODUCTION + "".join(rows)


def option_meanings() -> dict[str, str]:
    """Read the sentence that stands below each setting in the source."""
    tree = ast.parse(inspect.getsource(options_module))
    body = next(n for n in tree.body if isinstance(n, ast.ClassDef) and n.name == "Options").body
    meanings: dict[str, str] = {}
    for field, text in itertools.pairwise(body):
        if isinstance(field, ast.AnnAssign) and isinstance(field.target, ast.Name) and isinstance(text, ast.Expr):
            assert isinstance(text.value, ast.Constant), f"{field.target.id} has no sentence"
            meanings[field.target.id] = str(text.value.value)
    return meanings


def _shown(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, tuple):
        return ",".join(map(str, value))
    if isinstance(value, Path):
        return value.as_posix()
    return str(value)
