"""What the account pages, in Django's dialect, need beyond it."""

from __future__ import annotations

from django import template
from django.conf import settings
from django.forms import BoundField
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from commonbeat.people.models import Role, User
from commonbeat.web.accounts import home_of
from commonbeat.web.demo_codes import DemoLogin, demo_logins

register = template.Library()


# allauth has no Albanian, and speaks of things that nobody here needs to know by that name.
LABELS = {
    "login": _("User name"),
    "username": _("User name"),
    "password": _("Password"),
    "password1": _("New password"),
    "password2": _("New password again"),
    "oldpassword": _("Password now"),
    "remember": _("Stay signed in on this device"),
    "code": _("Code"),
    "name": _("Name of the key"),
    "passwordless": _("Sign in with it alone, without a password"),
}
HINTS = {
    "passwordless": _("It becomes a passkey: the device itself asks for a fingerprint, a face or a PIN."),
    "remember": _("Never on a device that others use too."),
    "password1": _("At least 10 characters; three or four words are easier to keep than signs."),
}
# allauth's hint there is a link to "forgot your password", which takes an e-mail address that nobody here has given.
HINTLESS = frozenset({"password", "login"})


@register.filter
def label_of(field: BoundField) -> str:
    """Name a form field in our words."""
    return str(LABELS.get(field.name) or field.label)


@register.filter
def hint_of(field: BoundField) -> str:
    """Say what helps to fill in a field; empty where nothing does."""
    return "" if field.name in HINTLESS else str(HINTS.get(field.name) or field.help_text or "")


@register.filter
def styled(field: BoundField) -> SafeString:
    """Draw the control of a form field as the rest of the site draws its own."""
    described = [f"{field.auto_id}-hint"] if hint_of(field) else []
    attrs: dict[str, str | bool] = {"dir": "auto"}
    if field.errors:
        attrs["aria-invalid"] = "true"
        described.append(f"{field.auto_id}-error")
    if described:
        attrs["aria-describedby"] = " ".join(described)
    if kind_of(field) not in ("checkbox", "radio"):
        attrs["class"] = "input"
    if field.name == "code":
        attrs |= {"inputmode": "numeric", "autocomplete": "one-time-code", "class": "input input-short", "dir": "ltr"}
    attrs["placeholder"] = False
    return field.as_widget(attrs=attrs)


@register.filter
def kind_of(field: BoundField) -> str:
    """Name the kind of control: text, password, checkbox, radio …"""
    return str(getattr(field.field.widget, "input_type", "other"))


@register.filter
def has_hint(field: BoundField) -> bool:
    """Tell whether the field's hint is shown."""
    return bool(hint_of(field))


@register.simple_tag
def logins_of_demo() -> list[DemoLogin]:
    """Give the demo town's log-ins; none on a real site."""
    return demo_logins()


@register.simple_tag
def must_set_up(user: object) -> bool:
    """Tell whether this account may see nothing before it has a second factor."""
    return isinstance(user, User) and user.role != Role.RESIDENT and bool(settings.COMMONBEAT.require_mfa)


@register.simple_tag
def home_url(user: object) -> str:
    """Give the first page of an account's role."""
    return home_of(user)
