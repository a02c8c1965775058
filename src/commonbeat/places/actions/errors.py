"""What a change of places is refused with."""

from __future__ import annotations


class PlacesError(ValueError):
    """Carry a sentence, and the name of the form field that it is about."""

    def __init__(self, field_name: str, sentence: str) -> None:
        super().__init__(sentence)
        self.field = field_name
