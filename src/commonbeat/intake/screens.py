"""What a USSD screen shows beyond a text message: a start, menus in lines, long texts page by page."""

from __future__ import annotations

from collections.abc import Sequence

from django.utils.translation import gettext as _

from commonbeat.foundation.text import excerpt, segments
from commonbeat.intake.texts import LABEL_LIMIT, for_phone

# One screen: 160 octets, which are 182 septets of GSM-7 or 80 units of UCS-2.
SCREEN_UNITS = {"GSM-7": 182, "UCS-2": 80}
MORE = "00"
LEAVE = "0"
# What the numbers of the start mean, as words of the dialogue.
START_WORDS = {"1": "MENU", "2": "STATUS", "3": "LANGUAGE", "4": "ALERTS", "5": "OFFICER"}


def start(*, site: str, emergency: str) -> str:
    """Say what can be written, and offer the rest by number."""
    head = _("%(site)s. In danger call %(emergency)s. Write what happened and where, or choose:") % {
        "site": excerpt(site, LABEL_LIMIT),
        "emergency": emergency,
    }
    return in_lines([for_phone(head), choices()])


def choices() -> str:
    """Offer what goes by number, where nothing is asked."""
    return for_phone(
        in_lines(
            [
                f"1 {_('Topics')}",
                f"2 {_('News of my report')}",
                f"3 {_('Language')}",
                f"4 {_('Alerts')}",
                f"5 {_('My officer')}",
                end(),
            ]
        )
    )


def where_still(*, reference: str) -> str:
    """Ask again for the place of a report."""
    return for_phone(
        _("Your report %(reference)s: where is it? Write a street or a place. 0 leaves it out.")
        % {"reference": reference}
    )


def comes_later() -> str:
    """Say that what was entered is stored, and will be answered by a text message."""
    return for_phone(_("Thank you, we have your message. The answer comes as a text message."))


def failed() -> str:
    """Say that nothing could be stored."""
    return for_phone(_("Something went wrong here. Please dial again."))


def end() -> str:
    """Give the line that ends the session."""
    return f"{LEAVE} {_('End')}"


def back() -> str:
    """Give the line that leads back to the start."""
    return f"{LEAVE} {_('Back')}"


def in_lines(lines: Sequence[str]) -> str:
    """Put one line below the other."""
    return "\n".join(line for line in lines if line)


def menu_in_lines(text: str, items: int) -> str:
    """Put each item of a numbered list, of which there are at most so many, on a line of its own."""
    right = len(text)
    for number in range(items, 0, -1):
        # From the back, for a number may stand in the sentence before the list.
        found = text.rfind(f" {number} ", 0, right)
        if found >= 0:
            text = f"{text[:found]}\n{text[found + 1 :]}"
            right = found
    return text


def pages(text: str) -> tuple[str, ...]:
    """Cut a text into screens; all but the last say how to go on."""
    more = for_phone(f"\n{MORE} {_('more')}")
    found = []
    while not _fits(text):
        end = _cut(text, more)
        found.append(text[:end].rstrip() + more)
        text = text[end:].lstrip()
    return (*found, text)


def _fits(text: str) -> bool:
    size = segments(text)
    return size.units <= SCREEN_UNITS[size.encoding]


def _cut(text: str, more: str) -> int:
    end = 1
    while end < len(text) and _fits(text[: end + 1] + more):
        end += 1
    # Between lines if that fills half the screen, else between words, else where it must be.
    for separator in ("\n", " "):
        found = text.rfind(separator, end // 2, end + 1)
        if found > 0:
            return found
    return end
