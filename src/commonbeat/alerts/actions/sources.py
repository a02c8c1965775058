"""Every change of the sources of others' alerts, and taking in what they say."""

from __future__ import annotations

import enum
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from urllib.parse import urlsplit

from django.db import IntegrityError, transaction
from django.db.models import Q

from commonbeat.alerts import events
from commonbeat.alerts.actions.fanning import start_fan_out
from commonbeat.alerts.cap import CapAlert, CapError
from commonbeat.alerts.cap_rows import Draft, Site, draft_of
from commonbeat.alerts.cap_signing import is_certificate
from commonbeat.alerts.models import Alert, AlertText, MsgType, Source
from commonbeat.foundation.text import clean_text

# Not asked again before; a little less than the minute of the loop, which is never exact.
EVERY = timedelta(seconds=55)
MOST_SENDERS = 50
_OF_AN_END = ("kind", "urgency", "severity", "certainty", "onset", "area", "south", "west", "north", "east", "web")


class SourceError(ValueError):
    """Carry a sentence, and the name of the form field that it is about."""

    def __init__(self, field: str, sentence: str) -> None:
        super().__init__(sentence)
        self.field = field


class Taken(enum.Enum):
    """What became of a message."""

    NEW = "new"
    KNOWN = "known"


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a message, its row where it is new, and what it refers to that never came (stored identifiers)."""

    taken: Taken
    alert_id: int = 0
    missing: tuple[str, ...] = ()


def save_source(
    *,
    source_id: int | None,
    name: str,
    url: str,
    senders: Sequence[str],
    certificate: str,
    is_enabled: bool,
    forwards: bool,
    actor_id: int,
    now: datetime,
) -> Source:
    """Make a source, or change one; SourceError where something cannot be used."""
    name, url, certificate = clean_text(name, 120), url.strip(), certificate.replace("\r", "").strip()
    senders = list(dict.fromkeys(each.strip() for each in senders if each.strip()))
    _check(name, url, senders, certificate)
    with transaction.atomic():
        if Source.objects.filter(name__iexact=name).exclude(pk=source_id or 0).exists():
            raise SourceError("name", "There is a source with this name already.")
        source = Source() if source_id is None else Source.objects.select_for_update().get(pk=source_id)
        if (source.url, source.senders, source.certificate) != (url, senders, certificate):
            # What was refused before may be right now: read it all again.
            source.etag = source.modified = source.error = ""
        source.name, source.url, source.senders, source.certificate = name, url, senders, certificate
        source.is_enabled, source.forwards = is_enabled, forwards
        source.save()
        events.write(
            events.SOURCE_SAVED,
            subject_id=source.pk,
            now=now,
            actor_id=actor_id,
            data={"enabled": is_enabled, "forwards": forwards},
        )
    return source


def claim_source(*, now: datetime) -> Source | None:
    """Take the source that was not asked for longest, so that no other worker asks it; None where none is due."""
    due = Q(polled_at=None) | Q(polled_at__lte=now - EVERY)
    while True:
        source = Source.objects.filter(due, is_enabled=True).order_by("polled_at", "pk").first()
        if source is None:
            return None
        # Whoever changes the row has it: the condition holds for one of two at most.
        if Source.objects.filter(due, pk=source.pk, is_enabled=True).update(polled_at=now):
            return source


def note_answer(*, source_id: int, etag: str, modified: str, error: str, has_taken: bool, now: datetime) -> None:
    """Store how asking a source went: a code of ours, and what to ask with next time."""
    changes = {"etag": etag[:200] if _is_header(etag) else "", "error": error[:60]}
    changes["modified"] = modified if len(modified) <= 60 and _is_header(modified) else ""
    Source.objects.filter(pk=source_id).update(**changes, **({"taken_at": now} if has_taken else {}))


def take_message(*, source_id: int, message: CapAlert, site: Site, now: datetime) -> Outcome:
    """Store a message of a source, once; CapError where it is not for our public or refers to nothing that we know.

    It can change and end only what came from the same source.
    """
    source = Source.objects.get(pk=source_id)
    draft = draft_of(message, source_id=source_id, senders=source.senders, site=site, now=now)
    if Alert.objects.filter(identifier=draft.fields["identifier"]).exists():
        return Outcome(Taken.KNOWN)
    try:
        with transaction.atomic():
            return _store(source, draft, now)
    except IntegrityError:
        # Another worker was faster.
        return Outcome(Taken.KNOWN)


def _store(source: Source, draft: Draft, now: datetime) -> Outcome:
    known = list(Alert.objects.select_for_update().filter(source=source, identifier__in=draft.refers_to).order_by("pk"))
    missing = tuple(set(draft.refers_to) - {each.identifier for each in known})
    roots = _open_chains(known)
    fields, texts = dict(draft.fields), draft.texts
    is_cancel = fields["msg_type"] == MsgType.CANCEL
    if known and not roots:
        raise CapError("ended")
    if not known:
        if is_cancel:
            raise CapError("unknown reference")
        # What it corrects never reached us, so for our people it is the first.
        fields["msg_type"] = MsgType.ALERT
    else:
        previous = _last_of(roots[-1], known)
        fields |= {"root_id": roots[-1].pk, "previous_id": previous.pk}
        if "kind" not in fields:
            fields |= {name: getattr(previous, name) for name in _OF_AN_END}
            texts = [
                {
                    name: getattr(text, name)
                    for name in ("language", "headline", "description", "instruction", "area_desc")
                }
                for text in previous.texts.all()
            ]
    alert = Alert.objects.create(**fields)
    AlertText.objects.bulk_create([AlertText(alert=alert, **text) for text in texts])
    # A cancel ends all that it names; an update goes on with one, and the others are in it.
    for root in roots if is_cancel else roots[:-1]:
        Alert.objects.filter(pk=root.pk).update(ended_at=now, outcome="over", changed_at=now)
        events.write(events.ENDED, subject_id=root.pk, now=now, data={"outcome": "over", "message": alert.pk})
    events.write(events.TAKEN, subject_id=alert.pk, now=now, data={"source": source.pk})
    if source.forwards:
        start_fan_out(alert_id=alert.pk, now=now)
    return Outcome(Taken.NEW, alert.pk, missing)


def _open_chains(known: Sequence[Alert]) -> list[Alert]:
    ids = {each.root_id_or_own for each in known}
    return list(Alert.objects.select_for_update().filter(pk__in=ids, ended_at=None).order_by("pk"))


def _last_of(root: Alert, known: Sequence[Alert]) -> Alert:
    return max((each for each in known if each.root_id_or_own == root.pk), key=lambda each: each.pk)


def _check(name: str, url: str, senders: Sequence[str], certificate: str) -> None:
    if not name:
        raise SourceError("name", "Give the source a name, such as the weather service.")
    try:
        parts = urlsplit(url)
        is_fit = parts.scheme in ("http", "https") and bool(parts.hostname) and (parts.port or 1) > 0
    except ValueError:
        is_fit = False
    if not is_fit or not re.fullmatch(r"[!-~]{1,500}", url):
        raise SourceError("url", "Write the address of the feed; it begins with https:// or http://.")
    if parts.username or parts.password:
        raise SourceError("url", "An address with a password cannot be used: it would stand here for all to read.")
    if len(senders) > MOST_SENDERS or any(len(each) > 200 or not each.isprintable() for each in senders):
        raise SourceError("senders", f"Write one sender a line, at most {MOST_SENDERS}.")
    if certificate and not is_certificate(certificate):
        raise SourceError("certificate", "This is not one certificate in PEM. It begins with -----BEGIN CERTIFICATE.")


def _is_header(text: str) -> bool:
    return text.isascii() and text.isprintable()
