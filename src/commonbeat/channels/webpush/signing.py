"""The site's signature for a push service (VAPID, RFC 8292), made anew twice a day."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Callable

from py_vapid import Vapid02

from commonbeat.config.options import Options
from commonbeat.messaging.push import site_push_key

# A service takes a signature of 24 hours at most, and clocks differ.
_VALID_SECONDS, _USED_SECONDS = 12 * 3600, 6 * 3600
# The address alone is told: a trial on one's own computer has none that anybody could write to.
_NOBODY = "https://localhost"
_MOST_KEPT = 1_000


class Signatures:
    """Make one signature for each service, and use it for hours: each costs as much as encrypting a message."""

    def __init__(self, options: Callable[[], Options], *, clock: Callable[[], float] = time.time) -> None:
        self._options = options
        self._clock = clock
        self._lock = threading.Lock()
        self._made: OrderedDict[tuple[bytes, str, str], tuple[float, str]] = OrderedDict()

    def header_for(self, origin: str) -> str:
        """Give the Authorization header for a service."""
        options, now = self._options(), self._clock()
        name = (options.secret, subject_of(options), origin)
        with self._lock:
            made = self._made.get(name)
            if made is None or not made[0] - _VALID_SECONDS <= now < made[0] - _VALID_SECONDS + _USED_SECONDS:
                made = self._made[name] = (now + _VALID_SECONDS, _signed(*name, until=now + _VALID_SECONDS))
                while len(self._made) > _MOST_KEPT:
                    self._made.popitem(last=False)
            return made[1]


def subject_of(options: Options) -> str:
    """Give whom a push service writes to when our messages make trouble."""
    mail = options.push_contact or options.mail_address
    if mail:
        return f"mailto:{mail}"
    return options.site_url.rstrip("/") if options.site_url.startswith("https://") else _NOBODY


def _signed(secret: bytes, subject: str, origin: str, *, until: float) -> str:
    # Not its check of the subject, which refuses a site's address with a port.
    signer = Vapid02(site_push_key(secret), conf={"no-strict": True})
    header: str = signer.sign({"aud": origin, "sub": subject, "exp": int(until)})["Authorization"]
    return header
