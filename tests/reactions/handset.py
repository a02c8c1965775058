"""A telephone that dials: the network repeats everything that was entered."""

from __future__ import annotations

import itertools
from dataclasses import dataclass, field
from datetime import datetime

from django.utils import translation

from commonbeat.foundation.text import segments
from commonbeat.intake import screens
from commonbeat.messaging.dialling import Dialled
from commonbeat.reactions.dialling import Screen, dial
from commonbeat.topics.ready_made import install_ready_made
from tests import make

CHANNEL = "africastalking_ussd"
NUMBER = "+38344123456"
_sessions = itertools.count(1)


def make_town() -> None:
    """Make topics, and places of which two share a name."""
    install_ready_made(make.NOW)
    make.make_place(
        names={"en": "Old Bridge", "sq": "Ura e Vjetër", "ar": "الجسر القديم"}, latitude=42.381, longitude=20.43
    )
    make.make_place(
        names={"en": "Market Street", "sq": "Rruga e Tregut", "ar": "شارع السوق"}, latitude=42.39, longitude=20.44
    )
    make.make_place(names={"en": "School North"}, latitude=42.40, longitude=20.45)
    make.make_place(names={"en": "School South"}, latitude=42.36, longitude=20.45)


@dataclass
class Handset:
    """Dial and enter; the network repeats everything that was entered, as Africa's Talking does."""

    number: str = NUMBER
    now: datetime = make.NOW
    session: str = ""
    entered: list[str] = field(default_factory=list)

    def dial(self) -> Screen:
        """Begin a session."""
        self.session, self.entered = f"ATUid_{next(_sessions)}", []
        return self.again()

    def enter(self, text: str) -> Screen:
        """Enter something."""
        self.entered.append(text)
        return self.again()

    def again(self) -> Screen:
        """Let the network ask (once more) for the screen."""
        screen = dial(CHANNEL, Dialled(self.session, self.number, "*".join(self.entered)), self.now)
        size = segments(screen.text)
        assert size.units <= {"GSM-7": 182, "UCS-2": 80}[size.encoding]
        return screen

    def whole(self, screen: Screen) -> tuple[str, bool]:
        """Read a screen with all its pages."""
        more, text = screens.for_phone(f"\n{screens.MORE} {translation.gettext('more')}"), screen.text
        while text.endswith(more):
            screen = self.enter(screens.MORE)
            text = f"{text.removesuffix(more)} {screen.text}"
        return text, screen.goes_on
