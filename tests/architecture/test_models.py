"""What every table states of itself."""

from __future__ import annotations

from django.apps import apps


def our_models() -> list[type]:
    """Give the models of this package, without the join tables that Django makes."""
    return [m for m in apps.get_models() if m.__module__.startswith("commonbeat.")]


def test_there_are_models() -> None:
    assert len(our_models()) > 10


def test_every_table_states_how_long_it_keeps_what_it_holds() -> None:
    silent = [m.__name__ for m in our_models() if not isinstance(m.__dict__.get("RETENTION"), str)]
    assert silent == []
