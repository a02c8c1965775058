"""What an alert can be about: data, from CAP's codes to the texts that an officer begins with; pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from commonbeat.alerts.kind_texts import TEXTS, Template

# What stands in braces is filled in by the officer; nothing goes out with a gap in it.
GAP = re.compile(r"\{([a-z_]{1,20})\}")
# The gaps, in the words of the form.
GAPS = {
    "person": "who: age, clothes, how they move; a name only where the family agreed",
    "thing": "what it looks like: colour, make, size, what is odd about it",
    "place": "the place, as people call it",
    "since": "since when, or when last seen",
    "until": "until when",
    "what": "what happened, in a few words",
    "wrong": "the rumour, in a few words",
    "right": "what is true, and who found it out",
}


@dataclass(frozen=True, slots=True)
class Kind:
    """One thing that an alert can be about."""

    code: str
    # CAP category, event (English), and what an app advises: CAP responseType.
    category: str
    event: str
    response: str
    names: Mapping[str, str]
    urgency: str
    severity: str
    certainty: str
    # Until it expires, unless the officer says otherwise.
    hours: int
    icon: str
    to_partners: bool = False
    # Whether people are asked for sightings.
    asks_sightings: bool = False

    def name_in(self, language: str) -> str:
        """Give its name in a language, in English where there is none."""
        return self.names.get(language) or self.names["en"]

    def template_in(self, language: str) -> Template:
        """Give the texts that an officer begins with, in a language; English where there are none."""
        texts = TEXTS[self.code]
        return texts.get(language) or texts["en"]


_ALL = (
    Kind(
        code="missing_child",
        category="Rescue",
        event="Missing child",
        response="Monitor",
        names={"en": "Missing child", "sq": "Fëmijë i zhdukur", "ar": "طفل مفقود"},
        urgency="Immediate",
        severity="Severe",
        certainty="Observed",
        hours=12,
        icon="person",
        to_partners=True,
        asks_sightings=True,
    ),
    Kind(
        code="missing_person",
        category="Rescue",
        event="Missing person",
        response="Monitor",
        names={"en": "Missing person", "sq": "Person i zhdukur", "ar": "شخص مفقود"},
        urgency="Expected",
        severity="Severe",
        certainty="Observed",
        hours=24,
        icon="person",
        to_partners=True,
        asks_sightings=True,
    ),
    Kind(
        code="danger",
        category="Safety",
        event="Danger to people",
        response="Avoid",
        names={"en": "Danger", "sq": "Rrezik", "ar": "خطر"},
        urgency="Immediate",
        severity="Extreme",
        certainty="Observed",
        hours=6,
        icon="warning",
    ),
    Kind(
        code="look_out",
        category="Security",
        event="Look out for an object or a vehicle",
        response="Monitor",
        names={"en": "Look out for something", "sq": "Kini kujdes për diçka", "ar": "انتبهوا لشيء"},
        urgency="Expected",
        severity="Moderate",
        certainty="Observed",
        hours=24,
        icon="eye",
        to_partners=True,
        asks_sightings=True,
    ),
    Kind(
        code="road",
        category="Transport",
        event="Road closed or dangerous",
        response="Avoid",
        names={"en": "Road", "sq": "Rruga", "ar": "طريق"},
        urgency="Expected",
        severity="Minor",
        certainty="Observed",
        hours=12,
        icon="road",
    ),
    Kind(
        code="water",
        category="Infra",
        event="Drinking water",
        response="Avoid",
        names={"en": "Water", "sq": "Uji", "ar": "الماء"},
        urgency="Expected",
        severity="Moderate",
        certainty="Observed",
        hours=24,
        icon="water",
    ),
    Kind(
        code="weather",
        category="Met",
        event="Dangerous weather",
        response="Prepare",
        names={"en": "Weather", "sq": "Moti", "ar": "الطقس"},
        urgency="Expected",
        severity="Moderate",
        certainty="Likely",
        hours=24,
        icon="info",
    ),
    Kind(
        code="power",
        category="Infra",
        event="Power cut",
        response="Prepare",
        names={"en": "Electricity", "sq": "Rryma", "ar": "الكهرباء"},
        urgency="Expected",
        severity="Minor",
        certainty="Observed",
        hours=12,
        icon="street-light",
    ),
    Kind(
        code="rumour_correction",
        category="Safety",
        event="A rumour is wrong",
        response="None",
        names={"en": "A rumour corrected", "sq": "Përgënjeshtrim i një thashethemi", "ar": "تصحيح شائعة"},
        urgency="Expected",
        severity="Minor",
        certainty="Observed",
        hours=48,
        icon="question",
    ),
    Kind(
        code="all_clear",
        category="Safety",
        event="All clear",
        response="AllClear",
        names={"en": "All clear", "sq": "Rreziku ka kaluar", "ar": "زال الخطر"},
        urgency="Immediate",
        severity="Minor",
        certainty="Observed",
        hours=6,
        icon="shield-check",
    ),
    Kind(
        code="other",
        category="Other",
        event="Notice",
        response="None",
        names={"en": "Something else", "sq": "Diçka tjetër", "ar": "أمر آخر"},
        urgency="Expected",
        severity="Minor",
        certainty="Observed",
        hours=24,
        icon="bell",
    ),
)

KINDS: Mapping[str, Kind] = {kind.code: kind for kind in _ALL}


def kind_of(code: str) -> Kind:
    """Give a kind by its code; what other systems send without one is "other"."""
    return KINDS.get(code) or KINDS["other"]


def gaps_in(*texts: str) -> list[str]:
    """Give the gaps that are still open in texts, each once, in their order."""
    return list(dict.fromkeys(match[1] for text in texts for match in GAP.finditer(text)))


def filled(text: str, values: Mapping[str, str]) -> str:
    """Fill the gaps of a template with what is known; the others stay."""
    return GAP.sub(lambda match: values.get(match[1]) or match[0], text)
