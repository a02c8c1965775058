"""What things are called on pages of staff."""

from __future__ import annotations

from django.utils.translation import gettext as _


def channel_names() -> dict[str, str]:
    """Name the ways on which messages come and go, as people know them; the provider tells apart what is alike."""
    return {
        "web": _("Web form"),
        "import": _("Imported file"),
        "desk": _("Desk"),
        "kannel_sms": "SMS (Kannel)",
        "smsgate_sms": "SMS (SMSGate)",
        "smssync_sms": "SMS (SMSSync)",
        "twilio_sms": "SMS (Twilio)",
        "vonage_sms": "SMS (Vonage)",
        "africastalking_sms": "SMS (Africa's Talking)",
        "smpp_sms": "SMS (SMPP)",
        "webhook_sms": "SMS (webhook)",
        "demo_sms": _("SMS (demo)"),
        "africastalking_ussd": "USSD",
        "email": _("E-mail"),
        "telegram": "Telegram",
        "whatsapp": "WhatsApp",
        "webpush": _("Push message"),
    }
