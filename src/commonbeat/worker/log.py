"""Keep the transparency log: what the journal has grown by goes in, and once a minute the log is signed."""

from __future__ import annotations

import time
from collections.abc import Callable

from django.conf import settings

from commonbeat.config.options import Options
from commonbeat.foundation import clock
from commonbeat.journal.actions.log import BATCH, sequence, sign_checkpoint
from commonbeat.journal.site_key import blinding_key, site_signer

# So long an entry waits at most for its place, on a site that keeps up.
POLL_SECONDS = 1.0
# A journal of years is put in piece by piece; between two pieces others write.
_STEP_SECONDS = 5.0
_BREAK_SECONDS = 0.05


class LogKeeper:
    """Hold the keys of the log."""

    def __init__(self, options: Options | None = None, *, rest: Callable[[float], None] = time.sleep) -> None:
        self._options = options or settings.COMMONBEAT
        self._rest = rest
        self._blinding = blinding_key(self._options.secret)

    def step(self) -> int:
        """Put in what is new, and sign when it is time; gives how many entries went in."""
        done, until = 0, time.monotonic() + _STEP_SECONDS
        while count := sequence(blinding=self._blinding):
            done += count
            if count < BATCH or time.monotonic() > until:
                break
            self._rest(_BREAK_SECONDS)
        signer = site_signer(self._options.data_dir / "keys", address=self._options.site_url)
        sign_checkpoint(signer=signer, now=clock.now())
        return done
