"""The process that carries a drill out: on a site of its own, with no way out of this computer.

Three things keep it from people, each enough by itself. Its database is new and holds nobody. It knows no gateway but
the built-in ones, which take addresses of the drill alone. And from the first line on it can open no connection.
"""

from __future__ import annotations

import sys
import time
from collections import Counter
from collections.abc import Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from commonbeat.cli.drill.plan import Plan, plan_of

if TYPE_CHECKING:
    from commonbeat.alerts.models import Alert

# Exit codes: somebody was missed, somebody who is none of the drill's would have been written to, Ctrl-C.
MISSED, STRAYED, STOPPED = 1, 3, 130
_LOOK_SECONDS = 0.2
_OUT = frozenset(
    {
        "socket.connect",
        "socket.sendto",
        "socket.sendmsg",
        "socket.getaddrinfo",
        "socket.gethostbyname",
        "smtplib.connect",
    }
)


class WayOut(RuntimeError):
    """The drill tried to leave this computer."""


def close_every_way_out() -> None:
    """Refuse connections and look-ups in this process from now on; there is no way to take that back.

    PostgreSQL's own library connects beneath Python and is not concerned.
    """
    sys.addaudithook(_refuse)


def _refuse(event: str, arguments: tuple[Any, ...]) -> None:
    if event in _OUT:
        raise WayOut(f"A drill makes no connections ({event}).")


def main(file: str) -> int:
    """Carry out the plan in a file."""
    close_every_way_out()
    plan = plan_of(Path(file).read_bytes())
    import django
    from django.conf import settings
    from django.core.management import call_command

    settings.CHANNELS = [f"commonbeat.cli.drill.gateways.{name}" for name in plan.rates]
    django.setup()
    call_command("migrate", interactive=False, verbosity=0)
    return drill(plan)


def drill(plan: Plan) -> int:
    """Make the people, let the alert go out, and print what became of it; the exit code."""
    from django.conf import settings

    from commonbeat.alerts import index
    from commonbeat.cli.drill.alert import made_alert, made_beats, release_by_two
    from commonbeat.cli.drill.loopback import Loopback
    from commonbeat.cli.drill.population import make_people
    from commonbeat.cli.drill.table import lines_of, written
    from commonbeat.foundation import clock
    from commonbeat.messaging.channel import channels
    from commonbeat.worker.run import Worker

    gateways = [one for one in channels().values() if isinstance(one, Loopback)]
    if len(gateways) != len(channels()) or len(gateways) != len(plan.rates):
        raise WayOut("A drill knows no other channels than its own.")
    for gateway in gateways:
        gateway.begin(
            rate=plan.rates[gateway.code.removeprefix("drill_")],
            failing=plan.failing,
            stumbling=plan.stumbling,
            seed=plan.seed,
        )
    beats = made_beats(plan, now=clock.now())
    make_people(plan, beats, now=clock.now())
    print(f"{plan.people:,} people who do not exist; a test alert goes out to them now.", flush=True)
    worker = Worker(settings.COMMONBEAT)
    index.current()
    worker.start()
    try:
        alert, second = made_alert(plan, beats, now=clock.now())
        released = clock.now()
        release_by_two(alert, second, now=released)
        _wait(plan, alert, gateways, released)
    finally:
        worker.stop(timeout=5.0)
    matched = _matched(alert)
    tells = [one.code for one in gateways if one.limits.address_kind == "phone"]
    lines = lines_of(alert, matched, released=released, seconds=plan.seconds, tells=tells)
    print(written(lines, seconds=plan.seconds), flush=True)
    if any(gateway.strayed for gateway in gateways):
        print("Messages for others than the drill's people were refused. This must not happen: please tell us.")
        return STRAYED
    return MISSED if any(line.waiting or line.queued < line.matched for line in lines) else 0


def _wait(plan: Plan, alert: Alert, gateways: list[Any], released: datetime) -> None:
    """Wait until everything is settled, or the time is over; hand in receipts meanwhile, as the live half does."""
    from django.db import transaction

    from commonbeat.alerts.models import FanOut
    from commonbeat.foundation import clock
    from commonbeat.messaging.actions import receive
    from commonbeat.messaging.models import Inbound, Outbound

    told = 0.0
    while clock.now() < released + timedelta(seconds=plan.give_up):
        receipts = [(gateway.code, receipt) for gateway in gateways for receipt in gateway.receipts()]
        if receipts:
            with transaction.atomic():
                for code, receipt in receipts:
                    receive(channel=code, message=receipt, now=clock.now())
        time.sleep(_LOOK_SECONDS)
        states = Counter(Outbound.objects.values_list("state", flat=True))
        is_open = FanOut.objects.filter(done_at=None).exists() or states["queued"] or states["leased"]
        unread = Inbound.objects.filter(state="new").exists()
        unheard = Outbound.objects.filter(channel="drill_sms", state="sent").exists()
        if not (is_open or receipts or unread or unheard):
            return
        if time.monotonic() - told > 5.0:
            told = time.monotonic()
            print(f"  {sum(states.values()):,} queued, {states['sent'] + states['delivered']:,} sent …", flush=True)


def _matched(alert: Alert) -> Mapping[str, int]:
    from commonbeat.alerts import index, queries
    from commonbeat.alerts.geometry import geometry_of
    from commonbeat.messaging.channel import channels
    from commonbeat.messaging.models import Contact

    found = index.current()
    positions = queries.matched(found, area=geometry_of(alert.area), kind=alert.kind, severity=alert.severity)
    wanted = set(found.subscriptions.contacts[positions].tolist())
    counted = Counter(channel for pk, channel in Contact.objects.values_list("pk", "channel") if pk in wanted)
    return {code: counted[code] for code in channels()}


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1]))
    except KeyboardInterrupt:
        # The command says so, and deletes what is here.
        sys.exit(STOPPED)
