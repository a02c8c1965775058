"""commonbeat demo: an invented town to try everything in."""

from __future__ import annotations

from collections.abc import Iterator

import click
from django.conf import settings
from django.db import transaction

from commonbeat.cli.demo.fill import fill_demo
from commonbeat.cli.demo.reporters import fill_reporters, plan_of
from commonbeat.foundation import clock
from commonbeat.people.models import User
from commonbeat.reactions.auditing import rebuild as rebuild_scores
from commonbeat.reactions.counting import rebuild
from commonbeat.reports.models import Report

SETTINGS = """# Settings of the demo; see docs/settings.md for all of them.
demo = true
site_name = "{site_name}"
sms_number = "+383 44 000 100"
"""


DEPLOYMENTS = ("town", "stock-outs", "election")


@click.command("demo")
@click.option("--if-empty", is_flag=True, help="Do nothing, and say nothing, where a site stands already.")
@click.option(
    "--deployment",
    type=click.Choice(DEPLOYMENTS),
    default=DEPLOYMENTS[0],
    help="The town itself, its clinics that report what has run out, or its polling stations.",
)
def demo(if_empty: bool, deployment: str) -> None:
    """Fill an empty site with the invented town Bregova."""
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
        click.progressbar(_filling(deployment), label="Making the demo", length=12) as steps,
    ):
        done = list(steps)
        # A town with a past: the periods that are over are drawn at once.
        rebuild(clock.now(), redraw=True)
        rebuild_scores(clock.now(), redraw=True)
    file = settings.COMMONBEAT.data_dir / "commonbeat.toml"
    if not file.exists():
        name = "Bregova" if deployment == "town" else plan_of(deployment)["site_name"]
        file.write_text(SETTINGS.format(site_name=name), "utf-8")
    for sentence in done:
        click.echo(sentence)


def _filling(deployment: str) -> Iterator[str]:
    now = clock.now()
    return fill_demo(now=now) if deployment == "town" else fill_reporters(deployment, now=now)
