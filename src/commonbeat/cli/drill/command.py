"""commonbeat drill: how far and how fast a test alert goes, to people who do not exist."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import click
from django.conf import settings

from commonbeat.cli.drill.plan import CHANNELS, Plan, polygons_in
from commonbeat.cli.drill.plan import Beat as Outline
from commonbeat.cli.drill.scratch import scratch_site
from commonbeat.messaging import policy
from commonbeat.messaging.channel import channels as site_channels
from commonbeat.places.models import Beat

MOST_PEOPLE = 1_000_000
_ADDRESS_KINDS = {"push": "push", "email": "email"}
_USUAL_RATES = {"sms": 20.0, "push": 1_000.0, "email": 10.0}
# How long a process that was asked to end may take for it.
_PATIENCE_SECONDS = 15


@click.command("drill")
@click.option(
    "--people", default=1_000, show_default=True, type=click.IntRange(1, MOST_PEOPLE), help="How many people."
)
@click.option("--channels", default=",".join(CHANNELS), show_default=True, help="Channels that they are reached by.")
@click.option("--area", help="A beat's name, or a GeoJSON file with a polygon; unless given, all beats.")
@click.option("--seconds", default=60.0, show_default=True, type=click.FloatRange(0.1), help="Longer is delayed.")
@click.option("--rates", default="", help="Messages a second, instead of the site's own pace: sms=50,push=500.")
@click.option(
    "--failing", default=2.0, show_default=True, type=click.FloatRange(0, 100), help="Percent refused for good."
)
@click.option(
    "--stumbling", default=3.0, show_default=True, type=click.FloatRange(0, 100), help="Percent refused once."
)
@click.option("--seed", default=1, show_default=True, help="The same seed makes the same people fail.")
@click.option("--give-up", default=600.0, show_default=True, type=click.FloatRange(1), help="Seconds until it ends.")
@click.option("--keep", is_flag=True, help="Leave the drill's folder and database, to look at them.")
def drill(
    people: int, channels: str, area: str | None, seconds: float, rates: str, failing: float, stumbling: float,
    seed: int, give_up: float, keep: bool,
) -> None:  # fmt: skip
    """Send a test alert to people who do not exist, and print reached, delayed and failed per channel.

    It runs on a site of its own, with the beats of this one and the pace of its gateways, in a process that can open no
    connection: nobody real is written to, and this site's data stay as they are. Exit code 1 when somebody was missed.
    """
    named = _channels(channels)
    outlines, polygons = _where(area)
    plan = Plan(
        people=people,
        rates=_rates(named, rates),
        beats=outlines,
        polygons=polygons,
        languages=list(settings.COMMONBEAT.languages),
        seconds=seconds,
        give_up=give_up,
        failing=failing / 100,
        stumbling=stumbling / 100,
        seed=seed,
    )
    with scratch_site(settings.COMMONBEAT, keep=keep) as site:
        file = site.folder / "plan.json"
        file.write_bytes(plan.encoded())
        if site.remark:
            click.echo(site.remark)
        code = _run([sys.executable, "-m", "commonbeat.cli.drill.run", str(file)], dict(site.environment))
        if keep:
            click.echo(
                f"Kept: {site.folder}"
                + (f", database {site.database_url.rpartition('/')[2]}" * bool(site.database_url))
            )
    if code:
        sys.exit(code)


def _run(command: list[str], environment: dict[str, str]) -> int:
    """Run the drill's process; Ctrl-C ends it, and the caller then deletes what it made."""
    # Asked to end by whatever has started it, it cleans up as after Ctrl-C.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    process = subprocess.Popen(command, env=environment)  # noqa: S603  # this program, with a file of our own
    try:
        return process.wait()
    except KeyboardInterrupt:
        click.echo("Stopped. The drill's people are deleted.", err=True)
        return 130
    finally:
        if process.poll() is None:
            process.terminate()
            try:
                process.wait(_PATIENCE_SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def _channels(text: str) -> list[str]:
    named = [one.strip() for one in text.split(",") if one.strip()]
    if not named or any(one not in CHANNELS for one in named):
        raise click.BadParameter(f"name some of {', '.join(CHANNELS)}", param_hint="--channels")
    return list(dict.fromkeys(named))


def _rates(named: list[str], text: str) -> dict[str, float]:
    """Give the pace of each channel: as said, else that of the site's gateway of such a kind."""
    try:
        given = {name.strip(): float(rate) for name, _, rate in (one.partition("=") for one in text.split(",") if one)}
    except ValueError:
        raise click.BadParameter("write it like sms=50,push=500", param_hint="--rates") from None
    if any(name not in CHANNELS or not 0 < rate <= 100_000 for name, rate in given.items()):
        raise click.BadParameter("write it like sms=50,push=500", param_hint="--rates")
    return {name: given.get(name) or _site_rate(name) for name in named}


def _site_rate(name: str) -> float:
    known = site_channels()
    if name == "sms":
        channel = known.get(settings.COMMONBEAT.sms_channel)
    else:
        channel = next((one for one in known.values() if one.limits.address_kind == _ADDRESS_KINDS[name]), None)
    return policy.rate_of(channel) if channel is not None else _USUAL_RATES[name]


def _where(area: str | None) -> tuple[list[Outline], list[dict[str, Any]]]:
    """Give the site's beats, and the polygons that the alert is for where it is not for beats."""
    found = list(Beat.objects.order_by("pk").values_list("name", "area"))
    if not found:
        raise click.ClickException("This site has no beats, around which people could live. Draw one first.")
    if area is None:
        return [Outline(outline) for _, outline in found], []
    chosen = area.strip().casefold()
    if any(name.casefold() == chosen for name, _ in found):
        return [Outline(outline, name.casefold() == chosen) for name, outline in found], []
    try:
        polygons = polygons_in(json.loads(Path(area).read_text("utf-8")))
    except (OSError, ValueError, RecursionError):
        raise click.ClickException(f"“{area}” is neither a beat's name nor a file with a GeoJSON polygon.") from None
    return [Outline(outline) for _, outline in found], polygons
