"""Tell how channels are set up, and connect one to its provider where that takes a call."""

from __future__ import annotations

from collections.abc import Iterator

import click

from commonbeat.channels.telegram import channel as telegram
from commonbeat.config.options import PREFIX
from commonbeat.messaging.channel import channels, setup_of
from commonbeat.messaging.in_force import (
    faults_in_force,
    names_of_machine,
    names_set_on_pages,
    options_in_force,
    refresh,
)


@click.group("channels", invoke_without_command=True)
@click.pass_context
def channels_group(context: click.Context) -> None:
    """Tell how each channel is set up, without values; the commands connect one to its provider."""
    if context.invoked_subcommand is None:
        refresh()
        for line in channel_states():
            click.echo(line)


def channel_states() -> Iterator[str]:
    """Say of each channel what it can do, and of each of its settings who has set it; never a value."""
    options, machine, on_pages = options_in_force(), names_of_machine(), names_set_on_pages()
    faults = faults_in_force()
    for code, channel in channels().items():
        setup = setup_of(channel)
        can = [
            word
            for word, names in (("receives", setup.to_receive), ("sends", setup.to_send))
            if names and all(getattr(options, name) for name in names)
        ]
        yield f"{code}  {setup.title}: {' and '.join(can) or 'not set up'}"
        for name in setup.names:
            if name in faults:
                state = f"set on the page and not used. {faults[name]}"
            elif name in machine:
                state = "set by the environment"
            elif name in on_pages:
                state = "set on the page"
            elif name in setup.optional:
                continue
            else:
                state = "not set"
            yield f"    {PREFIX}{name.upper()}: {state}"


@channels_group.group("telegram")
def telegram_group() -> None:
    """Look after the Telegram bot."""


@telegram_group.command("connect")
def connect() -> None:
    """Tell Telegram where to call; once, and again after the address or the secret has changed."""
    refresh()
    try:
        click.echo(telegram.connect())
    except ValueError as refused:
        raise click.ClickException(str(refused)) from None
