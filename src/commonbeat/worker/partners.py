"""Post look-outs to partners: each has a call of its own under way, so that a slow one holds up nobody else."""

from __future__ import annotations

import logging
from concurrent.futures import Future, ThreadPoolExecutor, wait
from datetime import datetime

from django.conf import settings

from commonbeat.alerts.actions.partner_calls import UNREADABLE, claim_calls, note_answer
from commonbeat.alerts.actions.partners import address_and_secret
from commonbeat.alerts.calling import Answered, post, signed_headers
from commonbeat.alerts.cap_rows import site_of
from commonbeat.alerts.models import PartnerCall
from commonbeat.alerts.partner_message import message_of
from commonbeat.alerts.partner_queries import messages_before
from commonbeat.foundation import clock
from commonbeat.foundation.crypto import SealError

logger = logging.getLogger(__name__)

AT_ONCE = 16
# How long one step waits for answers before it looks again for what has become due.
PATIENCE_SECONDS = 0.05


class PartnerCalls:
    """Hold the calls that are under way, by their futures."""

    def __init__(self) -> None:
        self._pool = ThreadPoolExecutor(max_workers=AT_ONCE, thread_name_prefix="partner")
        # The call and its partner.
        self._calls: dict[Future[Answered], tuple[int, int]] = {}

    def step(self) -> int:
        """Begin what is due, and note what was answered; give how many calls are under way or were noted."""
        noted = self._collect()
        now = clock.now()
        busy = [partner_id for _, partner_id in self._calls.values()]
        for call in claim_calls(busy=busy, limit=AT_ONCE - len(self._calls), now=now):
            self._begin(call, now)
        if self._calls:
            wait(self._calls, timeout=PATIENCE_SECONDS)
            noted += self._collect()
        return noted + len(self._calls)

    def close(self) -> None:
        """Begin no further call; what has no outcome is posted again, under the same id."""
        self._pool.shutdown(wait=False, cancel_futures=True)

    def _begin(self, call: PartnerCall, now: datetime) -> None:
        try:
            address, secret = address_and_secret(call.partner)
        except SealError:
            note_answer(call_id=call.pk, answered=Answered(UNREADABLE), now=now)
            return
        body = message_of(call.alert, messages_before(call.alert), site=site_of(settings.COMMONBEAT))
        headers = signed_headers(secret, body, identifier=call.alert.identifier, now=now)
        near = settings.COMMONBEAT.partners_loopback
        future = self._pool.submit(post, address, body=body, headers=headers, near=near)
        self._calls[future] = (call.pk, call.partner_id)

    def _collect(self) -> int:
        done = [future for future in self._calls if future.done()]
        for future in done:
            call_id, partner_id = self._calls.pop(future)
            error = future.exception()
            if error is not None:
                # The type alone: the text of an exception may hold the address.
                logger.error("Partner %d could not be called: %s.", partner_id, type(error).__name__)
            answered = Answered("failed") if error is not None else future.result()
            note_answer(call_id=call_id, answered=answered, now=clock.now())
        return len(done)
