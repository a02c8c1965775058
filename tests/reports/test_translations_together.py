"""Several volunteers at once, each in a thread with a connection of its own."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.db import connection, connections

from commonbeat.people.models import Role, User
from commonbeat.reports.actions.translations import ask_volunteers
from commonbeat.reports.actions.volunteering import hand_in, take_next
from commonbeat.reports.models import Translation, TranslationTurn
from tests import make
from tests.live.conftest import models_on

VOLUNTEERS = 4
TEXTS = 6


@pytest.fixture
def on_disk(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Callable[[], Any]]:
    """Give what lets a thread use the database of the test: a file, for one in memory knows no second writer."""
    if connection.vendor == "postgresql":
        yield contextlib.nullcontext
        return
    file = tmp_path / "commonbeat.sqlite3"
    with models_on(file):
        call_command("migrate", verbosity=0, skip_checks=True)
        yield lambda: models_on(file)


def in_threads(work: Callable[[User], None], people: list[User], on_disk: Callable[[], Any]) -> None:
    """Let everybody do the same at the same time; what goes wrong in a thread fails the test."""
    start, problems = threading.Barrier(len(people)), []

    def run(who: User) -> None:
        try:
            with on_disk():
                start.wait(10)
                work(who)
        except Exception as error:
            problems.append(error)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=run, args=(who,)) for who in people]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert problems == []


def ask_for(count: int, people: int) -> tuple[list[Translation], list[User]]:
    """Make texts that wait, and volunteers."""
    unit = make.make_unit(name="Northern quarter", is_fallback=True)
    officer = make.make_user("officer", role=Role.OFFICER, unit=unit)
    waiting = [
        ask_volunteers(
            report_id=make.make_report(unit=unit, text=f"Teksti numër {n}", language="sq").pk,
            message_id=None, from_language="sq", language="en", actor=officer, now=make.NOW,
        )
        for n in range(count)
    ]  # fmt: skip
    volunteers = [
        make.make_user(f"volunteer-{n}", role=Role.TRANSLATOR, languages_read=["en", "sq"]) for n in range(people)
    ]
    return waiting, volunteers


@pytest.mark.django_db(transaction=True)
def test_two_never_get_the_same_text(on_disk: Callable[[], Any]) -> None:
    _waiting, volunteers = ask_for(TEXTS, VOLUNTEERS)

    def work(who: User) -> None:
        while (found := take_next(actor=who, now=make.NOW)) is not None:
            hand_in(translation_id=found.pk, text=f"Text {found.pk}", actor=who, now=make.NOW)

    in_threads(work, volunteers, on_disk)
    assert TranslationTurn.objects.count() == TEXTS
    assert Translation.objects.filter(state="offered").count() == Translation.objects.count() == TEXTS


@pytest.mark.django_db(transaction=True)
def test_two_windows_of_one_volunteer_get_one_text(on_disk: Callable[[], Any]) -> None:
    _waiting, (volunteer,) = ask_for(TEXTS, 1)
    got: list[int] = []

    def work(who: User) -> None:
        found = take_next(actor=who, now=make.NOW)
        assert found is not None
        got.append(found.pk)

    in_threads(work, [volunteer, volunteer, volunteer], on_disk)
    assert len(got) == 3 and len(set(got)) == 1
    assert TranslationTurn.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_two_who_finish_at_once_lose_nothing(on_disk: Callable[[], Any]) -> None:
    (asked,), volunteers = ask_for(1, 2)
    # Both have had it: the first one's lease ran out.
    for number, who in enumerate(volunteers):
        assert take_next(actor=who, now=make.NOW.replace(hour=12 + number)) is not None
    late: list[bool] = []

    def work(who: User) -> None:
        late.append(hand_in(translation_id=asked.pk, text=f"By {who.username}", actor=who, now=make.NOW)[1])

    in_threads(work, volunteers, on_disk)
    assert sorted(late) == [False, True]
    assert sorted(t.text for t in Translation.objects.all()) == ["By volunteer-0", "By volunteer-1"]
