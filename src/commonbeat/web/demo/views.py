"""A telephone on a page: what a resident with SMS only sees."""

from __future__ import annotations

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from commonbeat.foundation import clock
from commonbeat.foundation.ids import new_token
from commonbeat.foundation.text import clean_text
from commonbeat.messaging.actions.inbox import receive
from commonbeat.messaging.channel import Inbound
from commonbeat.messaging.queries import conversation, find_contact

CHANNEL = "demo_sms"
TEXT_LIMIT = 1_000
# The demo's telephones: invented numbers, known to everybody who opens the page.
NUMBERS = [f"+38344000{n:03d}" for n in range(101, 109)]


@require_http_methods(["GET", "POST"])
def phone(request: HttpRequest, number: int = 1) -> HttpResponse:
    """Show one telephone's conversation, and send what is typed on it."""
    if not settings.COMMONBEAT.demo or not 1 <= number <= len(NUMBERS):
        raise Http404
    sender = NUMBERS[number - 1]
    if request.method == "POST":
        text = clean_text(request.POST.get("text", ""), TEXT_LIMIT)
        if text:
            message = Inbound(provider_id=new_token(), sender=sender, text=text)
            receive(channel=CHANNEL, message=message, now=clock.now())
        return redirect("demo:phone_of", number=number)
    contact = find_contact(kind="phone", address=sender)
    context = {
        "number": number,
        "numbers": range(1, len(NUMBERS) + 1),
        "shown_number": sender,
        "said": conversation(contact, limit=30) if contact else [],
    }
    template = "demo/said.html" if request.GET.get("part") == "said" else "demo/phone.html"
    return render(request, template, context)
