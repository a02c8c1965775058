"""Every address for staff, asked by every role: only who has the permission gets past the door."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver, reverse

from commonbeat.people.models import Role, Unit
from commonbeat.people.permissions import PERMISSIONS, Permission
from tests import make

pytestmark = pytest.mark.django_db
STAFF = ("desk", "oversight", "administration", "translating")
REFUSED = 403
# The address by a regular expression, which tells no types.
SAMPLES = {"alert_id": "1", "part": "where"}


def guarded() -> Iterator[tuple[str, Permission]]:
    """Give address and permission of every page for staff; the door comes before what the numbers name."""
    for audience in get_resolver().url_patterns:
        if isinstance(audience, URLResolver) and audience.namespace in STAFF:
            for pattern in audience.url_patterns:
                assert isinstance(pattern, URLPattern)
                if hasattr(pattern.callback, "needs"):
                    yield reverse(f"{audience.namespace}:{pattern.name}", kwargs=_sample(pattern)), _needs(pattern)


def _sample(pattern: URLPattern) -> dict[str, object]:
    converters = pattern.pattern.converters
    if converters:
        return {name: 1 if "Int" in type(kind).__name__ else "x" for name, kind in converters.items()}
    return {name: SAMPLES[name] for name in pattern.pattern.regex.groupindex}


def _needs(pattern: URLPattern) -> Permission:
    permission = pattern.callback.needs
    assert isinstance(permission, Permission)
    return permission


def ask(client: Client, address: str) -> int:
    """Ask as a browser does, and with an empty form where a page takes forms only."""
    status = client.get(address).status_code
    return client.post(address).status_code if status == 405 else status


@pytest.mark.parametrize("role", list(Role))
def test_a_role_gets_past_its_own_doors_only(role: Role, unit: Unit) -> None:
    client = make.signed_in(make.make_user(role=role, unit=unit))
    held, doors = PERMISSIONS[role], list(guarded())
    assert len(doors) > 100
    for address, permission in doors:
        is_refused = ask(client, address) == REFUSED
        # Past the door there may be nothing of that number, or another rule of who sees what.
        assert is_refused or permission in held, address
        assert not (is_refused and permission in held and _is_plain(address)), address


def test_who_is_not_signed_in_gets_past_none(client: Client) -> None:
    for address, _permission in guarded():
        assert ask(client, address) == 302, address


def _is_plain(address: str) -> bool:
    return "/1/" not in address and "/x/" not in address
