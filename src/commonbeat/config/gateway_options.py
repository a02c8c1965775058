"""The settings of SMS gateways; options.py puts them into the table of a site."""

from __future__ import annotations

import dataclasses
import re

from commonbeat.config.chat_options import ChatOptions

_ADDRESS = re.compile(r"https?://(\[[0-9a-fA-F:.]+\]|[^\s/?#\[\]]+)[!-~]*")
_ADDRESSES = (
    "kannel_send_url", "smsgate_url", "telegram_api_url", "whatsapp_api_url", "twilio_url", "vonage_url",
    "webhook_send_url",
)  # fmt: skip
_MAIL = re.compile(r"[A-Za-z0-9._+-]{1,64}@([A-Za-z0-9-]{1,63}\.)+[A-Za-z0-9-]{2,63}")


@dataclasses.dataclass(frozen=True, slots=True)
class GatewayOptions(ChatOptions):
    """Hold the settings of gateways: with those of chats and e-mail, what a channel's page may set."""

    kannel_send_url: str = ""
    """Kannel's sendsms address, such as http://127.0.0.1:13013/cgi-bin/sendsms."""
    kannel_username: str = ""
    """User of Kannel's sendsms."""
    kannel_password: str = ""
    """Password of Kannel's sendsms."""
    kannel_hook_secret: str = ""
    """Secret at the end of the address that Kannel calls."""
    smsgate_url: str = ""
    """Address of the SMSGate API, such as https://api.sms-gate.app/3rdparty/v1."""
    smsgate_username: str = ""
    """User of the SMSGate API."""
    smsgate_password: str = ""
    """Password of the SMSGate API."""
    smsgate_signing_key: str = ""
    """Key with which SMSGate signs its webhooks."""
    twilio_account: str = ""
    """Twilio's account SID."""
    twilio_token: str = ""
    """Twilio's auth token, which also signs its calls."""
    twilio_from: str = ""
    """Twilio number that sends, or the SID of a messaging service (MG…)."""
    twilio_url: str = "https://api.twilio.com"
    """Address of Twilio's API; another only for a region of its own."""
    vonage_key: str = ""
    """Vonage's API key."""
    vonage_secret: str = ""
    """Vonage's API secret."""
    vonage_signature_secret: str = ""
    """Secret with which Vonage signs its calls."""
    vonage_signature_method: str = "sha256"
    """How Vonage signs: sha256 or sha512 (HMAC), as chosen in its dashboard."""
    vonage_from: str = ""
    """Number or name that Vonage sends from."""
    vonage_url: str = "https://rest.nexmo.com"
    """Address of Vonage's SMS API."""
    africastalking_username: str = ""
    """User name of the Africa's Talking application; “sandbox” goes to the test system."""
    africastalking_key: str = ""
    """API key of the Africa's Talking application."""
    africastalking_from: str = ""
    """Short code or sender name at Africa's Talking."""
    africastalking_sms_secret: str = ""
    """Secret at the end of the address that Africa's Talking calls for messages."""
    smssync_secret: str = ""
    """Secret at the end of the address that SMSSync calls."""
    smssync_confirms: bool = False
    """The message results of SMSSync are switched on, so that what it took counts as sent once it says so."""
    smpp_host: str = ""
    """Host of the operator's message centre (SMPP 3.4)."""
    smpp_port: int = 2775
    """Port of the operator's message centre."""
    smpp_tls: bool = False
    """Speak TLS with the message centre."""
    smpp_system_id: str = ""
    """User at the message centre."""
    smpp_password: str = ""
    """Password at the message centre, eight characters at most."""
    smpp_system_type: str = ""
    """System type that the operator may ask for."""
    smpp_from: str = ""
    """Number or name that sends; unless set, the number to which people text."""
    smpp_window: int = 10
    """Messages under way at the same time, as the operator allows."""
    smpp_latin1: bool = False
    """The message centre takes its default alphabet for Latin-1 rather than GSM-7; ask the operator."""
    webhook_key: str = ""
    """Key with which the signed webhook's calls are signed, both ways."""
    webhook_send_url: str = ""
    """Address to which the signed webhook sends messages."""
    push_contact: str = ""
    """E-mail address that push services write to when our messages make trouble; unless set, the site's own."""
    push_loopback: bool = False
    """Push services on this computer may be subscribed with; for tests and trials, never on a real site."""


def gateway_problems(options: GatewayOptions) -> list[str]:
    """Say what is wrong with the settings of gateways, one sentence each."""
    problems = []
    if options.vonage_signature_method not in ("sha256", "sha512"):
        problems.append(
            f"COMMONBEAT_VONAGE_SIGNATURE_METHOD is “{options.vonage_signature_method}”; write sha256 or sha512, and"
            " choose the same in Vonage's dashboard."
        )
    if not 0 < options.smpp_port < 65536:
        problems.append(f"COMMONBEAT_SMPP_PORT is {options.smpp_port}; write a number from 1 to 65535.")
    if not 1 <= options.smpp_window <= 100:
        problems.append(f"COMMONBEAT_SMPP_WINDOW is {options.smpp_window}; write a number from 1 to 100.")
    if len(options.smpp_password) > 8 or len(options.smpp_system_id) > 15:
        problems.append("COMMONBEAT_SMPP_SYSTEM_ID takes 15 characters and COMMONBEAT_SMPP_PASSWORD 8, no more.")
    for name in _ADDRESSES:
        address = getattr(options, name)
        if address and not _ADDRESS.fullmatch(address):
            problems.append(f"COMMONBEAT_{name.upper()} must be an address that begins with https://.")
    if options.push_contact and not _MAIL.fullmatch(options.push_contact):
        problems.append("COMMONBEAT_PUSH_CONTACT must be an e-mail address, such as office@example.org.")
    for name in ("africastalking_sms_secret", "smssync_secret", "webhook_key"):
        if 0 < len(getattr(options, name)) < 16:
            problems.append(f"COMMONBEAT_{name.upper()} is too short to be a secret; make up 20 letters and digits.")
    return problems
