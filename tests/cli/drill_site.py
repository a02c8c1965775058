"""A site with a real person on it, for drills to leave alone; run as a program with one of the steps below."""

from __future__ import annotations

import hashlib
import json
import os
import sys
from pathlib import Path

# As a program it is run by itself, whatever folder it is called from.
sys.path.insert(0, str(Path(__file__).resolve().parent.parent.parent))


def prepare() -> None:
    """Make the tables, a beat, and somebody who lives in it and asked for every alert, by a gateway that is there."""
    from django.core.management import call_command

    call_command("migrate", verbosity=0)
    from commonbeat.foundation import clock
    from commonbeat.messaging.models import Contact
    from tests import make
    from tests.alerts.going_out import subscriber

    beat = make.make_beat(name="Old town")
    make.make_beat(name="Far", latitude=make.LATITUDE + 1)
    person = subscriber(contact=make.make_contact(address="+38344123456"), now=clock.now())
    subscriber(contact=person, where=_beat(beat.pk), now=clock.now())
    Contact.objects.update(channel="kannel_sms")


def _beat(pk: int):
    from commonbeat.alerts.actions.subscribing import Where

    return Where(beat_id=pk)


def digest() -> None:
    """Print a digest of each table."""
    from django.db import connection

    said = {}
    with connection.cursor() as cursor:
        for table in sorted(connection.introspection.table_names(cursor)):
            cursor.execute(f'SELECT * FROM "{table}"')
            rows = sorted(repr([bytes(v) if isinstance(v, memoryview) else v for v in row]) for row in cursor)
            said[table] = [len(rows), hashlib.sha256("\n".join(rows).encode()).hexdigest()]
    print(json.dumps(said))


if __name__ == "__main__":
    os.environ["DJANGO_SETTINGS_MODULE"] = "commonbeat.config.settings"
    import django

    django.setup()
    {"prepare": prepare, "digest": digest}[sys.argv[1]]()
