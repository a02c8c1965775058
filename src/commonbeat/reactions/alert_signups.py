"""Who gets alerts: confirmed by YES, and ended where nobody is left to get them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from django.conf import settings
from django.utils import translation
from django.utils.translation import gettext as _

from commonbeat.alerts.actions.subscribing import confirm, end_all, full
from commonbeat.alerts.rules import UNCONFIRMED_FOR
from commonbeat.alerts.subscription_queries import waiting_wishes
from commonbeat.intake import alert_texts, texts
from commonbeat.intake.commands import Word, parse_command
from commonbeat.intake.state import Asks, State
from commonbeat.journal.models import Entry
from commonbeat.messaging import channel as contract
from commonbeat.messaging.models import Contact, ContactKind, Outbound

# web/public/alert_proof.py asks under such keys.
ASKED_KEY = "alerts:confirm:"


def confirm_by_yes(contact: Contact, message: contract.Inbound, state: State, *, now: datetime) -> Sequence[str]:
    """Take YES for the answer to "do you want alerts here?", if that was what we last wrote; give the replies.

    Where different things were asked for, by whomever, YES says nothing of which is meant: then nothing is confirmed.
    """
    site = settings.COMMONBEAT
    if not message.is_proven or contact.stopped_at is not None or state.asks not in (Asks.NOTHING, Asks.CORRECT):
        return ()
    command = parse_command(message.text, site.languages)
    if command is None or command.word is not Word.YES:
        return ()
    asked = Outbound.objects.filter(contact=contact).order_by("-pk").first()
    if asked is None or not asked.idempotency_key.startswith(ASKED_KEY) or asked.created_at < now - UNCONFIRMED_FOR:
        return ()
    key = asked.idempotency_key.removeprefix(ASKED_KEY)
    waiting = waiting_wishes(contact, since=now - UNCONFIRMED_FOR)
    if key not in waiting:
        return ()
    known = (contact.language, command.language, site.languages[0])
    with translation.override(next(code for code in known if code in site.languages)):
        if len(set(waiting.values())) > 1:
            return (texts.for_phone(alert_texts.alerts_asked_twice()),)
        confirmed = confirm(contact=contact, asked_key=key, now=now)
        said = []
        if confirmed.kept:
            # Translators: STOP is the word that people text back; use your own language's word, as in
            # intake/commands.py.
            thanks = _("Thank you. The alerts of %(site)s come here now. STOP ends everything.")
            said.append(thanks % {"site": site.site_name})
        if confirmed.left_out:
            said.append(full())
        return (texts.for_phone(" ".join(said)),)


def forget_browser(entry: Entry, now: datetime) -> None:
    """Delete what a browser asked for that is no more: its push service said so, and it never comes back as it was.

    A telephone that sent STOP keeps its places, for START brings them back.
    """
    contact = Contact.objects.filter(pk=entry.subject_id, kind=ContactKind.PUSH, stopped_at__isnull=False).first()
    if contact is not None:
        end_all(contact=contact, now=now)
