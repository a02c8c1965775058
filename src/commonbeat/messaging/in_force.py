"""The settings in force: those of the machine, and beneath them those that administrators stored on channels' pages.

Asked for with every message and every call of a gateway, on event loops too; so asking is a look at one object in
memory, and a thread of its own keeps that up to date.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field

from django.conf import settings
from django.db import Error, close_old_connections, connection

from commonbeat.config.option_words import SECRETS
from commonbeat.config.options import Options
from commonbeat.config.page_options import OF_CHANNELS, fixed_names, merged
from commonbeat.foundation.crypto import SealError
from commonbeat.messaging.channel import Setup, channels, setup_of
from commonbeat.messaging.models import ChannelSetting
from commonbeat.messaging.sealing import open_setting

logger = logging.getLogger(__name__)

# What one process stores, another has after this long.
LOOK_SECONDS = 2.0
TIED = "The environment sets a secret of this channel, so it has to set where that goes, too."
UNREADABLE = "What is stored cannot be opened with this site's key. Write it again, or clear it."
# name, sealed value
Row = tuple[str, bytes]


# Without a repr, which would write secrets into a traceback.
@dataclass(frozen=True, slots=True, repr=False)
class InForce:
    """What is in force, of which options it was made, and why something stored is not: setting → sentence."""

    site: Options
    rows: tuple[Row, ...]
    options: Options
    faults: Mapping[str, str] = field(default_factory=dict)


_held: InForce | None = None
_refreshing = threading.Lock()


def options_in_force() -> Options:
    """Give the settings in force, as far as they are known here; reads no database."""
    held, site = _held, settings.COMMONBEAT
    if held is None:
        found: Options = site
        return found
    return held.options if held.site is site else _hold(site, held.rows).options


def faults_in_force() -> Mapping[str, str]:
    """Tell why something stored is not in force: setting → sentence."""
    return _held.faults if _held is not None else {}


def names_of_machine() -> frozenset[str]:
    """Name the settings that the file or the environment sets, and that no page can therefore change."""
    return fixed_names(settings.COMMONBEAT, settings.COMMONBEAT_GIVEN)


def tied_to_machine(setup: Setup) -> frozenset[str]:
    """Name where messages go, if the machine holds a secret that would go there with them.

    Nobody who can set an address on a page may thereby have a secret sent to themselves that they cannot read.
    """
    machine = names_of_machine()
    holds_secret = any(name in machine for name in setup.names if name in SECRETS & OF_CHANNELS)
    return frozenset(setup.goes_to) - machine if holds_secret else frozenset()


def names_set_on_pages() -> frozenset[str]:
    """Name the settings that are in force because a page has stored them."""
    held = _held
    if held is None:
        return frozenset()
    fixed = fixed_names(held.site, settings.COMMONBEAT_GIVEN)
    return frozenset(name for name, _ in held.rows) - fixed - frozenset(held.faults)


def refresh() -> None:
    """Read what is stored; what a database in trouble raises is raised on, and what was known stays."""
    # One at a time, so that what was read earlier does not take the place of what was read later.
    with _refreshing:
        stored = ChannelSetting.objects.order_by("name").values_list("name", "value_sealed")
        rows = tuple((name, bytes(sealed)) for name, sealed in stored if sealed)
        held, site = _held, settings.COMMONBEAT
        if held is None or held.rows != rows or held.site is not site:
            _hold(site, rows)


def forget() -> None:
    """Know nothing any more; for tests, whose database forgets too."""
    global _held
    _held = None


def opened(rows: Mapping[str, bytes]) -> tuple[dict[str, str], set[str]]:
    """Open stored values; give the texts by name, and the names of those that this site's key does not open."""
    secret, texts, unreadable = settings.COMMONBEAT.secret, {}, set()
    for name, sealed in rows.items():
        try:
            texts[name] = open_setting(secret, name, sealed)
        except (SealError, UnicodeDecodeError):
            unreadable.add(name)
    return texts, unreadable


def _hold(site: Options, rows: tuple[Row, ...]) -> InForce:
    global _held
    fixed = names_of_machine()
    tied = {name for channel in channels().values() for name in tied_to_machine(setup_of(channel))}
    texts, unreadable = opened({name: sealed for name, sealed in rows if name not in fixed | tied})
    found = merged(site, texts)
    faults = dict(found.faults) | dict.fromkeys(unreadable, UNREADABLE)
    faults |= dict.fromkeys(tied & {name for name, _ in rows}, TIED)
    held = InForce(site, rows, found.options, faults)
    if held.faults:
        # By name alone.
        logger.warning("Stored settings of channels that are not used: %s.", ", ".join(sorted(held.faults)))
    # One assignment, so that who reads meanwhile has the one or the other.
    _held = held
    return held


class Follower:
    """Follow what is stored, in a thread of its own, from start() to stop()."""

    def __init__(self, every: float = LOOK_SECONDS) -> None:
        self._every = every
        self._stopping = threading.Event()
        self._has_looked = threading.Event()
        self._thread = threading.Thread(target=self._run, name="channel settings", daemon=True)
        self._is_away = False

    def start(self, patience: float = 5.0) -> None:
        """Start the thread, and wait until it has looked once."""
        self._thread.start()
        self._has_looked.wait(patience)

    def stop(self) -> None:
        """End the thread."""
        self._stopping.set()
        if self._thread.is_alive():
            self._thread.join(timeout=2.0)

    def look(self) -> None:
        """Read once; while the database is in trouble what was known stays, and that is said once."""
        try:
            close_old_connections()
            refresh()
            self._is_away = False
        except Error as error:
            if not self._is_away:
                logger.error("The settings of channels cannot be read: %s.", type(error).__name__)
            self._is_away = True
            connection.close()

    def _run(self) -> None:
        try:
            while not self._stopping.is_set():
                self.look()
                self._has_looked.set()
                self._stopping.wait(self._every)
        finally:
            connection.close()
