"""Every change of beats and places."""

from commonbeat.places.actions.beats import change_beat, create_beat
from commonbeat.places.actions.errors import PlacesError
from commonbeat.places.actions.loading import LONGEST_SPELLING, Loaded, PlaceRow, load_places
from commonbeat.places.actions.names import (
    add_name,
    add_place,
    change_place,
    judge_spelling,
    remove_name,
    remove_place,
)
from commonbeat.places.actions.spellings import hear_spelling, purge_heard

__all__ = [
    "LONGEST_SPELLING",
    "Loaded",
    "PlaceRow",
    "PlacesError",
    "add_name",
    "add_place",
    "change_beat",
    "change_place",
    "create_beat",
    "hear_spelling",
    "judge_spelling",
    "load_places",
    "purge_heard",
    "remove_name",
    "remove_place",
]
