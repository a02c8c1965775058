"""Partners that get look-outs: schools, taxi services, shops. Add, change, try, and see how each does."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.http import Http404, HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from commonbeat.alerts.actions import partners as actions
from commonbeat.alerts.actions.partners import PartnerError
from commonbeat.alerts.calling import Answered, post, signed_headers
from commonbeat.alerts.cap_rows import site_of
from commonbeat.alerts.kinds import KINDS
from commonbeat.alerts.models import Partner, PartnerCall
from commonbeat.alerts.partner_message import trial_message
from commonbeat.alerts.partner_queries import PartnerLine, calls_of, partner_lines
from commonbeat.foundation import clock
from commonbeat.foundation.crypto import SealError
from commonbeat.foundation.ids import new_token
from commonbeat.people.permissions import Permission
from commonbeat.web import throttle
from commonbeat.web.accounts import needs, signed_in

# Each asks a stranger's server, and holds a thread meanwhile.
TESTS = throttle.Limit("tests of partners", 30, 3600, everywhere=True)

_WORDS = {
    "address": "The address that is stored cannot be called.",
    "no such host": "There is no such host. Is it spelt right?",
    "private address": "The address leads into a private network, where we call nobody.",
    "no answer": "The server does not answer.",
    "TLS": "The server's TLS certificate cannot be trusted.",
    "too slow": "The server takes longer than five seconds.",
    "redirect": "The server sends us elsewhere, where we do not go. Store the address that it names.",
    "gone": "The server says that this address is no more (410).",
    "unreadable": "What is stored cannot be opened with this site's key. Store the address again; make a new secret.",
    "failed": "It could not be called. The log of the site says more.",
    "superseded": "Something newer took its place.",
    "over": "The alert was over before it could be posted.",
    "disabled": "The partner was switched off.",
}


@dataclass(frozen=True, slots=True)
class Shown:
    """One partner, and how it does: a badge, its word, and a sentence."""

    partner: Partner
    badge: str
    word: str
    sentence: str
    taken: int
    taken_at: datetime | None
    kinds: str


@dataclass(frozen=True, slots=True)
class Delivery:
    """One alert on its way to a partner."""

    alert_id: int
    headline: str
    status: str
    call: PartnerCall
    badge: str
    word: str
    problem: str


def problem_in_words(code: str) -> str:
    """Say what a code means, in a sentence."""
    if code in ("status 401", "status 403"):
        return _("The server refuses the signature (%(code)s). Does it know the newest secret?") % {
            "code": code.removeprefix("status ")
        }
    if code.startswith("status "):
        return _("The server answers with status %(code)s.") % {"code": code.removeprefix("status ")}
    return _(_WORDS[code]) if code in _WORDS else code


@require_safe
@needs(Permission.ADMINISTER)
def listing(request: HttpRequest) -> HttpResponseBase:
    """Show the partners and how they do."""
    return render(request, "administration/partners.html", {"partners": [_shown(line) for line in partner_lines()]})


@require_http_methods(["GET", "HEAD", "POST"])
@needs(Permission.ADMINISTER)
def new(request: HttpRequest) -> HttpResponseBase:
    """Add a partner, and show its secret this once."""
    values: Mapping[str, Any] = {"name": "", "url": "", "kinds": [], "is_enabled": True}
    errors: dict[str, str] = {}
    if request.method == "POST":
        values = _values(request)
        try:
            partner, secret = actions.add_partner(
                name=values["name"],
                url=values["url"],
                kinds=values["kinds"],
                actor_id=signed_in(request).pk,
                now=clock.now(),
            )
            return _secret(request, partner, secret)
        except PartnerError as error:
            errors[error.field] = str(error)
    return _page(request, None, values, errors)


@require_http_methods(["GET", "HEAD", "POST"])
@needs(Permission.ADMINISTER)
def page(request: HttpRequest, pk: int) -> HttpResponseBase:
    """Show a partner and what was posted to it; change, test, give a new secret, delete."""
    partner = Partner.objects.filter(pk=pk).first()
    if partner is None:
        raise Http404
    values: Mapping[str, Any] = {
        "name": partner.name, "url": "", "kinds": partner.kinds, "is_enabled": partner.is_enabled,
    }  # fmt: skip
    errors: dict[str, str] = {}
    if request.method == "POST":
        who: dict[str, Any] = {"partner_id": pk, "actor_id": signed_in(request).pk, "now": clock.now()}
        verb = request.POST.get("do", "")
        try:
            if verb == "rotate":
                return _secret(request, partner, actions.rotate_secret(**who))
            if verb == "delete":
                actions.delete_partner(**who)
                messages.success(request, _("The partner is deleted."))
                return redirect("administration:partners")
            if verb == "test":
                _test(request, partner)
            elif verb == "save":
                values = _values(request)
                actions.change_partner(**values, **who)
                messages.success(request, _("The partner is saved."))
            else:
                raise PartnerError("", _("We could not read that. Nothing was changed."))
            return redirect("administration:partner", pk=pk)
        except PartnerError as error:
            errors[error.field] = str(error)
        except Partner.DoesNotExist:
            # Deleted by somebody else meanwhile.
            raise Http404 from None
    return _page(request, partner, values, errors)


def _page(
    request: HttpRequest, partner: Partner | None, values: Mapping[str, Any], errors: Mapping[str, str]
) -> HttpResponseBase:
    context = {
        "partner": partner,
        "values": values,
        "kinds": [(kind.code, kind.name_in("en")) for kind in KINDS.values()],
        "errors": errors,
        "all_errors": list(errors.items()),
        "test_problem": problem_in_words(partner.test_error) if partner is not None and partner.test_error else "",
        "deliveries": [_delivery(call) for call in calls_of(partner)] if partner is not None else [],
    }
    return render(request, "administration/partner.html", context, status=422 if errors else 200)


def _secret(request: HttpRequest, partner: Partner, secret: str) -> HttpResponseBase:
    # In the answer itself, not after a redirect: to get there it would have to be stored somewhere.
    answer = render(request, "administration/partner_secret.html", {"partner": partner, "secret": secret})
    answer["Cache-Control"] = "no-store"
    return answer


def _values(request: HttpRequest) -> dict[str, Any]:
    return {
        "name": request.POST.get("name", "")[:500],
        "url": request.POST.get("url", "")[:2_000],
        "kinds": request.POST.getlist("kinds")[:50],
        "is_enabled": request.POST.get("is_enabled") == "on",
    }


def _test(request: HttpRequest, partner: Partner) -> None:
    """Post a message of status Test now, and say what came of it."""
    if throttle.is_over(request, TESTS):
        raise PartnerError("", _("Thirty tests an hour are enough. Please wait a little."))
    throttle.count(request, TESTS)
    now, identifier = clock.now(), f"test-{new_token()}"
    try:
        address, secret = actions.address_and_secret(partner)
        body = trial_message(identifier, site=site_of(settings.COMMONBEAT), now=now)
        headers = signed_headers(secret, body, identifier=identifier, now=now)
        answered = post(address, body=body, headers=headers, near=settings.COMMONBEAT.partners_loopback)
    except SealError:
        answered = Answered("unreadable")
    actions.note_test(partner_id=partner.pk, code=answered.code, now=now)
    if answered.code:
        messages.warning(request, _("The test did not arrive.") + " " + problem_in_words(answered.code))
    else:
        messages.success(request, _("The partner's server took the test."))


def _shown(line: PartnerLine) -> Shown:
    partner, problem = line.partner, problem_in_words(line.problem) if line.problem else ""
    if partner.gone_at is not None:
        state = ("overdue", _("gone"), _("Its server said that it is no more (410). Nothing is posted to it."))
    elif not partner.is_enabled:
        state = ("expired", _("off"), "")
    elif problem and line.is_given_up:
        state = ("overdue", _("missed one"), _("The last alert was given up.") + " " + problem)
    elif problem:
        state = ("overdue", _("trouble"), problem + " " + _("It is tried again until the alert is over."))
    elif line.taken:
        state = ("verified", _("well"), "")
    elif partner.tested_at is not None and not partner.test_error:
        state = ("verified", _("well"), _("It took a test, and no alert yet."))
    else:
        state = ("new", _("not tried"), _("Nothing was posted yet. Send a test."))
    return Shown(partner, *state, line.taken, line.taken_at, _names(partner.kinds))


def _delivery(call: PartnerCall) -> Delivery:
    alert = call.alert
    text = next(iter(sorted(alert.texts.all(), key=lambda one: one.language != settings.COMMONBEAT.languages[0])), None)
    if call.sent_at is not None:
        state = ("verified", _("taken"))
    elif call.closed_at is not None:
        state = ("expired", _("not posted") if call.error in ("superseded", "disabled", "over") else _("given up"))
    elif call.attempts:
        state = ("overdue", _("is tried again"))
    else:
        state = ("new", _("waits"))
    headline = text.headline if text is not None else alert.identifier
    return Delivery(
        alert.root_id_or_own, headline, alert.status, call, *state, problem_in_words(call.error) if call.error else ""
    )


def _names(kinds: Sequence[str]) -> str:
    return ", ".join(KINDS[kind].name_in("en") for kind in kinds if kind in KINDS)
