"""commonbeat demo: an invented town to try everything in."""

from __future__ import annotations

import click
from django.conf import settings
from django.db import transaction

from commonbeat.cli.demo.fill import fill_demo
from commonbeat.foundation import clock
from commonbeat.people.models import User
from commonbeat.reactions.auditing import rebuild as rebuild_scores
from commonbeat.reactions.counting import rebuild
from commonbeat.reports.models import Report

SETTINGS = """# Settings of the demo town; see docs/settings.md for all of them.
demo = true
site_name = "Bregova"
sms_number = "+383 44 000 100"
"""


@click.command("demo")
@click.option("--if-empty", is_flag=True, help="Do nothing, and say nothing, where a site stands already.")
def demo(if_empty: bool) -> None:
    """Fill an empty site with the demo town Bregova."""
    if Report.objects.exists() or User.objects.exists():
        if if_empty:
            return
        raise click.ClickException(
            f"There is a site in {settings.COMMONBEAT.data_dir} already. The demo only fills an empty site; "
            "set COMMONBEAT_DATA_DIR to a new folder."
        )
    # All or nothing: an interrupted demo leaves an empty site, which the next run fills.
    with (
        transaction.atomic(),
        click.progressbar(fill_demo(now=clock.now()), label="Making the demo town", length=6) as steps,
    ):
        done = list(steps)
        # A town with a past: the periods that are over are drawn at once.
        rebuild(clock.now(), redraw=True)
        rebuild_scores(clock.now(), redraw=True)
    file = settings.COMMONBEAT.data_dir / "commonbeat.toml"
    if not file.exists():
        file.write_text(SETTINGS, "utf-8")
    for sentence in done:
        click.echo(sentence)
