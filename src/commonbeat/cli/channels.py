"""Connect a channel to its provider, where that takes a call."""

from __future__ import annotations

import click

from commonbeat.channels.telegram import channel as telegram


@click.group("channels")
def channels_group() -> None:
    """Connect channels to their providers."""


@channels_group.group("telegram")
def telegram_group() -> None:
    """Look after the Telegram bot."""


@telegram_group.command("connect")
def connect() -> None:
    """Tell Telegram where to call; once, and again after the address or the secret has changed."""
    try:
        click.echo(telegram.connect())
    except ValueError as refused:
        raise click.ClickException(str(refused)) from None
