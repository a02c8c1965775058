"""The answer to "where?", and its correction."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from msgspec.structs import replace
from rapidfuzz.distance import OSA

from commonbeat.foundation.coordinates import parse_coordinates
from commonbeat.foundation.text import fold
from commonbeat.intake import texts
from commonbeat.intake.scene import Scene, idle
from commonbeat.intake.state import Answer, Asks, Intent, SetPlace, Spot, Turn
from commonbeat.places.points import explain_unreadable

# A longer answer to "where?" is no name to be looked up, but may hold one.
PLACE_WORDS = 6
PLACE_TRIES = 2
# Out of 100: a second place must be this much worse than the first for the first to be taken without asking.
CLEARLY = 10.0
MOST_PLACES = 4
# Words around the name of a place that say nothing more.
FILLERS = frozenset(
    fold(word)
    for word in (
        "a an the at in on by near next to of it is its was there here "
        "te tek ne në afër afer pranë prane e i është eshte ishte atje këtu "
        "في عند قرب بجانب من هو هي كان هنا هناك"
    ).split()
)
_LINK = re.compile(r"(?:https?://|geo:)\S+", re.IGNORECASE)
_WORD = re.compile(r"[^\W\d_]{2,}")


@dataclass(frozen=True, slots=True)
class Found:
    """What a text says of a place."""

    spot: Spot | None
    # Between which it does not decide, where there is no spot.
    places: Sequence[Spot] = ()
    # It names the place and says nothing else.
    is_bare: bool = False


def look_up(scene: Scene, text: str) -> Found:
    """Find the place that a text names: by coordinates as they stand, else by the gazetteer."""
    coordinates = parse_coordinates(text)
    if coordinates is not None:
        is_bare = len(_WORD.findall(_LINK.sub("", text))) < 2
        return Found(Spot(0, _degrees(coordinates), *coordinates), is_bare=is_bare)
    found: Sequence[Spot] = ()
    if len(fold(text).split()) <= PLACE_WORDS:
        found = scene.world.find_places(text, scene.language)
    named = scene.world.places_in_text(text, scene.language)
    spot = _clear_choice(found, named[0] if len(named) == 1 else None)
    if spot is None and len(named) > 1 and not any(each.exact for each in found):
        found = named
    # Of what the gazetteer found by the whole text, an exact one says that there is nothing else in it.
    is_bare = any(each.exact for each in found) or _is_like_a_name(text, found if spot is None else (spot, *found))
    return Found(spot, found, is_bare)


def place_given(scene: Scene) -> Turn | None:
    """Take an answer to "where?"; None when the message says something else."""
    state, world, text = scene.state, scene.world, scene.text
    looked = look_up(scene, text)
    spot, found, is_bare = looked.spot, looked.places, looked.is_bare
    keyword = world.keyword_topic(text, scene.language)
    # "Light at the market" is still this report's place when the report is about a light; else it is a new report.
    if keyword is not None and not is_bare and (spot is None or keyword.code != state.topic):
        return None
    if state.asks in (Asks.CORRECT, Asks.TOPIC):
        # No place was asked for: only what is a place and nothing else corrects the first one.
        return placed(scene, spot) if spot is not None and spot.exact and is_bare and scene.is_soon else None
    # Later, a sentence is a new report even where it names a place; a place alone is still the answer.
    if not scene.is_soon and not is_bare:
        return None
    kept = () if is_bare else (Answer(state.report_id, text),)
    if spot is not None:
        turn = placed(scene, spot)
        return Turn(turn.state, turn.replies, (*turn.intents, *kept))
    if len(found) > 1:
        options = tuple(str(each.place_id) for each in found[:MOST_PLACES])
        labels = [each.label for each in found[:MOST_PLACES]]
        return Turn(replace(state, asks=Asks.PICK, options=options), (texts.which_place(places=labels),), kept)
    return _unplaced(scene)


def placed(scene: Scene, spot: Spot) -> Turn:
    """Put the report on a spot, and go on to what is still unknown."""
    state = scene.state
    intents = (SetPlace(state.report_id, spot),)
    after = replace(state, asks=Asks.CORRECT, options=(), tries=0, last_at=scene.at, unplaced=False)
    if state.unsorted and not state.sensitive and state.asks is not Asks.CORRECT:
        choices = scene.world.topics(scene.language)
        asking = replace(after, asks=Asks.TOPIC, options=tuple(choice.code for choice in choices))
        return Turn(
            asking, (texts.placed_topic(place=spot.label, topics=[choice.name for choice in choices]),), intents
        )
    topic = next((each for each in scene.world.topics(scene.language) if each.code == state.topic), None)
    if state.guessed and topic is not None and not topic.sensitive and state.asks is Asks.PICK:
        # Until now only the place was asked for.
        return Turn(after, (texts.placed_guessed(place=spot.label, topic=topic.name),), intents)
    return Turn(after, (texts.placed(place=spot.label),), intents)


def _is_like_a_name(text: str, spots: Sequence[Spot]) -> bool:
    """Tell whether a text is the name of one of some places, perhaps mistyped, and says nothing else."""
    words = [word for word in fold(text).split() if word not in FILLERS]
    return any(
        all(any(_is_like(word, part) for part in parts) for word in words)
        for parts in (fold(spot.label).split() for spot in spots)
    )


def _is_like(word: str, part: str) -> bool:
    slips = 2 if len(word) > 6 else 1 if len(word) > 3 else 0
    return part.startswith(word) or OSA.distance(word, part, score_cutoff=slips) <= slips


def _unplaced(scene: Scene) -> Turn:
    """Keep an answer that names no known place, and ask once more."""
    state = scene.state
    intents: tuple[Intent, ...] = (Answer(state.report_id, scene.text),)
    if len(fold(scene.text).split()) <= PLACE_WORDS:
        intents = (SetPlace(state.report_id, name=scene.text[:200]), *intents)
    tries = state.tries + 1
    if tries < PLACE_TRIES:
        after = replace(state, asks=Asks.PLACE, options=(), tries=tries, last_at=scene.at)
        # A link that only its own service can open, or a three-word address, is told apart from an unknown name.
        return Turn(after, (explain_unreadable(scene.text) or texts.unknown_place(),), intents)
    return Turn(replace(idle(state), last_at=scene.at), (texts.place_to_desk(),), intents)


def _clear_choice(found: Sequence[Spot], named: Spot | None) -> Spot | None:
    """Choose without asking: the whole text is a place's name, or it holds one, or one is far more likely."""
    exact = [spot for spot in found if spot.exact]
    if exact:
        return exact[0] if len(exact) == 1 else None
    if named is not None and (named.exact or not found):
        return named
    if found and (len(found) == 1 or found[0].score - found[1].score >= CLEARLY):
        return found[0]
    return None


def spots_in(scene: Scene, text: str) -> Sequence[Spot]:
    """Find the place that a report names, or some to choose from: coordinates as they stand, else by the gazetteer."""
    coordinates = parse_coordinates(text)
    if coordinates is not None:
        return (Spot(0, _degrees(coordinates), *coordinates),)
    return scene.world.places_in_text(text, scene.language)


def _degrees(point: tuple[float, float]) -> str:
    return f"{point[0]:.5f}, {point[1]:.5f}"
