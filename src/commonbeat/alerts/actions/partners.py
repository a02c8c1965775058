"""Every change of partners: schools, taxi services and shops whose servers get look-outs."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from functools import lru_cache

from django.conf import settings
from django.db import transaction

from commonbeat.alerts import events
from commonbeat.alerts.actions.partner_calls import close_calls
from commonbeat.alerts.calling import is_fit_address
from commonbeat.alerts.kinds import KINDS
from commonbeat.alerts.models import Partner
from commonbeat.foundation.crypto import derive, seal, unseal
from commonbeat.foundation.ids import random_key
from commonbeat.foundation.text import clean_text

MOST_PARTNERS = 200
NAME = 120
_key = lru_cache(maxsize=8)(derive)


class PartnerError(ValueError):
    """Carry a sentence, and the name of the form field that it is about."""

    def __init__(self, field: str, sentence: str) -> None:
        super().__init__(sentence)
        self.field = field


def add_partner(*, name: str, url: str, kinds: Sequence[str], actor_id: int, now: datetime) -> tuple[Partner, str]:
    """Store a partner; give it and its secret, which nobody can read again. PartnerError says what is wrong."""
    name, kinds = _name(name), _kinds(kinds)
    sealed = _sealed_url(url)
    secret = random_key().hex()
    with transaction.atomic():
        _refuse_taken(name, None)
        if Partner.objects.count() >= MOST_PARTNERS:
            raise PartnerError("name", f"There are {MOST_PARTNERS} partners already. Others can follow the feed.")
        partner = Partner.objects.create(
            name=name, kinds=kinds, url_sealed=sealed, secret_sealed=_sealed(secret), created_at=now
        )
        events.write(events.PARTNER_ADDED, subject_id=partner.pk, now=now, actor_id=actor_id)
    return partner, secret


def change_partner(
    *, partner_id: int, name: str, url: str, kinds: Sequence[str], is_enabled: bool, actor_id: int, now: datetime
) -> Partner:
    """Change a partner, and enable or disable it; an empty address leaves the one that is stored."""
    name, kinds = _name(name), _kinds(kinds)
    sealed = _sealed_url(url) if url.strip() else None
    with transaction.atomic():
        _refuse_taken(name, partner_id)
        partner = Partner.objects.select_for_update().get(pk=partner_id)
        if is_enabled and not partner.is_enabled:
            partner.gone_at = None
        if partner.is_enabled and not is_enabled:
            close_calls(partner=partner, error="disabled", now=now)
        partner.name, partner.kinds, partner.is_enabled = name, kinds, is_enabled
        if sealed is not None:
            partner.url_sealed = sealed
            # It says nothing of the new address.
            partner.tested_at, partner.test_error = None, ""
        partner.save()
        data: events.Data = {"enabled": is_enabled, "address": sealed is not None}
        events.write(events.PARTNER_CHANGED, subject_id=partner.pk, now=now, actor_id=actor_id, data=data)
    return partner


def rotate_secret(*, partner_id: int, actor_id: int, now: datetime) -> str:
    """Give a partner a new secret, shown this once; the old one signs nothing from now on."""
    secret = random_key().hex()
    with transaction.atomic():
        partner = Partner.objects.select_for_update().get(pk=partner_id)
        partner.secret_sealed = _sealed(secret)
        partner.save(update_fields=["secret_sealed"])
        events.write(events.PARTNER_ROTATED, subject_id=partner.pk, now=now, actor_id=actor_id)
    return secret


def delete_partner(*, partner_id: int, actor_id: int, now: datetime) -> None:
    """Forget a partner, and what was posted to it."""
    with transaction.atomic():
        partner = Partner.objects.select_for_update().get(pk=partner_id)
        partner.delete()
        events.write(events.PARTNER_DELETED, subject_id=partner_id, now=now, actor_id=actor_id)


def note_test(*, partner_id: int, code: str, now: datetime) -> None:
    """Store what came of a test: a code of ours, empty where it was taken."""
    Partner.objects.filter(pk=partner_id).update(tested_at=now, test_error=code[:60])


def address_and_secret(partner: Partner) -> tuple[str, str]:
    """Give where a partner's server stands and with what its calls are signed; SealError when they are damaged."""
    key = _key(settings.COMMONBEAT.secret, "partners")
    return unseal(key, bytes(partner.url_sealed)).decode(), unseal(key, bytes(partner.secret_sealed)).decode()


def _sealed(text: str) -> bytes:
    return seal(_key(settings.COMMONBEAT.secret, "partners"), text.encode())


def _sealed_url(url: str) -> bytes:
    url = url.strip()
    if not is_fit_address(url, near=settings.COMMONBEAT.partners_loopback):
        raise PartnerError("url", "Write the address of the partner's server; it begins with https://.")
    return _sealed(url)


def _name(name: str) -> str:
    name = " ".join(clean_text(name, NAME).split())
    if not name:
        raise PartnerError("name", "Give the partner a name, such as the taxi service.")
    return name


def _kinds(kinds: Sequence[str]) -> list[str]:
    if any(kind not in KINDS for kind in kinds):
        raise PartnerError("kinds", "Choose from the list.")
    return [kind for kind in KINDS if kind in kinds]


def _refuse_taken(name: str, partner_id: int | None) -> None:
    if Partner.objects.filter(name__iexact=name).exclude(pk=partner_id or 0).exists():
        raise PartnerError("name", "There is a partner with this name already.")
