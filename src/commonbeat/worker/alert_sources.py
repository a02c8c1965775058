"""Ask the sources of others' alerts what they have, once a minute, and take it in."""

from __future__ import annotations

import logging
import time
from functools import cached_property

import httpx
from django.conf import settings

from commonbeat.alerts import polling
from commonbeat.alerts.actions.sources import Taken, claim_source, note_answer, take_message
from commonbeat.alerts.cap import CapAlert, CapError
from commonbeat.alerts.cap_rows import Site, site_of, stored_identifier
from commonbeat.alerts.fetching import client
from commonbeat.alerts.models import Source
from commonbeat.foundation import clock

logger = logging.getLogger(__name__)

POLL_SECONDS = 60.0
# Reasons why a message is left out that are nobody's fault.
EXPECTED = frozenset({"expired", "not actual", "not public", "no alert", "own", "unknown reference", "ended", "over"})


class AlertSources:
    """Hold what outlives one round: the connections, and what was read already."""

    def __init__(self) -> None:
        self._seen = polling.Seen()

    def poll(self) -> int:
        """Ask each source that is due, each by one worker alone; give how many messages were new."""
        new = 0
        while (source := claim_source(now=clock.now())) is not None:
            new += self._poll(source)
        return new

    def _poll(self, source: Source) -> int:
        options = settings.COMMONBEAT
        answer = polling.ask(
            address=source.url,
            client=self._client,
            now=clock.now(),
            source_id=source.pk,
            etag=source.etag,
            modified=source.modified,
            certificate=source.certificate,
            allow_private=options.alert_sources_private,
            seen=self._seen,
            clock=time.monotonic,
        )
        if answer.is_unchanged:
            return 0
        new, problem = 0, answer.code
        site = site_of(options)
        # What was sent first comes first, so that a correction finds what it corrects.
        for found in sorted(answer.found, key=_sent):
            code = found.code
            if found.message is not None:
                taken, code = self._take(source, found.message, site)
                new += taken
            if found.entry is not None:
                self._seen.add(source.pk, found.entry)
            if code and code not in EXPECTED:
                problem = problem or code
        whole = not (answer.code or answer.has_more)
        note_answer(
            source_id=source.pk,
            etag=answer.etag if whole else "",
            modified=answer.modified if whole else "",
            error=problem,
            has_taken=new > 0,
            now=clock.now(),
        )
        if problem:
            logger.warning("Source %d of alerts: %s", source.pk, problem)
        return new

    def _take(self, source: Source, message: CapAlert, site: Site) -> tuple[bool, str]:
        own = stored_identifier(source.pk, message.sender, message.identifier, message.sent)
        if self._seen.is_over(own):
            return False, "over"
        try:
            outcome = take_message(source_id=source.pk, message=message, site=site, now=clock.now())
        except CapError as error:
            if error.code == "unknown reference":
                self._remember_over(source, message)
            return False, error.code
        except Exception as error:  # whatever one message does, the others must still come in
            logger.error("A message of source %d of alerts could not be stored: %s", source.pk, type(error).__name__)
            return False, "failed"
        if outcome.missing:
            self._remember_over(source, message)
        return outcome.taken is Taken.NEW, ""

    def _remember_over(self, source: Source, message: CapAlert) -> None:
        for each in message.references:
            self._seen.add_over(stored_identifier(source.pk, each.sender, each.identifier, each.sent))

    @cached_property
    def _client(self) -> httpx.Client:
        return client()


def _sent(found: polling.Found) -> float:
    return found.message.sent.timestamp() if found.message is not None else 0.0
