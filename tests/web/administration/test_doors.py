"""Nobody but the administrator sees administration, and the administrator sees nothing else."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from commonbeat.alerts.models import Partner, Source
from commonbeat.people.models import Role, User
from commonbeat.tips.actions.desks import make_desk
from commonbeat.tips.models import DeskKind
from commonbeat.web.administration.urls import urlpatterns
from tests.make import NOW, make_beat, make_place, make_topic, make_user, signed_in
from tests.tips.desks import manager_of


def _addresses() -> list[str]:
    topic, beat, person = (
        make_topic("noise", name={"en": "Hammering"}),
        make_beat(name="Riverside"),
        make_user("someone", role=Role.OVERSEER),
    )
    desk = make_desk(names={"": "Hammering"}, kind=DeskKind.TIPS, actor=manager_of(DeskKind.TIPS), now=NOW)
    arguments: dict[str, dict[str, Any]] = {
        "topic_edit": {"code": topic.code},
        "beat_edit": {"pk": beat.pk},
        "person_edit": {"pk": person.pk},
        "place_edit": {"pk": make_place("Hammering mill").pk},
        "partner": {"pk": Partner.objects.create(name="Hammering", created_at=NOW).pk},
        "channel": {"code": "kannel_sms"},
        "tip_desk": {"pk": desk.pk},
        "tip_desk_act": {"pk": desk.pk, "verb": "open"},
        "alert_source_edit": {"pk": Source.objects.create(name="Hammering", url="https://feed.example/").pk},
    }
    return [reverse(f"administration:{p.name}", kwargs=arguments.get(str(p.name))) for p in urlpatterns]


@pytest.mark.parametrize("role", [Role.RESIDENT, Role.OFFICER, Role.SUPERVISOR, Role.MODERATOR, Role.OVERSEER])
def test_other_roles_are_refused_everywhere(unit: object, role: Role) -> None:
    browser = signed_in(make_user("outsider", role=role, second_factor=True))
    for address in _addresses():
        for answer in (browser.get(address), browser.post(address, {"do": "save"})):
            assert answer.status_code in (403, 405), address
            assert b"Riverside" not in answer.content and b"Hammering" not in answer.content


def test_strangers_are_asked_to_sign_in(unit: object, client: Client) -> None:
    for address in _addresses():
        answer = client.get(address)
        assert answer.status_code == 302
        assert answer.headers["Location"].startswith(reverse("account_login"))


def test_the_administrator_sees_every_page(administrator_client: Client, unit: object) -> None:
    for address in _addresses():
        # An act on a desk is no page: it is posted, and its form stands on the desk's.
        expected = (405,) if address.endswith("/open/") else (200, 302)
        assert administrator_client.get(address).status_code in expected, address


def test_an_administrator_without_a_second_factor_is_led_to_set_one_up(unit: object) -> None:
    browser = signed_in(make_user("bare", role=Role.ADMINISTRATOR, second_factor=False))
    for address in _addresses():
        answer = browser.get(address)
        assert answer.status_code == 302 and answer.headers["Location"] == reverse("mfa_index")


def test_a_fragment_is_not_answered_with_a_form(client: Client) -> None:
    answer = client.get(reverse("administration:topics"), headers={"HX-Request": "true"})
    assert answer.status_code == 200
    assert answer.headers["HX-Redirect"].startswith(reverse("account_login"))
    assert not answer.content


def test_the_administrator_sees_no_reports(administrator: User) -> None:
    browser = signed_in(administrator)
    for name in ("desk:list", "desk:moderation", "oversight:journal"):
        assert browser.get(reverse(name)).status_code == 403
