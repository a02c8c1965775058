"""List the settings of a site."""

from __future__ import annotations

import ast
import dataclasses
import inspect
import itertools
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click

from commonbeat.config.gateway_options import GatewayOptions
from commonbeat.config.mail_options import MailOptions
from commonbeat.config.options import KNOWN_LANGUAGES, PREFIX, Options, read_options

_SECRET_WORDS = frozenset({"secret", "password", "key", "token"})
# A database address may carry its password.
SECRETS = frozenset(
    field.name for field in dataclasses.fields(Options) if _SECRET_WORDS & set(field.name.split("_"))
) | {"database_url"}
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
    for field in _fields():
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
    for field in _fields():
        default = _shown(field.default)
        cell = f"`{default}`" if default else "empty"
        meaning = meanings[field.name].replace("|", "\\|")
        rows.append(f"| `{PREFIX}{field.name.upper()}` | {_KINDS[str(field.type)]} | {cell} | {meaning} |\n")
    return _INTRODUCTION + "".join(rows)


def option_meanings() -> dict[str, str]:
    """Read the sentence that stands below each setting in the source."""
    return {name: meaning for table in (Options, GatewayOptions, MailOptions) for name, meaning in _meanings_in(table)}


def _meanings_in(table: type) -> Iterator[tuple[str, str]]:
    body = ast.parse(inspect.getsource(table)).body[0]
    assert isinstance(body, ast.ClassDef)
    for field, text in itertools.pairwise(body.body):
        if isinstance(field, ast.AnnAssign) and isinstance(field.target, ast.Name) and isinstance(text, ast.Expr):
            assert isinstance(text.value, ast.Constant), f"{field.target.id} has no sentence"
            yield field.target.id, str(text.value.value)


def _fields() -> list[dataclasses.Field[Any]]:
    # What every site may need first, gateways last.
    last = {field.name for field in dataclasses.fields(GatewayOptions)}
    return sorted(dataclasses.fields(Options), key=lambda field: field.name in last)


def _shown(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, tuple):
        return ",".join(map(str, value))
    if isinstance(value, Path):
        return value.as_posix()
    return str(value)
