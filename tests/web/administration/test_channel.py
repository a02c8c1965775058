"""The page of one channel: what goes in is used at once, and no secret comes out, on paper or in a log."""

from __future__ import annotations

import logging
from dataclasses import replace
from typing import Any

import httpx
import pytest
from django.conf import settings as site
from django.test import Client
from django.urls import reverse

from commonbeat.journal.models import Entry
from commonbeat.messaging.channel import Failed, Outbound, Refused, Request, Sent, channels, setup_of
from commonbeat.messaging.in_force import forget, options_in_force, refresh
from commonbeat.messaging.models import ChannelSetting, Health
from commonbeat.messaging.models import Outbound as Row
from commonbeat.people.models import Role, User
from tests.architecture.source import REPOSITORY
from tests.make import make_user, signed_in

pytestmark = pytest.mark.django_db
PASSWORD, SECRET, URL = "a word for the gate", "the-end-of-the-address", "http://gateway.invalid/cgi-bin/sendsms"
FORM = {
    "do": "save",
    "kannel_send_url": URL,
    "kannel_username": "gate",
    "kannel_password": PASSWORD,
    "kannel_hook_secret": SECRET,
}
MESSAGE = Outbound(recipient="+38344123456", text="Your reference is KX7M-4QXP-2R.", idempotency_key="in:7:0")


@pytest.fixture
def admin(administrator_client: Client) -> Client:
    return administrator_client


@pytest.fixture
def asked(monkeypatch) -> list[httpx.Request]:
    """Stand in for Kannel, and keep what it is asked."""
    found: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        found.append(request)
        return httpx.Response(202, text="0: Accepted for delivery")

    client = httpx.Client(transport=httpx.MockTransport(answer))
    monkeypatch.setitem(channels()["kannel_sms"].__dict__, "_client", client)
    return found


def address(code: str = "kannel_sms") -> str:
    return reverse("administration:channel", kwargs={"code": code})


def page(client: Client, code: str = "kannel_sms") -> str:
    answer = client.get(address(code))
    assert answer.status_code == 200
    return answer.content.decode()


def save(client: Client, code: str = "kannel_sms", **fields: str) -> Any:
    return client.post(address(code), {"do": "save", **fields})


def refused(client: Client, code: str = "kannel_sms", **fields: str) -> str:
    before = list(ChannelSetting.objects.order_by("id").values())
    answer = save(client, code, **fields)
    assert answer.status_code == 422
    assert list(ChannelSetting.objects.order_by("id").values()) == before
    text: str = answer.content.decode()
    return text


def test_what_is_saved_is_used_without_a_restart(admin: Client, asked: list[httpx.Request]) -> None:
    channel = channels()["kannel_sms"]
    call = Request("GET", SECRET, {"from": "+38344123456", "text": "fire"}, {}, b"")
    assert channel.send(MESSAGE) == Failed("not configured", permanent=False)
    with pytest.raises(Refused):
        channel.verify(call)
    assert admin.post(address(), FORM).status_code == 302
    assert isinstance(channel.send(MESSAGE), Sent)
    channel.verify(call)
    assert str(asked[0].url).startswith(URL)
    assert (asked[0].url.params["username"], asked[0].url.params["password"]) == ("gate", PASSWORD)
    assert "receives" in page(admin) and "sends" in page(admin)
    save(admin, clear_kannel_hook_secret="on")
    with pytest.raises(Refused):
        channel.verify(call)


def test_no_secret_is_in_a_page_the_journal_or_a_log(admin: Client, caplog) -> None:
    caplog.set_level(logging.DEBUG)
    admin.post(address(), FORM)
    # Also not when something else is wrong, and it has to be written again.
    again = refused(admin, kannel_send_url="nonsense", kannel_password="another " + PASSWORD)
    shown = page(admin) + again + admin.get(reverse("administration:channels")).content.decode()
    shown += admin.get(reverse("administration:settings")).content.decode()
    for secret in (PASSWORD, SECRET):
        assert secret not in shown and secret not in caplog.text
        assert secret not in str(list(Entry.objects.values()))
    assert "It is set, and is not shown" in shown
    # What is no secret can be read and mended; an address with a password in it is one.
    assert f'value="{URL}"' in page(admin) and URL not in str(list(Entry.objects.values()))
    open_one = "http://gate:opensesame@gateway.invalid/"
    admin.post(address(), {**FORM, "kannel_send_url": open_one})
    assert options_in_force().kannel_send_url == open_one
    assert "opensesame" not in page(admin)


def test_an_empty_secret_stays_and_a_box_clears_it(admin: Client) -> None:
    admin.post(address(), FORM)
    assert save(admin, kannel_send_url=URL, kannel_username="other", kannel_password="").status_code == 302
    assert (options_in_force().kannel_username, options_in_force().kannel_password) == ("other", PASSWORD)
    assert "choose one" in refused(admin, kannel_password="x", clear_kannel_password="on")
    save(admin, clear_kannel_password="on")
    assert options_in_force().kannel_password == ""
    assert "COMMONBEAT_KANNEL_PASSWORD" in admin.get(reverse("administration:channels")).content.decode()


def test_what_the_environment_sets_wins_and_has_no_field(admin: Client, settings) -> None:
    admin.post(address(), FORM)
    settings.COMMONBEAT = replace(site.COMMONBEAT, kannel_password="of the machine")
    shown = page(admin)
    assert "set by the environment" in shown and 'name="kannel_password"' not in shown
    assert "of the machine" not in shown
    # The machine's secret would go where the page says.
    assert 'name="kannel_send_url"' not in shown and 'name="kannel_username"' in shown
    assert (options_in_force().kannel_password, options_in_force().kannel_send_url) == ("of the machine", "")
    # A form from before does not change it, nor what it is tied to.
    assert admin.post(address(), FORM).status_code == 302
    assert options_in_force().kannel_password == "of the machine"


@pytest.mark.parametrize(
    ("code", "fields", "field", "words"),
    [
        ("smpp_sms", {"smpp_port": "seven"}, "smpp_port", "“Port” is “seven”; write a whole number."),
        ("smpp_sms", {"smpp_port": "0"}, "smpp_port", "write a number from 1 to 65535"),
        ("smpp_sms", {"smpp_password": "far too long"}, "smpp_password", "and “Password” 8, no more"),
        ("kannel_sms", {"kannel_send_url": "kannel"}, "kannel_send_url", "“Send address” must be an address"),
        ("telegram", {"telegram_hook_secret": "short"}, "telegram_hook_secret", "16 to 256 letters"),
        ("email", {"mail_smtp_host": "mail.example"}, "mail_address", "nobody knows where to write"),
        ("africastalking_ussd", {"ussd_networks": "everywhere"}, "ussd_networks", "write networks such as"),
    ],
)
def test_what_cannot_be_is_said_beside_its_field(
    admin: Client, code: str, fields: dict[str, str], field: str, words: str
) -> None:
    shown = refused(admin, code, **fields)
    beside = shown.partition(f'id="id_{field}-error"')[2].partition("</p>")[0]
    assert words in beside
    assert "COMMONBEAT_" not in beside
    assert f'href="#id_{field}"' in shown


def test_a_new_address_asks_for_the_secrets_again(admin: Client) -> None:
    admin.post(address(), FORM)
    shown = refused(admin, kannel_send_url="https://elsewhere.example/", kannel_username="gate")
    assert "the address for which it is meant has changed" in shown
    # What was typed is still there, to be sent with them.
    assert 'value="https://elsewhere.example/"' in shown


def test_the_signed_webhook_asks_for_its_key_again_too(admin: Client, settings) -> None:
    url, other = "https://gateway.example/send", "https://elsewhere.example/send"
    key = "a key of thirty letters or so, hush"
    assert save(admin, "webhook_sms", webhook_send_url=url, webhook_key=key).status_code == 302
    shown = refused(admin, "webhook_sms", webhook_send_url=other)
    assert 'id="id_webhook_key-error"' in shown
    assert save(admin, "webhook_sms", webhook_send_url=other, webhook_key=key).status_code == 302
    assert options_in_force().webhook_send_url == other
    # With the machine's key, no page says where messages go.
    settings.COMMONBEAT = replace(site.COMMONBEAT, webhook_key="a key of the machine, also long enough")
    assert 'name="webhook_send_url"' not in page(admin, "webhook_sms")


def test_two_administrators_see_who_was_last(admin: Client, administrator: User) -> None:
    admin.post(address(), FORM)
    assert f"by {administrator.shown_name}" in page(admin)
    second = signed_in(make_user("second", role=Role.ADMINISTRATOR, second_factor=True))
    save(second, kannel_send_url=URL, kannel_username="other")
    assert "by second" in page(admin)
    assert options_in_force().kannel_username == "other"


def test_with_another_key_it_is_not_set_up_and_the_page_says_why(admin: Client, settings, asked) -> None:
    admin.post(address(), FORM)
    settings.COMMONBEAT = replace(site.COMMONBEAT, secret_key="the key of another site, restored here")
    forget()
    refresh()
    browser = signed_in(make_user("restorer", role=Role.ADMINISTRATOR, second_factor=True))
    shown = page(browser)
    assert "cannot be opened with this site" in shown and "Write it again" in shown
    assert channels()["kannel_sms"].send(MESSAGE) == Failed("not configured", permanent=False)
    assert browser.post(address(), FORM).status_code == 302
    assert isinstance(channels()["kannel_sms"].send(MESSAGE), Sent)
    assert "cannot be opened" not in page(browser)


def test_a_test_message_is_sent_from_here_too(admin: Client, asked: list[httpx.Request]) -> None:
    assert "Send a test message" not in page(admin)
    admin.post(address(), FORM)
    assert "Send a test message" in page(admin)
    sent = admin.post(address(), {"do": "test", "number": "+38344123456", "once": "a"})
    assert sent.status_code == 302 and Row.objects.get().channel == "kannel_sms"
    wrong = admin.post(address(), {"do": "test", "number": "12", "once": "b"})
    assert wrong.status_code == 422 and "not a telephone number" in wrong.content.decode()
    assert admin.post(address(), {"do": "dance"}).status_code == 422


def test_it_tells_of_trouble_and_of_the_manual(admin: Client) -> None:
    admin.post(address(), FORM)
    Health.objects.create(
        channel="kannel_sms", failures=6, failing_since="2026-01-01T00:00:00Z", last_error="authorization"
    )
    shown = page(admin)
    assert "refuses our password" in shown and "docs/channels/kannel.md" in shown
    assert f"{site.COMMONBEAT.site_url}/hooks/kannel_sms/…" in shown and SECRET not in shown


def test_every_channel_has_a_page_a_purpose_and_a_manual(admin: Client) -> None:
    for code, channel in channels().items():
        setup = setup_of(channel)
        assert setup.purpose.endswith(".") and setup.purpose.replace("'", "&#39;") in page(admin, code)
        assert code == "demo_sms" or (REPOSITORY / "docs" / "channels" / setup.manual).is_file()
    assert "has no settings of its own" in page(admin, "demo_sms")
    assert admin.get(address("nobody")).status_code == 404


@pytest.mark.parametrize("role", [Role.RESIDENT, Role.OFFICER, Role.SUPERVISOR, Role.MODERATOR, Role.OVERSEER])
def test_others_see_and_change_nothing(unit: object, role: Role) -> None:
    browser = signed_in(make_user("outsider", role=role, second_factor=True))
    for answer in (browser.get(address()), browser.post(address(), FORM)):
        assert answer.status_code == 403
        text = answer.content.decode()
        assert "Send address" not in text and "sendsms" not in text and "<h1>Kannel" not in text
    assert not ChannelSetting.objects.exists()
