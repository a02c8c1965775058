"""What we text to people: one plain sentence or two, made in the active language."""

from __future__ import annotations

from collections.abc import Sequence

from django.utils.translation import gettext as _

from commonbeat.foundation.text import excerpt, segments, to_gsm7

# Albanian's ë and ç are not in GSM-7 (only Ç is): one of them makes a text cost twice as much. Everyone who texts in
# Albanian writes e and c, so our own sentences do, too; see docs/decisions/0011-the-dialogue.md.
_PLAIN_LETTERS = str.maketrans("ëËçÇ", "eEcC")
LABEL_LIMIT = 30
# How a structured message was understood: with the rest of the answer one part in Latin script, mostly.
SAID_LIMIT = 110
# Up to here a menu grows; what does not fit is left to words. A part in UCS-2 holds less than half as much.
MENU_PARTS = {"GSM-7": 2, "UCS-2": 3}


def for_phone(text: str) -> str:
    """Give one of our own sentences in letters that fit GSM-7, where plain letters are all it takes."""
    plain = to_gsm7(text.translate(_PLAIN_LETTERS))
    return plain if segments(plain).encoding == "GSM-7" else text


def help_text(*, emergency: str) -> str:
    """Say what can be texted."""
    return _(
        "In danger call %(emergency)s. Text what happened and where. MENU: topics. STATUS: news. "
        "ALERTS: warnings. OFFICER: your officer. LANGUAGE: others. STOP: no more texts."
    ) % {"emergency": emergency}


def stopped() -> str:
    """Confirm STOP."""
    return _("You will get no more texts from us. Text START to change that.")


def started(*, references: Sequence[str] = ()) -> str:
    """Confirm START, and tell under which references we keep what came meanwhile."""
    if references:
        return _("Welcome back. Reported meanwhile: %(references)s. Text STATUS and the reference for news.") % {
            "references": ", ".join(references)
        }
    return _("Welcome back. Text us what happened and where, or HELP.")


def confirm_number(*, site: str) -> str:
    """Ask whoever holds a number whether it was they who left it with a report; no reference, for it may be another."""
    # Translators: YES is the word that people text back; use your own language's word, as in intake/commands.py.
    return _(
        "This number was left with a report to %(site)s. Text YES to get news of it here. Otherwise nothing more comes."
    ) % {"site": excerpt(site, LABEL_LIMIT)}


def prove_sender() -> str:
    """Say that an e-mail may have been written by anybody, and how its sender proves to be its sender."""
    return _(
        "We cannot tell whether this came from you. Please answer this message with the same words. "
        "If you did not write to us, do nothing."
    )


def answer_to_hear() -> str:
    """Say how whoever reported by e-mail gets news."""
    # Translators: YES is the word that people write back; use your own language's word, as in intake/commands.py.
    return _("To get news of your report, answer this message with YES. If you did not write to us, do nothing.")


def photo_alone() -> str:
    """Stand for the text of an e-mail that holds nothing but a photo."""
    return _("A photo without words.")


def thanks(*, reference: str) -> str:
    """Give the reference."""
    return _("Thank you. Your reference is %(reference)s.") % {"reference": reference}


def thanks_where(*, reference: str) -> str:
    """Give the reference, and ask for the place."""
    return _(
        "Thank you. Your reference is %(reference)s. Where is it? "
        "Text a street, a place or a map link. 0 leaves it out."
    ) % {"reference": reference}


def thanks_placed(*, reference: str, place: str) -> str:
    """Give the reference, and say where we put the report."""
    return _(
        "Thank you. Your reference is %(reference)s. Place: %(place)s. If that is wrong, text the right place."
    ) % {
        "reference": reference,
        "place": excerpt(place, LABEL_LIMIT),
    }


def thanks_topic(*, reference: str, place: str, topics: Sequence[str]) -> str:
    """Give the reference, say where we put the report, and ask what it is about."""
    start = _("Thank you. Your reference is %(reference)s. Place: %(place)s. What is it about? Text a number:") % {
        "reference": reference,
        "place": excerpt(place, LABEL_LIMIT),
    }
    return numbered(start, topics)


def thanks_which(*, reference: str, places: Sequence[str]) -> str:
    """Give the reference, and ask which of some places is meant."""
    return numbered(f"{thanks(reference=reference)} {_which_place()}", places)


def thanks_guessed(*, reference: str, topic: str, place: str) -> str:
    """Give the reference, and say what we took for topic and place."""
    guessed = _("Topic: %(topic)s. Place: %(place)s. If something is wrong, text MENU or the place.") % {
        "topic": excerpt(topic, LABEL_LIMIT),
        "place": excerpt(place, LABEL_LIMIT),
    }
    return f"{thanks(reference=reference)} {guessed}"


def thanks_guessed_where(*, reference: str, topic: str) -> str:
    """Give the reference, say what we took for the topic, and ask for the place."""
    where = _("Where is it? Text a place or a map link.")
    return f"{thanks(reference=reference)} {guessed(topic=topic)} {where}"


def guessed(*, topic: str) -> str:
    """Say what we took for the topic."""
    return _("Topic: %(topic)s. If that is wrong, text MENU.") % {"topic": excerpt(topic, LABEL_LIMIT)}


def sensitive(*, reference: str, emergency: str, place: str) -> str:
    """Give the reference, the emergency number and the place; nothing of the text, for somebody may read along."""
    where = _("Place: %(place)s. If that is wrong, text the right place.") % {"place": excerpt(place, LABEL_LIMIT)}
    return f"{_sensitive(reference=reference, emergency=emergency)} {where}"


def sensitive_which(*, reference: str, emergency: str, places: Sequence[str]) -> str:
    """Give the reference and the emergency number, and ask which of some places is meant."""
    return numbered(f"{_sensitive(reference=reference, emergency=emergency)} {_which_place()}", places)


def _sensitive(*, reference: str, emergency: str) -> str:
    return _("We have your message %(reference)s. In danger call %(emergency)s.") % {
        "reference": reference,
        "emergency": emergency,
    }


def sensitive_where(*, reference: str, emergency: str) -> str:
    """Give the reference and the emergency number, and ask for the place."""
    return _("We have your message %(reference)s. In danger call %(emergency)s. Where is it? 0 leaves it out.") % {
        "reference": reference,
        "emergency": emergency,
    }


def coded(*, said: str, reference: str) -> str:
    """Repeat how a structured message was understood."""
    rest = _("Wrong? Send it again. Reference: %(reference)s") % {"reference": reference}
    return f"{excerpt(said, SAID_LIMIT)} {rest}"


def coded_again(*, said: str) -> str:
    """Repeat how a corrected message was understood."""
    return _("Corrected. %(said)s Wrong? Send it again.") % {"said": excerpt(said, SAID_LIMIT)}


def coded_known(*, said: str) -> str:
    """Say that this very message is known."""
    return _("We have this already. %(said)s") % {"said": excerpt(said, SAID_LIMIT)}


def coded_unclear(*, said: str, missing: Sequence[str], problems: Sequence[tuple[str, str]], example: str) -> str:
    """Say what of a structured message was not understood, and how to send it again."""
    parts = [excerpt(said, LABEL_LIMIT)] if said else []
    parts += [_("%(question)s? %(problem)s") % {"question": name, "problem": text} for name, text in problems]
    if missing:
        parts.append(_("Missing: %(questions)s.") % {"questions": ", ".join(missing)})
    parts.append(_("Please send it again, like this: %(example)s") % {"example": example})
    return " ".join(parts)


def coded_form(*, form: str, example: str) -> str:
    """Say how a structured message is written."""
    return _("Text it like this: %(form)s. Example: %(example)s") % {"form": form, "example": example}


def reminder(*, site: str, example: str) -> str:
    """Remind somebody whose report is expected and has not come."""
    return _("We have no report from %(site)s yet. Please text it, like this: %(example)s") % {
        "site": excerpt(site, LABEL_LIMIT),
        "example": example,
    }


def added(*, reference: str) -> str:
    """Say that a message went to the last report."""
    return _("Added to your report %(reference)s. To report something else, begin with NEW.") % {"reference": reference}


def answered() -> str:
    """Say that the desk has the answer."""
    return _("Thank you, the desk has your answer. To report something else, begin with NEW.")


def placed(*, place: str) -> str:
    """Say where we put the report."""
    return _("Thank you. Place: %(place)s.") % {"place": excerpt(place, LABEL_LIMIT)}


def placed_guessed(*, place: str, topic: str) -> str:
    """Say where we put the report, and what we took for its topic."""
    return f"{placed(place=place)} {guessed(topic=topic)}"


def placed_topic(*, place: str, topics: Sequence[str]) -> str:
    """Say where we put the report, and ask what it is about."""
    start = _("Thank you. Place: %(place)s. What is it about? Text a number:") % {"place": excerpt(place, LABEL_LIMIT)}
    return numbered(start, topics)


def which_place(*, places: Sequence[str]) -> str:
    """Ask which of some places is meant."""
    return numbered(_which_place(), places)


def _which_place() -> str:
    return _("Which place do you mean? Text a number, or 0:")


def unknown_place() -> str:
    """Ask once more for a place."""
    return _("We do not know that place. Text another name near it, a map link, or 0 to leave it to the desk.")


def where_then() -> str:
    """Ask for the place after a wrong one."""
    return _("Where is it, then? Text a street, a place or a map link. 0 leaves it as it is.")


def place_to_desk() -> str:
    """Leave the place to the desk."""
    return _("Thank you. The desk has your message and will look for the place.")


def sorted_as(*, topic: str) -> str:
    """Confirm the topic."""
    return _("Thank you. Topic: %(topic)s.") % {"topic": excerpt(topic, LABEL_LIMIT)}


def sorted_where(*, topic: str) -> str:
    """Confirm the topic, and ask for the place."""
    return f"{sorted_as(topic=topic)} {_('Where is it? Text a place or a map link.')}"


def held(*, emergency: str) -> str:
    """Say that what was sent waits for a person, because it was so much."""
    return _("We have your messages. A person will look at them. In danger call %(emergency)s.") % {
        "emergency": emergency
    }


def noted() -> str:
    """Confirm without repeating anything."""
    return _("Thank you. We have noted it.")


def noted_danger(*, emergency: str) -> str:
    """Confirm without repeating anything, with the emergency number."""
    return _("Thank you. We have noted it. In danger call %(emergency)s.") % {"emergency": emergency}


def menu(*, topics: Sequence[str]) -> str:
    """Offer the topics."""
    return numbered(_("What is it about? Text a number:"), topics)


def menu_for(*, reference: str, topics: Sequence[str]) -> str:
    """Offer the topics for a report that has none yet."""
    # Translators: NEW is the word that people text; use your own language's word, as in intake/commands.py.
    start = _("Your report %(reference)s: what is it about? Text a number (NEW begins another):") % {
        "reference": reference
    }
    return numbered(start, topics)


def tell_us() -> str:
    """Ask what happened, after a topic was chosen."""
    return _("Text what happened and where. 0 to leave.")


def tell_us_danger(*, emergency: str) -> str:
    """Ask what happened, with the emergency number."""
    return _("In danger call %(emergency)s. Or text what happened and where. 0 to leave.") % {"emergency": emergency}


def only_text(*, link: str) -> str:
    """Say where photos and recordings can be handed in, for a chat does not bring them to the desk."""
    return _("We can read only text here. For photos please use %(link)s.") % {"link": link}


def left() -> str:
    """Confirm leaving the dialogue."""
    return _("Fine. What you reported is kept. Text us whenever you like.")


def nothing_to_leave() -> str:
    """Answer CANCEL where nothing was asked."""
    return _("Nothing is open. Text us what happened and where, or HELP.")


def which_language(*, names: Sequence[str]) -> str:
    """Ask for the language, naming each in itself."""
    # No words: whoever asks may not read the one we would write them in.
    return numbered("", names)


def language_set() -> str:
    """Confirm the language."""
    # Translators: name your own language here, not English.
    return _("We will write to you in English.")


def no_report_yet() -> str:
    """Answer STATUS of a number that has reported nothing."""
    return _("We have no report from this number. Text STATUS and your reference.")


def bad_reference() -> str:
    """Answer a reference that does not exist."""
    return _("We do not know that reference. It has 10 letters and digits, like KX7M-4QXP-2R. Please check it.")


def too_many_tries() -> str:
    """Answer the next one after many wrong references."""
    return _("That was not right several times. Please try again in an hour.")


def standing(*, reference: str, state: str, reason: str = "") -> str:
    """Say how a report stands."""
    said = f"{reference}: {state_sentence(state)}"
    return f"{said} {excerpt(reason, 100)}" if reason else said


def state_sentence(state: str) -> str:
    """Say in a sentence what a state means for the person."""
    sentences = {
        "new": _("The desk has it and will read it soon."),
        "triaged": _("The desk has read it and is working on it."),
        "published": _("Checked, and part of the public picture."),
        "resolved": _("Dealt with. Thank you."),
        "rejected": _("Not taken up."),
        "duplicate": _("Known already. It was added to what others told us."),
        "expired": _("Closed, as its time has passed. If it goes on, text us again."),
    }
    return sentences.get(state, sentences["new"])


def numbered(start: str, items: Sequence[str]) -> str:
    """Append a numbered list to a sentence, as far as MENU_PARTS lets it."""
    text = start
    for number, item in enumerate(items, start=1):
        longer = f"{text} {number} {excerpt(item, LABEL_LIMIT)}".strip()
        size = segments(for_phone(longer))
        if number > 1 and size.parts > MENU_PARTS[size.encoding]:
            break
        text = longer
    return text
