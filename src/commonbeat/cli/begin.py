"""Make the beginnings of a real site."""

from __future__ import annotations

import secrets

import click

from commonbeat.foundation import clock
from commonbeat.foundation.ids import ALPHABET
from commonbeat.people.actions import PeopleError, create_staff, create_unit
from commonbeat.people.models import Role, Unit
from commonbeat.topics.models import Topic
from commonbeat.topics.ready_made import install_ready_made


@click.command()
@click.option(
    "--administrator", default="", metavar="NAME", help="Make an administrator's account with this user name."
)
@click.option("--desk", default="Desk", show_default=True, help="Name of the unit that gets what no beat contains.")
def begin(administrator: str, desk: str) -> None:
    """Make the fallback desk, the ready-made topics and an administrator; what exists is left alone."""
    now = clock.now()
    try:
        if not Unit.objects.exists():
            create_unit(name=desk, is_fallback=True, actor_id=None, now=now)
            click.echo(f"The unit “{desk}” gets every report that no beat contains.")
        if not Topic.objects.exists():
            click.echo(f"{len(install_ready_made(now))} ready-made topics are in place.")
        if administrator:
            # 16 of 31 characters carry 79 bits.
            password = "-".join("".join(secrets.choice(ALPHABET) for _ in range(4)) for _ in range(4)).lower()
            create_staff(
                username=administrator, password=password, role=Role.ADMINISTRATOR, unit_id=None, actor_id=None, now=now
            )
            click.echo(f"Sign in as {administrator} with the password {password} and set up the second factor at once.")
            click.echo("It is shown only here. Change it after signing in.")
    except PeopleError as error:
        raise click.ClickException(str(error)) from None
