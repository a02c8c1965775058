"""Which messages other systems get; each a bounded number of SQL queries."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from django.db.models import Exists, F, OuterRef, Q
from django.db.models.functions import Coalesce

from commonbeat.alerts.models import Alert, AlertQuerySet, AlertState, Status

# Who looks once a day must see that something ended.
ENDED_FOR = timedelta(hours=24)
# More would not fit into a feed; the newest stay.
MOST = 1_000


def is_out(identifier: str) -> bool:
    """Tell whether it is a message of this site that is out: not a draft, and none of others."""
    return _own().filter(identifier=identifier).exists()


def message(identifier: str) -> tuple[Alert, list[Alert]]:
    """Give a released message with its texts, and the released ones of its chain before it, oldest first."""
    alert = _own().prefetch_related("texts").get(identifier=identifier)
    if alert.root_id is None:
        return alert, []
    chain = _own().filter(Q(pk=alert.root_id) | Q(root_id=alert.root_id), pk__lt=alert.pk).order_by("released_at", "pk")
    return alert, list(chain)


def feed_ids(*, now: datetime, to_partners: bool = False, with_tests: bool = False) -> tuple[str, ...]:
    """Give the identifiers of what stands in a feed: of each chain the newest message, until a day after its end."""
    since = now - ENDED_FOR
    later = Alert.objects.filter(state=AlertState.RELEASED, root_id=OuterRef("first"), pk__gt=OuterRef("pk"))
    found = (
        _own()
        .annotate(first=Coalesce("root_id", F("pk")))
        .filter(~Exists(later), Q(expires_at__gt=since) | Q(msg_type="Cancel", released_at__gt=since))
        .filter(Q(root=None, ended_at=None) | Q(root__ended_at=None, root__isnull=False) | _ended_since(since))
    )
    if to_partners:
        found = found.filter(to_partners=True)
    if not with_tests:
        # Aggregators drop them, and people would be frightened.
        found = found.filter(status=Status.ACTUAL)
    return tuple(found.order_by("-released_at", "-pk").values_list("identifier", flat=True)[:MOST])


def feed_alerts(identifiers: Sequence[str]) -> list[Alert]:
    """Give messages by their identifiers, with texts."""
    return list(_own().filter(identifier__in=identifiers).prefetch_related("texts").order_by("-released_at", "-pk"))


def _own() -> AlertQuerySet:
    return Alert.objects.released().filter(source=None, sender="")


def _ended_since(moment: datetime) -> Q:
    return Q(root=None, ended_at__gt=moment) | Q(root__ended_at__gt=moment)
