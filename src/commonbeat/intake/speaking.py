"""In which language somebody is answered, and what is remembered of it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from commonbeat.foundation.ids import parse_reference
from commonbeat.intake.alert_words import alerts_in, word_language
from commonbeat.intake.asked import World
from commonbeat.intake.commands import Command, Word
from commonbeat.intake.language import by_script, of_script_alone
from commonbeat.intake.officer_words import officer_in
from commonbeat.intake.placing import PLACE_WORDS
from commonbeat.intake.scene import ADDITION_SECONDS
from commonbeat.intake.state import Asks, LanguageBy, State, seconds

# Steps at which the next message may name a place.
PLACES_HEARD = frozenset({Asks.PLACE, Asks.PICK, Asks.CORRECT, Asks.TOPIC})
# Steps at which a place was asked for.
_PLACES_ASKED = frozenset(
    {Asks.PLACE, Asks.PICK, Asks.ALERT_PLACE, Asks.ALERT_PICK, Asks.OFFICER_PLACE, Asks.OFFICER_PICK}
)
_NAMES_HEARD = PLACES_HEARD | _PLACES_ASKED


@dataclass(frozen=True, slots=True)
class Spoken:
    """In which language a message is answered."""

    language: str
    # What is to be remembered from now on; None to leave it as it is.
    recognised: str | None
    language_by: LanguageBy
    leaning: str


def listen(
    state: State, text: str, world: World, command: Command | None, *, code_language: str | None, now: datetime
) -> Spoken:
    """Tell in which language a message is answered; code_language is that of a code word which begins it."""
    languages = tuple(world.languages)
    alerts, officer = (alerts_in(text), officer_in(text)) if command is None else (None, None)
    # Of "ALERTS Rruga e Re" as well: it is a word of ours, and a name.
    has_word = alerts is not None or officer is not None
    recognised = None
    # The name of a place is in the language of the place: "Rruga e Pazarit 12" makes nobody Albanian.
    if not (world.language or command or code_language or has_word or state.asks in _NAMES_HEARD):
        recognised = world.recognise(text)
    spoken = command.language if command is not None else word_language(text) or (officer.language if officer else "")
    hint = spoken if spoken in languages else ""
    language = world.language or recognised or by_script(text, languages) or hint or code_language or languages[0]
    language_by, leaning = state.language_by, state.leaning
    if command is not None and command.word is Word.LANGUAGE and command.argument:
        return Spoken(command.argument, None, language_by, leaning)
    script = _language_of_script(state, text, languages)
    if script is not None:
        recognised = script if script != world.language else None
        return Spoken(script, recognised, LanguageBy.GUESSED if recognised else language_by, "")
    if recognised is not None:
        language_by = LanguageBy.GUESSED
    elif command is None and code_language is None and world.language and not has_word:
        sure = _sure_language(state, text, world, now)
        if sure is not None and sure != world.language:
            if language_by is LanguageBy.GUESSED or sure == leaning:
                recognised = language = sure
                language_by = LanguageBy.GUESSED
            leaning = "" if recognised else sure
        elif sure is not None:
            leaning = ""
    return Spoken(language, recognised, language_by, leaning)


def _language_of_script(state: State, text: str, languages: tuple[str, ...]) -> str | None:
    """Tell the language of a message that is whole in the script of one language: there one word is enough."""
    is_place = state.asks in _PLACES_ASKED and len(text.split()) <= PLACE_WORDS
    return None if state.language_by is LanguageBy.CHOSEN or is_place else of_script_alone(text, languages)


def _sure_language(state: State, text: str, world: World, now: datetime) -> str | None:
    """Tell the language of a message; None where it is not sure, or may not change what is remembered."""
    is_soon = seconds(now) - state.last_at <= ADDITION_SECONDS
    is_place = state.asks in _NAMES_HEARD and is_soon and len(text.split()) <= PLACE_WORDS
    if state.language_by is LanguageBy.CHOSEN or is_place or parse_reference(text) is not None:
        return None
    return world.recognise_surely(text)
