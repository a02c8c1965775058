"""A thief of the database finds no second factor in it."""

from __future__ import annotations

import json

from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal.auth import generate_totp_secret

from commonbeat.people.models import User
from commonbeat.web.second_factor import SecondFactorAdapter
from tests import make


def test_the_stored_key_is_not_the_key(officer: User) -> None:
    secret = make.totp_secret(officer)
    stored = json.dumps(list(Authenticator.objects.values_list("data", flat=True)))
    assert len(secret) == len(generate_totp_secret())
    assert secret not in stored


def test_what_was_sealed_is_opened_and_never_sealed_alike_twice() -> None:
    adapter = SecondFactorAdapter()
    first, second = adapter.encrypt("a secret"), adapter.encrypt("a secret")
    assert first != second
    assert adapter.decrypt(first) == "a secret"
