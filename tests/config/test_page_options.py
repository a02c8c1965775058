"""What pages may set, put over what the machine sets."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from commonbeat.config.option_words import SECRETS, in_labels, is_hidden, label_of
from commonbeat.config.options import Options, given_names
from commonbeat.config.page_options import OF_CHANNELS, fixed_names, merged, problems_with

SITE = Options(secret_key="a key for tests only, of sufficient length")


def test_what_belongs_to_the_site_cannot_be_set_on_a_page() -> None:
    own = {name for name in Options.__annotations__ if name in {f.name for f in dataclasses.fields(Options)}}
    assert {"secret_key", "database_url", "demo", "require_mfa", "data_dir"} <= own
    assert not OF_CHANNELS & own
    assert not OF_CHANNELS & {"push_loopback", "mail_lmtp_host", "mail_lmtp_port"}
    assert merged(SITE, {"demo": "yes", "secret_key": "another", "push_loopback": "yes"}).options == SITE


def test_stored_texts_are_read_as_the_environment_is() -> None:
    texts = {"smpp_port": "2776", "smpp_tls": "yes", "whatsapp_templates": "en=news, sq=lajme", "kannel_username": "u"}
    options, faults = merged(SITE, texts)
    assert (options.smpp_port, options.smpp_tls, options.kannel_username) == (2776, True, "u")
    assert options.whatsapp_templates == ("en=news", "sq=lajme")
    assert faults == {}


def test_what_cannot_be_used_is_left_out_and_the_rest_is_used() -> None:
    texts = {"smpp_port": "many", "vonage_signature_method": "md5", "kannel_username": "u", "twilio_url": "ftp://x"}
    options, faults = merged(SITE, texts)
    assert set(faults) == {"smpp_port", "vonage_signature_method", "twilio_url"}
    assert dataclasses.replace(options, kannel_username="") == SITE
    # A setting that lacks another one costs those of its provider alone.
    options, faults = merged(SITE, {"mail_smtp_host": "mail.example.org", "kannel_username": "u"})
    assert set(faults) == {"mail_smtp_host"} and "COMMONBEAT_MAIL_ADDRESS" in faults["mail_smtp_host"]
    assert options.kannel_username == "u"


@pytest.mark.parametrize(
    ("known", "new", "wrong"),
    [
        ({}, {"smpp_port": "99999"}, {"smpp_port"}),
        ({}, {"smpp_port": "x", "telegram_hook_secret": "short"}, {"smpp_port"}),
        ({}, {"telegram_hook_secret": "short", "smpp_window": "0"}, {"telegram_hook_secret", "smpp_window"}),
        ({}, {"kannel_send_url": "kannel.example/send"}, {"kannel_send_url"}),
        ({}, {"kannel_send_url": "http://[::1"}, {"kannel_send_url"}),
        ({}, {"kannel_send_url": "http://[::1]:13013/cgi-bin/sendsms"}, set()),
        ({}, {"kannel_password": "a\nb"}, {"kannel_password"}),
        ({}, {"kannel_password": "a" * 2001}, {"kannel_password"}),
        ({}, {"mail_smtp_host": "mail.example.org"}, {"mail_address"}),
        ({"mail_address": "report@example.org"}, {"mail_smtp_host": "mail.example.org"}, set()),
        ({"mail_address": "report@example.org", "mail_smtp_host": "m.example"}, {"mail_address": ""}, {"mail_address"}),
        # What was wrong before is no reason to refuse something else.
        ({"smpp_port": "many"}, {"kannel_username": "u"}, set()),
        ({"smpp_port": "many"}, {"smpp_port": ""}, set()),
    ],
)
def test_new_texts_are_checked_as_the_environment_is(
    known: dict[str, str], new: dict[str, str], wrong: set[str]
) -> None:
    assert set(problems_with(SITE, known, new)) == wrong


def test_no_sentence_repeats_a_secret() -> None:
    for name in SECRETS & OF_CHANNELS:
        for text in ("hush é", "hushhush" * 40):
            assert "hush" not in str(problems_with(SITE, {}, {name: text}))
            assert "hush" not in str(merged(SITE, {name: text}).faults)


def test_the_machine_wins_also_where_it_repeats_what_is_so_anyway(tmp_path: Path) -> None:
    (tmp_path / "commonbeat.toml").write_text('twilio_account = "AC1"\n')
    (tmp_path / "word").write_text("word\n")
    given = given_names(
        {
            "COMMONBEAT_DATA_DIR": str(tmp_path),
            "COMMONBEAT_SMPP_TLS": "no",
            "COMMONBEAT_VONAGE_KEY": "",
            "COMMONBEAT_KANNEL_PASSWORD_FILE": str(tmp_path / "word"),
        }
    )
    assert {"twilio_account", "smpp_tls", "kannel_password"} <= given and "vonage_key" not in given
    assert fixed_names(dataclasses.replace(SITE, smpp_host="centre"), given) == given | {"smpp_host"}


def test_labels_stand_for_names() -> None:
    assert label_of("kannel_send_url") == "Send address"
    assert label_of("africastalking_ussd_secret") == "USSD secret"
    assert all(label_of(name) for name in OF_CHANNELS)
    said = in_labels("COMMONBEAT_SMPP_PORT is 0; write a number from 1 to 65535.")
    assert said == "“Port” is 0; write a number from 1 to 65535."
    assert is_hidden("kannel_password", "") and not is_hidden("twilio_url", "https://api.twilio.com")
    assert is_hidden("kannel_send_url", "http://u:p@gateway/") and is_hidden("webhook_send_url", "https://x/?key=1")
