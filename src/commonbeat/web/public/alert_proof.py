"""Proof that a number, a mailbox or a browser is one's own: sealed links, codes, and a short memory of it.

No address holds more than sealed bytes, and nobody is told whether a number is known here: the contact's id stands in
a token that only this site can open, for ids tell who was here before.
"""

from __future__ import annotations

import base64
import binascii
import hmac
from datetime import datetime, timedelta

import msgspec
from django.conf import settings
from django.http import HttpRequest
from django.utils import translation
from django.utils.translation import gettext as _

from commonbeat.foundation.crypto import SealError, derive, keyed_hash, seal, unseal
from commonbeat.foundation.ids import new_token
from commonbeat.messaging.actions import enqueue
from commonbeat.messaging.models import Contact, ContactKind
from commonbeat.web import throttle

# From one network, whose people share a telephone mast or a library.
SIGN_UPS = throttle.Limit("alert sign-ups", 20, 3600)
# What a stranger can cost the owner of a number, and all strangers together can cost the site.
ASKED = throttle.Limit("alert codes", 3, 24 * 3600)
ASKED_EVERYWHERE = throttle.Limit("alert codes, all", 500, 3600, everywhere=True)
# A code has six digits: of ten tries an hour at a number one in 100,000 is right.
GUESSES = throttle.Limit("alert code guesses", 10, 3600)

CODE_LASTS, LINK_LASTS = timedelta(minutes=30), timedelta(days=3)
_KNOWN_FOR = timedelta(minutes=30)
_SESSION = "alert_contact"


class Ask(msgspec.Struct, frozen=True, array_like=True):
    """What is to be proven: which contact it is, whether something waits for it, and until when (seconds)."""

    contact_id: int
    # What was asked for waits under the nonce, and whoever asks for the same contact meanwhile has another one.
    signs_up: bool
    nonce: str
    until: int


def new_ask(contact_id: int, *, signs_up: bool, lasts: timedelta, now: datetime) -> Ask:
    """Begin to ask."""
    return Ask(contact_id, signs_up, new_token(), int((now + lasts).timestamp()))


def token_of(ask: Ask) -> str:
    """Seal what is to be proven into a token for a form or a link; all have the same length."""
    plain = msgspec.json.encode(ask)
    sealed = seal(_key("alert sign-up"), plain + b" " * (-len(plain) % 256))
    return base64.urlsafe_b64encode(sealed).decode().rstrip("=")


def open_token(text: str, *, now: datetime) -> Ask | None:
    """Open a token; None when it is none of ours, or too old."""
    try:
        sealed = base64.urlsafe_b64decode(text[:2_000] + "=" * (-len(text) % 4))
        ask = msgspec.json.decode(unseal(_key("alert sign-up"), sealed), type=Ask)
    except (SealError, msgspec.MsgspecError, binascii.Error, ValueError):
        return None
    return ask if ask.until > now.timestamp() else None


def code_of(ask: Ask) -> str:
    """Give the six digits that belong to an ask; nothing is stored."""
    digest = keyed_hash(_key("alert code"), f"{ask.contact_id} {ask.nonce}")
    return f"{int.from_bytes(digest[:8], 'big') % 1_000_000:06d}"


def is_right_code(ask: Ask, typed: str) -> bool:
    """Tell whether the right code was typed; each try counts, and too many end it."""
    subject = str(ask.contact_id)
    if throttle.is_over_for(subject, GUESSES):
        return False
    throttle.count_for(subject, GUESSES)
    digits = "".join(str(int(letter)) for letter in typed[:40] if letter.isdecimal())
    return hmac.compare_digest(digits, code_of(ask))


def may_ask(request: HttpRequest, contact: Contact | None) -> bool:
    """Tell whether one more message may go to a contact that has not proven anything; counts it."""
    subject = str(contact.pk) if contact is not None else ""
    if throttle.is_over(request, ASKED_EVERYWHERE) or (contact is not None and throttle.is_over_for(subject, ASKED)):
        return False
    throttle.count(request, ASKED_EVERYWHERE)
    if contact is not None:
        throttle.count_for(subject, ASKED)
    return True


def send_proof(contact: Contact, ask: Ask, *, link: str, language: str, now: datetime) -> None:
    """Send the code to a telephone, or the link to a mailbox."""
    site = settings.COMMONBEAT.site_name
    with translation.override(language if language in settings.COMMONBEAT.languages else None):
        if contact.kind == ContactKind.EMAIL:
            text = _mail(site, link, signs_up=ask.signs_up)
        elif ask.signs_up:
            # Translators: a text message; YES is the word that people text back, as in intake/commands.py.
            text = _("%(site)s: your code is %(code)s. Type it on the page or answer YES to get alerts here.")
            text = text % {"site": site, "code": code_of(ask)}
        else:
            # Translators: a text message.
            text = _("%(site)s: your code is %(code)s. If you did not ask for it, do nothing.")
            text = text % {"site": site, "code": code_of(ask)}
    lasts = LINK_LASTS if contact.kind == ContactKind.EMAIL else CODE_LASTS
    key = f"alerts:{'confirm' if ask.signs_up else 'manage'}:{ask.nonce}"
    enqueue(contact=contact, text=text, idempotency_key=key, now=now, expires_in=lasts)


def remember(request: HttpRequest, contact: Contact, *, now: datetime) -> None:
    """Let this browser change what the contact gets, for half an hour."""
    request.session.cycle_key()
    request.session[_SESSION] = [contact.pk, int((now + _KNOWN_FOR).timestamp())]


def proven(request: HttpRequest, *, now: datetime) -> Contact | None:
    """Give the contact that this browser has proven to be its own; None when none, or too long ago."""
    held = request.session.get(_SESSION)
    if not held or held[1] <= now.timestamp():
        return None
    return Contact.objects.filter(pk=held[0]).first()


def forget(request: HttpRequest) -> None:
    """End it at once: telephones and computers are shared."""
    request.session.pop(_SESSION, None)


def _mail(site: str, link: str, *, signs_up: bool) -> str:
    if signs_up:
        said = _("Somebody, probably you, asked to get the alerts of %(site)s at this address. To get them, open:")
        last = _("If it was not you, do nothing: then nothing comes.")
    else:
        said = _("To see, change or end what %(site)s sends you, open:")
        last = _("If you did not ask for this, do nothing.")
    return f"{said % {'site': site}}\n\n{link}\n\n{last}"


def _key(purpose: str) -> bytes:
    return derive(settings.COMMONBEAT.secret, purpose)
