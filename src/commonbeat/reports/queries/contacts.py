"""Which contacts staff may see, and about which they may decide: by the reports that came from them."""

from __future__ import annotations

from django.db.models import Exists, OuterRef, Q, QuerySet

from commonbeat.foundation.text import clean_text
from commonbeat.messaging.held import waiting_contacts
from commonbeat.messaging.models import Contact
from commonbeat.people.models import User
from commonbeat.people.permissions import Permission, may
from commonbeat.people.queries import fallback_unit
from commonbeat.reports.models import ExpectedReporter, Report
from commonbeat.reports.proxy_models import Proxy
from commonbeat.reports.queries.expected import enrolled_ones


def visible_contacts(viewer: User) -> QuerySet[Contact]:
    """Keep the contacts whose handle the viewer meets on the own desk: the privacy gate of a contact's page."""
    if may(viewer, Permission.SEE_ALL_DESKS):
        return Contact.objects.all()
    if not may(viewer, Permission.SEE_DESK) or not viewer.unit_id:
        return Contact.objects.none()
    here = _of_unit(viewer.unit_id)
    return Contact.objects.filter(here | _ours(viewer))


def own_contacts(viewer: User) -> QuerySet[Contact]:
    """Keep the contacts about whom the viewer decides, and whose held messages the viewer reads.

    All of their reports lie on the desk of the viewer's unit; those without any are the fallback desk's, as their
    reports would be. Supervisors decide about all.
    """
    if may(viewer, Permission.SEE_ALL_DESKS):
        return Contact.objects.all()
    if not may(viewer, Permission.SEE_DESK) or not viewer.unit_id:
        return Contact.objects.none()
    return Contact.objects.filter(_ours(viewer))


def contact_for(viewer: User, handle: str) -> Contact | None:
    """Read one contact that the viewer may see."""
    return visible_contacts(viewer).filter(handle=clean_text(handle, 40)).first()


def is_own(viewer: User, contact: Contact) -> bool:
    """Tell whether the viewer decides about a contact."""
    return own_contacts(viewer).filter(pk=contact.pk).exists()


def senders_waiting(viewer: User) -> int:
    """Count the senders whose held messages the viewer reads: one query where nothing waits, else two or three."""
    waiting = waiting_contacts() if may(viewer, Permission.SEE_DESK) else []
    return own_contacts(viewer).filter(pk__in=waiting).count() if waiting else 0


def report_ids_of(viewer: User, contact: Contact, *, limit: int = 200) -> list[int]:
    """Give the numbers of a contact's reports that the viewer may see, newest first.

    Left out is what somebody else may have typed the number into, and what an enrolled reporter sent for a place, which
    would tell whoever enrolled the number which handle is theirs.
    """
    found = Report.objects.visible_to(viewer).filter(contact=contact, contact_confirmed=True)
    found = found.exclude(enrolled_ones())
    return list(found.order_by("-pk").values_list("pk", flat=True)[:limit])


def _ours(viewer: User) -> Q:
    unit_id = viewer.unit_id
    assert unit_id is not None
    nowhere_else = ~_of_unit(unit_id, elsewhere=True)
    return nowhere_else if fallback_unit().pk == unit_id else nowhere_else & _of_unit(unit_id)


def _of_unit(unit_id: int, *, elsewhere: bool = False) -> Q:
    # A number that somebody typed into the web form, and that its owner has not confirmed, opens nothing.
    found = Q()
    for rows in (
        Report.objects.filter(contact=OuterRef("pk"), contact_confirmed=True),
        ExpectedReporter.objects.filter(contact=OuterRef("pk")),
        Proxy.objects.filter(contact=OuterRef("pk")),
    ):
        found |= Q(Exists(rows.exclude(unit_id=unit_id) if elsewhere else rows.filter(unit_id=unit_id)))
    return found
