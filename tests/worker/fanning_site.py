"""A site of its own, and workers of it that may be killed; run as a program with one of the steps below."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Any

# As a program it is run by itself, whatever folder it is called from.
sys.path.insert(0, str(Path(__file__).resolve().parent.parent.parent))


def prepare(number: int) -> None:
    """Make the tables, people who asked for alerts, and an alert that is out."""
    from django.core.management import call_command

    call_command("migrate", verbosity=0)
    from commonbeat.foundation import clock
    from commonbeat.people.models import Role
    from tests.alerts.going_out import alert_out, draft_of, many_subscribers
    from tests.make import make_unit, make_user

    now = clock.now()
    many_subscribers(number, now=now)
    officer = make_user("officer", role=Role.OFFICER, unit=make_unit(is_fallback=True), second_factor=False)
    alert_out(officer, draft=draft_of(now=now), now=now)


def work(size: int) -> None:
    """Queue as the worker does, in batches of such a size, until all is done."""
    from commonbeat.worker import fanning

    fanning.BATCH = fanning.FIRST_BATCH = size
    step = fanning.Fanning(on_queued=lambda: print("queued", flush=True)).step
    print("ready", flush=True)
    sys.stdin.readline()
    while step():
        pass


def cancel(_: int) -> None:
    """Cancel the alert, wherever it is."""
    from commonbeat.alerts.actions.follow import cancel_alert
    from commonbeat.alerts.models import Alert
    from commonbeat.foundation import clock
    from commonbeat.people.models import User

    first = Alert.objects.get(root=None)
    cancel_alert(alert_id=first.pk, actor=User.objects.get(username="officer"), now=clock.now())


def account(_: int) -> None:
    """Print what was queued, and what the books say of it."""
    from commonbeat.alerts.models import FanOut
    from commonbeat.messaging.models import Outbound

    rows = Outbound.objects.filter(idempotency_key__startswith="alert:")
    columns = ("matched", "passed", "queued", "capped", "silent", "recalled")
    said = {
        "rows": rows.count(),
        "people": rows.values("contact_id").distinct().count(),
        "states": dict(_counted(rows)),
        "books": [{name: getattr(one, name) for name in columns} for one in FanOut.objects.order_by("pk")],
        "open": FanOut.objects.filter(done_at=None, stopped_at=None).count(),
    }
    print(json.dumps(said))


def _counted(rows: Any) -> Any:
    from django.db.models import Count

    return rows.order_by().values_list("state").annotate(Count("id"))


if __name__ == "__main__":
    os.environ["DJANGO_SETTINGS_MODULE"] = "commonbeat.config.settings"
    import django

    django.setup()
    {"prepare": prepare, "work": work, "cancel": cancel, "account": account}[sys.argv[1]](int(sys.argv[2]))
