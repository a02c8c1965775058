"""List the settings of a site."""

from __future__ import annotations

import dataclasses
from typing import Any

import click

from commonbeat.config.gateway_options import GatewayOptions
from commonbeat.config.option_words import SECRETS, option_meanings, written
from commonbeat.config.options import KNOWN_LANGUAGES, PREFIX, Options, read_options

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
what these set, secrets hidden. Languages known: {", ".join(KNOWN_LANGUAGES)}.

What belongs to a channel can also be set on its page, *Administration → Channels*, without a restart
([how](operating.md#the-settings-of-channels)); what the file or the environment sets wins over the page.
`commonbeat channels` tells which of them set what.

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
        shown = written(value)
        if field.name in SECRETS:
            shown = "(set)" if value else "(not set)"
        click.echo(f"{PREFIX}{field.name.upper()} = {shown}")
        click.echo(f"    {meanings[field.name]}")


def settings_page() -> str:
    """Give docs/settings.md."""
    meanings = option_meanings()
    rows = []
    for field in _fields():
        default = written(field.default)
        cell = f"`{default}`" if default else "empty"
        meaning = meanings[field.name].replace("|", "\\|")
        rows.append(f"| `{PREFIX}{field.name.upper()}` | {_KINDS[str(field.type)]} | {cell} | {meaning} |\n")
    return _INTRODUCTION + "".join(rows)


def _fields() -> list[dataclasses.Field[Any]]:
    # What every site may need first, gateways last.
    last = {field.name for field in dataclasses.fields(GatewayOptions)}
    return sorted(dataclasses.fields(Options), key=lambda field: field.name in last)
