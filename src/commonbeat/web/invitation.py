"""The page behind an invitation's link: its owner chooses a password, which nobody else ever sees."""

from __future__ import annotations

from django.contrib import messages
from django.contrib.auth import logout
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.debug import sensitive_post_parameters, sensitive_variables
from django.views.decorators.http import require_http_methods

from commonbeat.foundation import clock
from commonbeat.people.actions import InvitationError, PeopleError, accept_invitation
from commonbeat.people.queries import open_invitation
from commonbeat.web.errors import error_page


@sensitive_variables("token", "password")
@sensitive_post_parameters()
@require_http_methods(["GET", "HEAD", "POST"])
def accept(request: HttpRequest, token: str) -> HttpResponseBase:
    """Ask for a password of the owner's own; opening the page uses nothing up, for messengers open links too."""
    now = clock.now()
    found = open_invitation(token, now=now)
    if found is None:
        return _gone(request)
    errors: dict[str, str] = {}
    if request.method == "POST":
        password = request.POST.get("password", "")
        try:
            if password != request.POST.get("again", ""):
                raise PeopleError("again", _("The two passwords differ. Type the same one twice."))
            accept_invitation(token=token, password=password, now=now)
        except InvitationError:
            return _gone(request)
        except PeopleError as error:
            errors = {error.field: str(error)}
        else:
            # Whoever was signed in on this device is somebody else.
            logout(request)
            messages.success(request, _("Your password is set. Sign in with it; then you set up the second step."))
            return redirect("account_login")
    context = {"username": found.user.username, "errors": errors, "all_errors": list(errors.items())}
    return render(request, "public/invitation.html", context, status=422 if errors else 200)


def _gone(request: HttpRequest) -> HttpResponseBase:
    return error_page(
        request,
        status=410,
        title=_("This link no longer works"),
        sentence=_("It works once, and for three days. Ask your administrator for a new one."),
    )
