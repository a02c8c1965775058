"""The channels of the site: which are set up, where their providers call, and a test message."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from commonbeat.config.options import PREFIX, Options
from commonbeat.foundation import clock
from commonbeat.foundation.ids import new_token
from commonbeat.messaging.actions import AddressError
from commonbeat.messaging.actions.trial import NotTried, send_trial
from commonbeat.messaging.channel import Channel, channels, setup_of
from commonbeat.messaging.in_force import options_in_force
from commonbeat.messaging.traffic import Traffic, traffic
from commonbeat.people.permissions import Permission
from commonbeat.web import throttle
from commonbeat.web.accounts import needs, signed_in

# Each costs money and reaches somebody's telephone.
TRIALS = throttle.Limit("channel tests", 10, 3600, everywhere=True)


@dataclass(frozen=True, slots=True)
class Hook:
    """An address to paste at the provider; secret is the setting that stands at its end."""

    purpose: str
    address: str
    secret: str


@dataclass(frozen=True, slots=True)
class Shown:
    """One channel as the page shows it; missing names the settings that are empty."""

    code: str
    title: str
    purpose: str
    receives: bool
    sends: bool
    missing: tuple[str, ...]
    hooks: tuple[Hook, ...]
    traffic: Traffic


@require_http_methods(["GET", "HEAD", "POST"])
@needs(Permission.ADMINISTER)
def page(request: HttpRequest) -> HttpResponseBase:
    """Show every channel, and send a test message."""
    errors: dict[str, str] = {}
    if request.method == "POST":
        errors = send_test(request, request.POST.get("channel", ""))
        if not errors:
            return redirect("administration:channels")
    used = traffic(now=clock.now())
    shown = [shown_channel(one, used) for one in channels().values()]
    context = {
        "ready": [one for one in shown if one.receives or one.sends],
        "unready": [one for one in shown if not (one.receives or one.sends)],
        "choices": [(code, setup_of(channels()[code]).title) for code in that_can_be_tried()],
        "errors": errors,
        "all_errors": list(errors.items()),
        "values": {name: request.POST.get(name, "") for name in ("channel", "number")},
        "once": new_token(),
    }
    return render(request, "administration/channels.html", context, status=422 if errors else 200)


def send_test(request: HttpRequest, code: str) -> dict[str, str]:
    """Queue a test message to the number of the form, and say so; give what is wrong, field → sentence."""
    number = request.POST.get("number", "").strip()
    if code not in that_can_be_tried():
        return {"channel": _("Choose a channel that is set up.")}
    if throttle.is_over(request, TRIALS):
        return {"number": _("Ten test messages an hour are enough. Please wait a little.")}
    actor = signed_in(request)
    text = _("This is a test message of %(site)s. You need not answer.") % {"site": settings.COMMONBEAT.site_name}
    # The same page sent twice is one message.
    key = f"{actor.pk}:{request.POST.get('once', '')[:40]}"
    try:
        send_trial(channel=code, address=number, text=text, key=key, actor_id=actor.pk, now=clock.now())
    except AddressError:
        return {"number": _("This is not a telephone number. Write it with its country code, such as +383 44 123 456.")}
    except NotTried:
        return {"number": _("From this number came STOP. It gets nothing until START comes from it.")}
    throttle.count(request, TRIALS)
    messages.success(request, _("The test message is queued. It should arrive within a minute."))
    return {}


def that_can_be_tried() -> list[str]:
    """List the channels that can send a text message."""
    options = options_in_force()
    return [
        code
        for code, channel in channels().items()
        if channel.limits.address_kind == "phone"
        and channel.limits.in_parts
        and setup_of(channel).to_send
        and not _missing(options, setup_of(channel).to_send)
    ]


def shown_channel(channel: Channel, used: Mapping[str, Traffic]) -> Shown:
    """Gather what is told of a channel."""
    setup, options = setup_of(channel), options_in_force()
    to_receive, to_send = _missing(options, setup.to_receive), _missing(options, setup.to_send)
    return Shown(
        code=channel.code,
        title=setup.title,
        purpose=setup.purpose,
        receives=bool(setup.to_receive) and not to_receive,
        sends=bool(setup.to_send) and not to_send,
        missing=tuple(dict.fromkeys(_named(name) for name in (*to_receive, *to_send))),
        hooks=tuple(_hook(channel.code, purpose, path, options) for purpose, path in setup.hooks),
        traffic=used.get(channel.code, Traffic()),
    )


def _hook(code: str, purpose: str, path: str, options: Options) -> Hook:
    # A secret is never shown, not even here: its place is, and the name of its setting.
    before, brace, rest = path.partition("{")
    secret, _end, after = rest.partition("}")
    address = f"{options.site_url.rstrip('/')}/hooks/{code}{before}"
    return Hook(purpose, f"{address}…{after}" if brace else address, _named(secret) if brace else "")


def _missing(options: Options, names: tuple[str, ...]) -> list[str]:
    return [name for name in names if not getattr(options, name)]


def _named(name: str) -> str:
    return f"{PREFIX}{name.upper()}"
