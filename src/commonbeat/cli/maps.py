"""Count the figures of the public map anew."""

from __future__ import annotations

import time

import click

from commonbeat.foundation import clock
from commonbeat.maps.queries import buckets, totals
from commonbeat.reactions.auditing import rebuild as rebuild_scores
from commonbeat.reactions.counting import rebuild as rebuild_counts


@click.group("maps")
def maps_group() -> None:
    """Look after the figures of the public map."""


@maps_group.command("rebuild")
@click.option(
    "--redraw",
    is_flag=True,
    help="Also draw the periods anew that are over. Whoever kept the old figures can see what was withdrawn since.",
)
def rebuild(redraw: bool) -> None:
    """Count every published report anew. With SQLite nobody can send reports meanwhile, so choose a quiet hour."""
    begun = time.monotonic()
    counted = rebuild_counts(clock.now(), redraw=redraw)
    rebuild_scores(clock.now(), redraw=redraw)
    found = totals(buckets())
    click.echo(f"{counted} published reports counted in {time.monotonic() - begun:.0f} s. On public maps now:")
    click.echo(f"  {found.placed:>9} at a place")
    click.echo(f"  {found.without_place:>9} without a place")
    click.echo(f"  {found.merged:>9} too few anywhere, told together")
    click.echo(f"  {found.total:>9} in all")
