"""USSD: a provider asks step by step what to show on a telephone, and waits for the answer."""

from __future__ import annotations

import logging

from django.conf import settings
from django.core.exceptions import RequestDataTooBig
from django.http import HttpRequest, HttpResponse
from django.utils import translation
from django.views.decorators.csrf import csrf_exempt

from commonbeat.foundation import clock
from commonbeat.foundation.net import is_within
from commonbeat.intake import screens
from commonbeat.messaging.actions import AddressError
from commonbeat.messaging.channel import Refused, Request, channels
from commonbeat.messaging.dialling import UssdChannel
from commonbeat.messaging.in_force import options_in_force
from commonbeat.reactions.dialling import Screen, dial
from commonbeat.web.public.limits import body_size
from commonbeat.web.throttle import client_address

logger = logging.getLogger(__name__)
_PLAIN = "text/plain; charset=utf-8"


# A provider has no page of ours from which a token could come; the secret in the address stands for it.
@csrf_exempt
def ussd(request: HttpRequest, code: str, tail: str) -> HttpResponse:
    """Answer one step of a session."""
    channel = channels().get(code)
    if channel is None or not isinstance(channel, UssdChannel):
        return _refuse(404, "There is no such channel.")
    if request.method != "POST":
        response = _refuse(405, "A gateway calls with POST.")
        response.headers["Allow"] = "POST"
        return response
    if body_size(request) > channel.limits.body_bytes:
        return _refuse(413, "This is too long for a USSD session.")
    try:
        if not _is_from_provider(request):
            raise Refused(403, "This network is not known.")
        # Before the body is read: whoever has no secret costs us nothing.
        channel.verify(Request("POST", tail, {}, {}, b""))
        step = channel.dialled(Request("POST", tail, {}, {}, request.body))
        screen = dial(code, step, clock.now())
    except Refused as refusal:
        return _refuse(refusal.status, refusal.sentence)
    except AddressError:
        return _refuse(400, "The number cannot be read.")
    except RequestDataTooBig:
        return _refuse(413, "This is too long for a USSD session.")
    except Exception as error:  # not for Django to log: it names the address, which holds the secret
        logger.error("A step of a session on %s failed: %s.", code, type(error).__name__)
        # Nor a status of 500, which it logs alike; and somebody holds a telephone and waits for a sentence.
        with translation.override(settings.COMMONBEAT.languages[0]):
            screen = Screen(screens.failed(), goes_on=False)
    kind, body = channel.screen(screen.text, goes_on=screen.goes_on)
    return HttpResponse(body, content_type=kind)


def _is_from_provider(request: HttpRequest) -> bool:
    networks = options_in_force().ussd_networks
    return not networks or is_within(client_address(request), networks)


def _refuse(status: int, sentence: str) -> HttpResponse:
    return HttpResponse(sentence + "\n", status=status, content_type=_PLAIN)
