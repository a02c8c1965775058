"""Who works here: list, invitations, roles, second factors. No page here takes or shows a password."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.contrib import messages
from django.http import Http404, HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from commonbeat.foundation import clock
from commonbeat.people import actions
from commonbeat.people.actions import PeopleError
from commonbeat.people.models import Role, User
from commonbeat.people.permissions import PERMISSIONS, Permission
from commonbeat.people.queries import staff, units
from commonbeat.web.accounts import needs, signed_in
from commonbeat.web.administration.numbers import whole_number

STAFF_ROLES = [role for role in Role if role != Role.RESIDENT]
PER_PAGE = 200


@require_http_methods(["GET", "HEAD", "POST"])
@needs(Permission.ADMINISTER)
def listing(request: HttpRequest) -> HttpResponseBase:
    """Show staff and units; make a unit."""
    error = ""
    if request.method == "POST":
        try:
            actions.create_unit(name=request.POST.get("unit_name", ""), actor_id=signed_in(request).pk, now=clock.now())
            return redirect("administration:people")
        except PeopleError as problem:
            error = str(problem)
    context = {
        "people": staff()[:PER_PAGE],
        "units": units(),
        "unit_name": request.POST.get("unit_name", ""),
        "error": error,
    }
    return render(request, "administration/people.html", context, status=422 if error else 200)


@require_http_methods(["GET", "HEAD", "POST"])
@needs(Permission.ADMINISTER)
def new(request: HttpRequest) -> HttpResponseBase:
    """Make an account for somebody who works here, and show the link with which they open it."""
    errors: dict[str, str] = {}
    if request.method == "POST":
        role = _role(request)
        try:
            if role is None:
                raise PeopleError("role", _("Choose what this person does here."))
            user, token = actions.invite_staff(
                username=request.POST.get("username", ""),
                role=role,
                unit_id=_unit(request),
                display_name=request.POST.get("display_name", ""),
                language=settings.LANGUAGE_CODE,
                languages_read=request.POST.getlist("languages_read"),
                actor_id=signed_in(request).pk,
                now=clock.now(),
            )
            return _link(request, user, token)
        except PeopleError as problem:
            errors = {problem.field: str(problem)}
    return _page(request, None, errors)


@require_http_methods(["GET", "HEAD", "POST"])
@needs(Permission.ADMINISTER)
def edit(request: HttpRequest, pk: int) -> HttpResponseBase:
    """Change a role or unit, forget a second factor, close or open an account."""
    user = staff().filter(pk=pk).first()
    if user is None:
        raise Http404
    errors: dict[str, str] = {}
    if request.method == "POST":
        try:
            if request.POST.get("do") == "reset":
                token = actions.reset_second_factor(user_id=pk, actor_id=signed_in(request).pk, now=clock.now())
                return _link(request, user, token)
            _change(request, user)
            return redirect("administration:person_edit", pk=pk)
        except PeopleError as problem:
            errors = {problem.field: str(problem)}
    return _page(request, user, errors)


def _change(request: HttpRequest, user: User) -> None:
    who: dict[str, Any] = {"user_id": user.pk, "actor_id": signed_in(request).pk, "now": clock.now()}
    verb = request.POST.get("do", "")
    if verb == "role":
        role = _role(request)
        if role is None:
            raise PeopleError("role", _("Choose what this person does here."))
        if role == Role.TRANSLATOR:
            actions.set_languages_read(languages=request.POST.getlist("languages_read"), **who)
        actions.change_role(role=role, unit_id=_unit(request), **who)
        messages.success(request, _("The role is changed, from the next page that the person opens."))
    elif verb == "deactivate":
        actions.deactivate(**who)
        messages.success(request, _("The account is closed. What it did stays on record."))
    elif verb == "reactivate":
        actions.reactivate(**who)
        messages.success(request, _("The account is open again."))
    else:
        raise PeopleError("", _("We could not read that. Nothing was changed."))


def _link(request: HttpRequest, person: User, token: str) -> HttpResponseBase:
    # In the answer itself, not after a redirect: to get there the link would have to be stored somewhere.
    path = reverse("account_invitation", kwargs={"token": token})
    context = {
        "person": person,
        "link": settings.COMMONBEAT.site_url.rstrip("/") + path,
        "until": clock.now() + actions.INVITATION_LASTS,
    }
    return render(request, "administration/invited.html", context)


def _page(request: HttpRequest, person: User | None, errors: dict[str, str]) -> HttpResponseBase:
    posted = request.POST
    context = {
        "person": person,
        "is_oneself": person is not None and person.pk == signed_in(request).pk,
        "errors": errors,
        "all_errors": [(name or None, text) for name, text in errors.items()],
        "values": {
            "username": posted.get("username", ""),
            "display_name": posted.get("display_name", ""),
            "role": posted.get("role", person.role if person else ""),
            "unit": posted.get("unit", str(person.unit_id or "") if person else ""),
            "languages_read": posted.getlist("languages_read") or (person.languages_read if person else []),
        },
        "roles": [(role.value, role.label, _duties(role)) for role in STAFF_ROLES],
        "units": [(unit.pk, unit.name) for unit in units()],
        "site_languages": settings.LANGUAGES,
    }
    return render(request, "administration/person.html", context, status=422 if errors else 200)


def _duties(role: Role) -> str:
    words = {
        Permission.SEE_DESK: _("sees the reports of the unit"),
        Permission.SEE_ALL_DESKS: _("sees every desk"),
        Permission.PUBLISH: _("proposes public texts"),
        Permission.RELEASE: _("releases held texts"),
        Permission.SEE_JOURNAL: _("reads the journal, no reports"),
        Permission.ADMINISTER: _("topics, beats, people; no reports"),
        Permission.TRANSLATE: _("translates texts without names and numbers; sees no reports"),
    }
    return ", ".join(text for permission, text in words.items() if permission in PERMISSIONS[role])


def _role(request: HttpRequest) -> Role | None:
    try:
        role = Role(request.POST.get("role", ""))
    except ValueError:
        return None
    return role if role in STAFF_ROLES else None


def _unit(request: HttpRequest) -> int | None:
    return whole_number(request.POST.get("unit", ""))
