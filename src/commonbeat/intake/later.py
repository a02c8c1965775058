"""A question that comes before another one: whose consent, or which alert; then what was to be asked anyway."""

from __future__ import annotations

from msgspec.structs import replace

from commonbeat.intake import proxy_texts, texts
from commonbeat.intake.scene import Scene
from commonbeat.intake.state import Asks, Intent, State, Submit, Turn


def put_off(turn: Turn, *, asks: Asks, options: tuple[str, ...]) -> State:
    """Give the state in which a question comes before what the turn of a new report would ask."""
    state = turn.state
    place = next((i.spot for i in turn.intents if isinstance(i, Submit) and i.spot and i.spot.place_id), None)
    later = state.options or ((str(place.place_id),) if place else ())
    return replace(state, asks=asks, options=options, then=state.asks, later=later, tries=0)


def go_on(scene: Scene, said: str, *intents: Intent) -> Turn:
    """Say something, and ask what was put off."""
    state, world = scene.state, scene.world
    after = replace(state, asks=state.then, options=state.later, then=Asks.NOTHING, later=(), tries=0, last_at=scene.at)
    asked = ""
    topic = next((each for each in world.topics(scene.language) if each.code == state.topic), None)
    if state.guessed and topic is not None and state.then in (Asks.PLACE, Asks.CORRECT):
        said = f"{said} {texts.guessed(topic=topic.name)}"
    match state.then:
        case Asks.PLACE:
            asked = proxy_texts.where()
        case Asks.PICK:
            spots = [world.place(int(option), scene.language) for option in state.later if option.isdecimal()]
            labels = [spot.label for spot in spots if spot is not None]
            asked = texts.which_place(places=labels)
            if len(labels) < len(state.later):
                # One of them is gone from the gazetteer, and the numbers would name others.
                after, asked = replace(after, asks=Asks.PLACE, options=()), proxy_texts.where()
        case Asks.TOPIC:
            names = {choice.code: choice.name for choice in world.topics(scene.language)}
            asked = texts.menu(topics=[names.get(code, code) for code in state.later])
        case Asks.CORRECT:
            after = replace(after, options=())
            chosen = next((int(option) for option in state.later if option.isdecimal()), 0)
            spot = world.place(chosen, scene.language) if chosen else None
            asked = proxy_texts.understood(place=spot.label) if spot is not None else ""
    return Turn(after, (f"{said} {asked}".strip(),), intents)
