"""Say what would be deleted now because its time is over."""

from __future__ import annotations

import click
from django.conf import settings

from commonbeat.foundation import clock
from commonbeat.reactions.retention import due_by_table


@click.command("retention")
def retention() -> None:
    """Count what the worker will delete next, by kind; nothing is changed. See docs/retention.md."""
    options = settings.COMMONBEAT
    click.echo(f"Closed and published reports are kept {options.report_retention_days} days after their last change,")
    click.echo(f"contacts and messages {options.contact_retention_days} days, raw texts {options.raw_retention_days}.")
    for what, count in due_by_table(clock.now()).items():
        click.echo(f"  {count:>9} {what}")
    click.echo("A running worker deletes this within the hour. Other settings: set them and run this again.")
