"""One channel: its settings, where its provider calls, how it does, and a test message. Secrets go in and never out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from django.contrib import messages
from django.http import Http404, HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from commonbeat.config.option_words import in_labels, is_hidden, label_of, option_meanings, written
from commonbeat.config.options import PREFIX, Options
from commonbeat.foundation import clock
from commonbeat.foundation.ids import new_token
from commonbeat.messaging import policy
from commonbeat.messaging.actions.channel_settings import (
    ChannelSettingsError,
    change_channel_settings,
    settable,
)
from commonbeat.messaging.channel import Channel, Setup, channels, setup_of
from commonbeat.messaging.in_force import (
    UNREADABLE,
    faults_in_force,
    names_of_machine,
    opened,
    refresh,
    tied_to_machine,
)
from commonbeat.messaging.models import ChannelSetting, ContactKind
from commonbeat.messaging.queries import health
from commonbeat.messaging.traffic import traffic
from commonbeat.people.permissions import Permission
from commonbeat.people.queries import staff_names
from commonbeat.web.accounts import needs, signed_in
from commonbeat.web.administration.channels import send_test, shown_channel, that_can_be_tried
from commonbeat.web.desk.delivery import failure_in_words

BY_MACHINE, TIED, SECRET, SWITCH, TEXT = "machine", "tied", "secret", "switch", "text"


@dataclass(frozen=True, slots=True)
class Field:
    """One setting as the page shows it. A secret is only told to be set; value is empty then."""

    name: str
    variable: str
    label: str
    hint: str
    kind: str
    value: str
    is_set: bool
    is_needed: bool


@dataclass(frozen=True, slots=True)
class Stored:
    """What is stored of one channel: texts by name, what cannot be opened, and who changed it last."""

    texts: Mapping[str, str]
    unreadable: frozenset[str]
    changed_by: str
    changed_at: datetime | None


@require_http_methods(["GET", "HEAD", "POST"])
@needs(Permission.ADMINISTER)
def page(request: HttpRequest, code: str) -> HttpResponseBase:
    """Show a channel; save its settings, or send a test message."""
    channel = channels().get(code)
    if channel is None:
        raise Http404
    stored = _stored(channel)
    errors: dict[str, str] = {}
    if request.method == "POST":
        verb = request.POST.get("do", "")
        if verb == "save":
            errors = _save(request, channel, stored)
        elif verb == "test":
            errors = send_test(request, code)
        else:
            errors = {"": "We could not read that. Nothing was changed."}
        if not errors:
            return redirect("administration:channel", code=code)
    return _page(request, channel, stored, errors)


def _save(request: HttpRequest, channel: Channel, stored: Stored) -> dict[str, str]:
    texts, errors = _texts(request, channel, stored)
    if errors:
        return errors
    try:
        changed = change_channel_settings(
            channel=channel.code, texts=texts, actor_id=signed_in(request).pk, now=clock.now()
        )
    except ChannelSettingsError as error:
        return error.problems
    if changed:
        # This process at once; the others look every other second.
        refresh()
        messages.success(request, "The settings are saved. They are used within a few seconds.")
    else:
        messages.info(request, "Nothing was changed.")
    return {}


def _texts(request: HttpRequest, channel: Channel, stored: Stored) -> tuple[dict[str, str], dict[str, str]]:
    """Read what the form says of each setting that it offers: new texts, and what is wrong."""
    texts: dict[str, str] = {}
    errors: dict[str, str] = {}
    for field in _fields(channel, stored):
        text = request.POST.get(field.name, "").strip()
        if field.kind == SWITCH:
            texts[field.name] = "yes" if text else ""
        elif field.kind == TEXT and field.name in request.POST:
            texts[field.name] = text
        elif field.kind == SECRET:
            clears = bool(request.POST.get(f"clear_{field.name}"))
            if text and clears:
                errors[field.name] = f"{PREFIX}{field.name.upper()} is written anew and cleared; choose one of them."
            elif text or clears:
                texts[field.name] = text
    return texts, errors


def _page(request: HttpRequest, channel: Channel, stored: Stored, errors: Mapping[str, str]) -> HttpResponseBase:
    setup, fields, state = setup_of(channel), _fields(channel, stored), health().get(channel.code)
    said = {name: in_labels(sentence) for name, sentence in errors.items()}
    offered = {field.name for field in fields if field.kind in (SECRET, SWITCH, TEXT)} | {"number"}
    is_saving = request.POST.get("do") == "save"
    context = {
        "channel": shown_channel(channel, traffic(now=clock.now())),
        "setup": setup,
        "fields": fields,
        "faults": _faults(stored, fields),
        "changed_by": stored.changed_by,
        "changed_at": stored.changed_at,
        "errors": said,
        # An error beside a field that is not on the page has nowhere to lead.
        "all_errors": [(name if name in offered else None, sentence) for name, sentence in said.items()],
        "typed": {f.name: request.POST.get(f.name, "") for f in fields if f.kind != SECRET} if is_saving else None,
        "trouble": failure_in_words(state.last_error) if state is not None and state.failures else "",
        "failing_since": state.failing_since if state is not None and state.failures else None,
        "can_be_tried": channel.code in that_can_be_tried(),
        "texts_go_by": _texts_go_by(channel),
        "number": request.POST.get("number", ""),
        "once": new_token(),
    }
    return render(request, "administration/channel.html", context, status=422 if errors else 200)


def _stored(channel: Channel) -> Stored:
    rows = list(ChannelSetting.objects.filter(name__in=settable(setup_of(channel))).order_by("changed_at", "id"))
    texts, unreadable = opened({row.name: bytes(row.value_sealed) for row in rows if row.value_sealed})
    last = rows[-1] if rows else None
    who = staff_names({last.changed_by_id}).get(last.changed_by_id, "") if last is not None else ""
    return Stored(texts, frozenset(unreadable), who, last.changed_at if last is not None else None)


def _fields(channel: Channel, stored: Stored) -> list[Field]:
    setup = setup_of(channel)
    machine, tied = names_of_machine(), tied_to_machine(setup)
    return [_field(name, setup, stored, machine=machine, tied=tied) for name in settable(setup)]


def _field(name: str, setup: Setup, stored: Stored, *, machine: frozenset[str], tied: frozenset[str]) -> Field:
    form = Options.__dataclass_fields__[name]
    text, hint = stored.texts.get(name, ""), option_meanings()[name]
    default = written(form.default)
    if name in machine:
        kind = BY_MACHINE
    elif name in tied:
        kind = TIED
    elif is_hidden(name, text):
        kind = SECRET
    else:
        kind = SWITCH if form.type == "bool" else TEXT
    if default and kind == TEXT:
        hint = f"{hint} Unless set: {default}"
    return Field(
        name=name,
        variable=f"{PREFIX}{name.upper()}",
        label=label_of(name),
        hint=hint,
        kind=kind,
        value=text if kind in (TEXT, SWITCH) else "",
        is_set=bool(text) or name in stored.unreadable,
        is_needed=name in setup.to_receive or name in setup.to_send,
    )


def _faults(stored: Stored, fields: list[Field]) -> dict[str, str]:
    """Say why something that is stored is not used, setting → sentence."""
    offered = {field.name for field in fields if field.kind in (SECRET, SWITCH, TEXT)}
    known = {name: in_labels(text) for name, text in faults_in_force().items() if name in stored.texts}
    found = known | dict.fromkeys(stored.unreadable, UNREADABLE)
    return {name: sentence for name, sentence in found.items() if name in offered}


def _texts_go_by(channel: Channel) -> str:
    """Name the channel that texts go by to people who left a number, where this one could and is not it."""
    sends_texts = channel.limits.address_kind == "phone" and channel.limits.in_parts and setup_of(channel).to_send
    code = policy.default_channel(ContactKind.PHONE)
    if not sends_texts or code == channel.code:
        return ""
    other = channels().get(code)
    return setup_of(other).title if other is not None else code
