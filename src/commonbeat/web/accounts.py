"""How accounts behave: where a person lands after signing in, and that staff need a second factor."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, ClassVar, Concatenate, ParamSpec

from allauth.account.adapter import DefaultAccountAdapter
from allauth.mfa.utils import is_mfa_enabled
from django.conf import settings
from django.contrib import messages
from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from commonbeat.people.models import Role, User
from commonbeat.people.permissions import Permission, may
from commonbeat.web.desk.tips_keyring import forget_session

P = ParamSpec("P")

HOMES = {
    Role.RESIDENT: "public:home",
    Role.OFFICER: "desk:list",
    Role.SUPERVISOR: "desk:list",
    Role.MODERATOR: "desk:moderation",
    Role.OVERSEER: "oversight:journal",
    Role.ADMINISTRATOR: "administration:topics",
    Role.TRANSLATOR: "translating:home",
}


class AccountAdapter(DefaultAccountAdapter):
    """Answer allauth's questions, in the words of this site."""

    error_messages: ClassVar = {
        **DefaultAccountAdapter.error_messages,
        "username_password_mismatch": gettext_lazy("The user name or the password is not right."),
        "too_many_login_attempts": gettext_lazy("Too many wrong attempts. Wait five minutes and try again."),
        "incorrect_password": gettext_lazy("The password is not right."),
        "enter_current_password": gettext_lazy("The password is not right."),
        "username_taken": gettext_lazy("This user name is taken."),
        "account_inactive": gettext_lazy("This account is closed."),
    }

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        """Let residents make an account; staff accounts are made by an administrator."""
        return True

    def get_login_redirect_url(self, request: HttpRequest) -> str:
        """Send each role to its own first page."""
        return home_of(request.user)

    def logout(self, request: HttpRequest) -> None:
        """Sign out, and lock what the person had opened."""
        forget_session(request.session.session_key)
        super().logout(request)


def home_of(user: object) -> str:
    """Give the address of an account's first page."""
    return reverse(HOMES[Role(user.role)] if isinstance(user, User) else "public:home")


def needs(
    permission: Permission,
) -> Callable[
    [Callable[Concatenate[HttpRequest, P], HttpResponseBase]], Callable[Concatenate[HttpRequest, P], HttpResponseBase]
]:
    """Let only those with the permission, signed in with a second factor, reach a view."""

    def decorate(
        view: Callable[Concatenate[HttpRequest, P], HttpResponseBase],
    ) -> Callable[Concatenate[HttpRequest, P], HttpResponseBase]:
        @wraps(view)
        def guarded(request: HttpRequest, /, *args: P.args, **kwargs: P.kwargs) -> HttpResponseBase:
            user: Any = request.user
            if not user.is_authenticated:
                return _go(request, redirect_to_login(_page_of(request)))
            if not may(user, permission):
                raise PermissionDenied
            if settings.COMMONBEAT.require_mfa and not is_mfa_enabled(user):
                messages.warning(request, _("Before you go on: set up a second step for signing in."))
                return _go(request, redirect("mfa_index"))
            return view(request, *args, **kwargs)

        guarded.needs = permission  # type: ignore[attr-defined]  # read by the test that every page declares its rule
        return guarded

    return decorate


def _page_of(request: HttpRequest) -> str:
    # After signing in, people land on the page around a fragment, and never on an address that only takes forms.
    if request.headers.get("HX-Request") or request.method not in ("GET", "HEAD"):
        return reverse("public:home")
    return request.get_full_path()


def _go(request: HttpRequest, response: HttpResponse) -> HttpResponse:
    """Let htmx load the whole page, rather than put a sign-in form into a fragment."""
    if not request.headers.get("HX-Request"):
        return response
    return HttpResponse(headers={"HX-Redirect": response.headers["Location"]})


def signed_in(request: HttpRequest) -> User:
    """Give the signed-in user of a guarded view."""
    assert isinstance(request.user, User)
    return request.user
