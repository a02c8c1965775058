"""Who reports for others, and what a person has agreed to for whom a report was made."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, ClassVar

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _
from django.utils.translation import gettext_noop

from commonbeat.messaging.models import Contact
from commonbeat.people.models import Unit, User
from commonbeat.people.permissions import Permission, may

if TYPE_CHECKING:
    from django.contrib.auth.models import AnonymousUser

# Why a report is not taken up to which the person did not agree: kept as it stands here, and told in each language.
NO_CONSENT = gettext_noop("The person for whom it was made did not agree.")


class ProxyQuerySet(models.QuerySet["Proxy"]):
    def visible_to(self, viewer: User | AnonymousUser | None) -> ProxyQuerySet:
        """Keep what the viewer may see: those of the own unit, or all."""
        if may(viewer, Permission.SEE_ALL_DESKS):
            return self
        if may(viewer, Permission.SEE_DESK) and isinstance(viewer, User) and viewer.unit_id:
            return self.filter(unit_id=viewer.unit_id)
        return self.none()

    def active(self, today: date) -> ProxyQuerySet:
        """Keep those who may report for others: asked, willing, not ended and not run out."""
        willing = self.filter(accepted_at__isnull=False, ended_at=None)
        return willing.filter(Q(until=None) | Q(until__gte=today))


class Proxy(models.Model):
    """A contact that reports for others: the liaison, elder or teacher whom people without a telephone ask."""

    RETENTION: ClassVar = "as long as the contact"

    contact = models.OneToOneField(Contact, on_delete=models.CASCADE, related_name="proxy")
    # In the force's own words (liaison, elder, teacher, NGO …): which there are differs from valley to valley.
    role = models.CharField(max_length=60)
    # The village or quarter; no name of a person.
    community = models.CharField(max_length=120)
    unit = models.ForeignKey(Unit, on_delete=models.PROTECT, related_name="proxies")
    enrolled_by = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="+", db_index=False)
    enrolled_at = models.DateTimeField()
    # The last day on which it counts; empty: until somebody ends it.
    until = models.DateField(null=True)
    # When the owner of the number said YES; before that it counts for nothing.
    accepted_at = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True)

    objects = ProxyQuerySet.as_manager()

    def is_active(self, today: date) -> bool:
        """Tell whether it may report for others on a day of the site's calendar."""
        is_willing = self.accepted_at is not None and self.ended_at is None
        return is_willing and (self.until is None or self.until >= today)


class Consent(models.TextChoices):
    """What is known of the consent of the person for whom a report was made."""

    ASKED = "asked", _("not said yet")
    WORD = "word", _("agreed by word of mouth")
    WRITING = "writing", _("agreed in writing")
    GUARDIAN = "guardian", _("a parent or guardian agreed")
    DANGER = "danger", _("could not be asked: danger")
    REFUSED = "refused", _("did not agree")


class SaidBy(models.TextChoices):
    """Who says so."""

    PROXY = "proxy", _("a proxy")
    # Whoever filled in the web form; nobody knows them.
    SENDER = "sender", _("the sender")
    DESK = "desk", _("the desk")


class OnBehalf(models.Model):
    """That a report was made for somebody else. It names nobody: ids and codes only."""

    RETENTION: ClassVar = "as long as the report"

    report = models.OneToOneField("reports.Report", on_delete=models.CASCADE, related_name="on_behalf")
    # None where the web form was used, or once the proxy's contact is erased.
    proxy = models.ForeignKey(Proxy, null=True, on_delete=models.SET_NULL, related_name="behalves")
    consent = models.CharField(max_length=10, choices=Consent.choices, default=Consent.ASKED)
    said_by = models.CharField(max_length=8, choices=SaidBy.choices)
    asked_at = models.DateTimeField()
    recorded_at = models.DateTimeField(null=True)
    # Who of the desk recorded it, where the desk did.
    recorded_by = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="+", db_index=False)
    # An internal note of the report: why the person could not be asked.
    reason = models.ForeignKey("reports.Message", null=True, on_delete=models.SET_NULL, related_name="+")

    @property
    def is_open(self) -> bool:
        """Tell whether nothing is known yet of what the person wants."""
        return self.consent == Consent.ASKED
