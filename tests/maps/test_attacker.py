"""Somebody who may ask for every public map, as often as they like, tries to make out one report of harassment.

They subtract: places from the larger places around them, one span of time from a longer one, a category from all of
them, the map after from the map before. Whatever they subtract, they are left with nothing, or with at least k reports.
"""

from __future__ import annotations

import random
import re
from collections import defaultdict
from collections.abc import Callable
from datetime import datetime, timedelta
from itertools import combinations
from typing import Any

import pytest
from django.test import Client

from commonbeat.foundation import cells
from commonbeat.maps import rules, tiling
from commonbeat.maps.actions import counting
from commonbeat.people.models import Role, User
from commonbeat.reactions.counting import count_batch, rebuild
from commonbeat.reports.actions.publish import publish_report
from commonbeat.reports.actions.submit import Whereabouts, place_report
from commonbeat.reports.actions.work import move_report
from commonbeat.reports.models import Report
from commonbeat.topics.definition import Publishes
from tests import make
from tests.maps.eye import Eye

pytestmark = pytest.mark.django_db

K = 5
TOPIC = "harassment"
CATEGORIES = ["first", "second"]
ZOOMS = (0, 4, 7, 9, 10, 11, 12, 14)
BEGIN = make.NOW.replace(month=1, day=2)
# Months and half months, so that spans begin and end inside of periods too.
DAYS = ["2026-01-01", "2026-01-16", "2026-02-01", "2026-02-11", "2026-03-01", "2026-04-01"]
WIDE = (42.38, 20.43)


class Leak(AssertionError):
    """The attacker has made out fewer than k reports."""


def suspect(n: int, how: str) -> None:
    """Fail when a difference is somebody's."""
    if n != 0 and abs(n) < K:
        raise Leak(f"{how}: {n}")


class Site:
    """A site on which harassment is reported, in a town and its surroundings."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        unit = make.fallback()
        self.officer: User = make.make_user(role=Role.SUPERVISOR, unit=unit)
        self.topic = make.make_topic(
            TOPIC, publishes=Publishes.COUNTS, smallest_count=K, public_resolution=8, delay_hours=48
        )
        centres = [WIDE, (42.40, 20.46), (42.21, 20.74), (43.9, 18.4)]
        self.points = [
            (lat + self.random.gauss(0, 0.012), lon + self.random.gauss(0, 0.012))
            for lat, lon in centres
            for _ in range(4)
        ]
        # Some write again and again.
        self.phones = [make.make_contact(now=BEGIN) for _ in range(8)]
        self.now: datetime = BEGIN
        self.published: list[Report] = []
        self.eye = Eye()

    def publish(self) -> None:
        latitude, longitude = self.random.choice(self.points)
        report = make.make_report(
            topic=self.topic,
            now=self.now,
            latitude=latitude,
            longitude=longitude,
            categories=[self.random.choice(CATEGORIES)],
            contact=self.random.choice([*self.phones, None]),
        )
        publish_report(
            report_id=report.pk, title="On the bus", text="It happened again.", actor=self.officer, now=self.now
        )
        self.published.append(report)
        self.settle()

    def withdraw(self) -> None:
        report = self.random.choice(self.published)
        self.published.remove(report)
        move_report(report_id=report.pk, to_state="triaged", actor=self.officer, now=self.now)
        self.settle()

    def move(self) -> None:
        latitude, longitude = self.random.choice(self.points)
        where = Whereabouts(source="desk", latitude=latitude, longitude=longitude)
        place_report(
            report_id=self.random.choice(self.published).pk, where=where, actor_id=self.officer.pk, now=self.now
        )
        self.settle()

    def wait(self, days: float) -> None:
        self.now += timedelta(days=days)
        self.settle()

    def settle(self) -> None:
        while count_batch(self.now):
            pass
        self.eye.look_again()


Answers = dict[tuple[str, int], dict[int, int]]


def look(site: Site, queries: list[str], zooms: tuple[int, ...] = ZOOMS, measure: str = "n") -> Answers:
    """Ask for everything: (query, zoom) → cell → how many reports, or contacts."""
    centres = [WIDE, (42.21, 20.74), (43.9, 18.4)]
    more = "" if measure == "n" else f"&measure={measure}"
    return {
        (query, zoom): site.eye.cells(TOPIC, zoom, centres, query + more, measure)
        for query in queries
        for zoom in zooms
    }


def spans() -> list[str]:
    return [f"since={a}&until={b}" for a, b in combinations(DAYS, 2)]


def attack_in_place(answers: Answers, queries: list[str]) -> None:
    """Look at each answer by itself, and subtract what a finer zoom shows of a cell from what a coarser one shows."""
    for query in queries:
        for zoom in ZOOMS:
            for n in answers[query, zoom].values():
                suspect(n, f"{query} zoom {zoom}: one cell by itself")
        for coarse, fine in combinations(ZOOMS, 2):
            inside: dict[int, int] = defaultdict(int)
            resolution = tiling.display_resolution(coarse)
            for cell, n in answers[query, fine].items():
                # What was merged beyond it belongs to no cell of the coarse zoom.
                inside[cells.parent(cell, min(resolution, cells.resolution_of(cell)))] += n
            for cell, n in answers[query, coarse].items():
                if cell in inside:
                    suspect(n - inside[cell], f"{query} zoom {coarse} less zoom {fine}")


def attack_in_time(answers: Answers) -> None:
    """Subtract a span of time from every longer one that begins, or ends, with it."""
    for zoom in ZOOMS:
        for a, b, c in combinations(DAYS, 3):
            for longer, shorter in ((f"since={a}&until={c}", f"since={a}&until={b}"),
                                    (f"since={a}&until={c}", f"since={b}&until={c}")):  # fmt: skip
                subtract(answers[longer, zoom], answers[shorter, zoom], f"{longer} less {shorter}, zoom {zoom}")


def attack_by_category(answers: Answers) -> None:
    """Subtract each category from all of them, and all but one."""
    for zoom in ZOOMS:
        for category in CATEGORIES:
            subtract(answers["", zoom], answers[f"category={category}", zoom], f"all less {category}, zoom {zoom}")
        rest = dict(answers["", zoom])
        for category in CATEGORIES:
            for cell, n in answers[f"category={category}", zoom].items():
                rest[cell] -= n
        subtract(rest, {}, f"all less every category, zoom {zoom}")


def subtract(more: dict[int, int], less: dict[int, int], how: str) -> None:
    for cell in more.keys() | less.keys():
        suspect(more.get(cell, 0) - less.get(cell, 0), how)


def attack_before_and_after(before: Answers, after: Answers) -> None:
    """Subtract the map before something happened from the map after it."""
    for key in before:
        subtract(after[key], before[key], f"after less before, {key}")


def play(seed: int) -> None:
    """Let the attacker watch half a year of a site."""
    site = Site(seed)
    queries = ["", "category=first", "since=2026-02-01", "until=2026-01-31"]
    seen = look(site, queries, (0, 9, 12))
    for _ in range(45):
        step = site.random.choice([*[site.publish] * 6, site.withdraw, site.move, lambda: site.wait(2.5)])
        if site.published or step == site.publish:
            step()
        now = look(site, queries, (0, 9, 12))
        attack_before_and_after(seen, now)
        seen = now
    heard = look(site, queries, (0, 9, 12), "contacts")
    for days in (5, 20, 40):
        site.wait(days)
        now = look(site, queries, (0, 9, 12))
        attack_before_and_after(seen, now)
        seen = now
        while len(site.published) > 18 and site.random.random() < 0.8:
            site.withdraw()
            now = look(site, queries, (0, 9, 12))
            attack_before_and_after(seen, now)
            seen = now
    everything = ["", *(f"category={code}" for code in CATEGORIES), *spans()]
    attack_before_and_after(heard, look(site, queries, (0, 9, 12), "contacts"))
    # Of the contacts there are never fewer than k either: so no bucket is of one who writes often.
    for measure in ("contacts", "n"):
        answers = look(site, everything, measure=measure)
        told = sum(answers["", 0].values())
        attack_in_place(answers, everything)
        attack_in_time(answers)
        attack_by_category(answers)
    assert told >= 2 * K, "there was something to learn from"


@pytest.mark.slow
@pytest.mark.parametrize("seed", [1, 2])
def test_the_attacker_learns_nothing_of_one_report(db: None, seed: int) -> None:
    play(seed)


def drawn_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    """Periods that are over are told as they stand now: each withdrawal can then be watched."""
    usual = Site.settle

    def settle(self: Site) -> None:
        usual(self)
        rebuild(self.now, redraw=True)
        self.eye.look_again()

    monkeypatch.setattr(Site, "settle", settle)


def told_below_k(monkeypatch: pytest.MonkeyPatch) -> None:
    """Buckets are told however few they hold."""
    usual = rules.draw
    monkeypatch.setattr(rules, "draw", lambda counts, fewest: usual(counts, 1))


def told_singly(monkeypatch: pytest.MonkeyPatch) -> None:
    """A topic of counts is counted as if each of its reports were published."""
    usual: Callable[..., Any] = counting.Calendar.period_of

    def period_of(self: Any, topic_id: int, day: int, *, is_single: bool, before: Any) -> int:
        return int(usual(self, topic_id, day, is_single=True, before=before))

    monkeypatch.setattr(counting.Calendar, "period_of", period_of)
    monkeypatch.setattr(counting, "Place", lambda *values: PlaceTold(*values)._replace(is_single=True))


PlaceTold: Any = counting.Place


@pytest.mark.slow
@pytest.mark.parametrize("fault", [told_below_k, told_singly, drawn_anew])
def test_the_attacker_wins_where_a_rule_is_broken(
    db: None, monkeypatch: pytest.MonkeyPatch, fault: Callable[[pytest.MonkeyPatch], None]
) -> None:
    fault(monkeypatch)
    with pytest.raises(Leak):
        for seed in (1, 2, 3):
            play(seed)


def fill_a_cell_from_one_phone() -> None:
    """Write K - 1 reports, so that the one other in the cell is told with them, and subtract one's own."""
    site = Site(3)
    mine, own = site.phones[0], K - 1
    for contact in [mine] * own + [site.phones[1]]:
        report = make.make_report(topic=site.topic, now=site.now, contact=contact, categories=["first"])
        publish_report(report_id=report.pk, title="A", text="It happened.", actor=site.officer, now=site.now)
    site.wait(3)
    site.wait(40)
    for zoom in ZOOMS:
        for n in site.eye.cells(TOPIC, zoom, [WIDE]).values():
            suspect(n - own, f"all less my own, zoom {zoom}")


def test_who_fills_a_cell_from_one_phone_learns_nothing_of_the_other(db: None) -> None:
    fill_a_cell_from_one_phone()


def test_who_fills_a_cell_wins_where_reports_are_counted_instead(db: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rules.Gathered, "sources", property(lambda self: self.n))
    with pytest.raises(Leak):
        fill_a_cell_from_one_phone()


def without_token(page: Any) -> bytes:
    return re.sub(rb'name="csrfmiddlewaretoken" value="[^"]+"', b"", page.content)


def test_nothing_else_that_is_public_moves_with_a_report(client: Client) -> None:
    site = Site(7)
    for _ in range(7):
        site.publish()

    def everything() -> list[bytes]:
        x, y = tiling.mercator_x(WIDE[1]) * 4096, tiling.mercator_y(WIDE[0]) * 4096
        picture = site.eye.body(f"{TOPIC}/12/{int(x)}/{int(y)}.png")
        pages = [client.get(f"/map/?topic={TOPIC}"), client.get("/map/"), client.get("/map/?measure=contacts")]
        assert all(page.status_code == 200 for page in pages)
        return [picture, site.eye.description(TOPIC), site.eye.description("all"), *map(without_token, pages)]

    before = everything()
    site.publish()
    site.withdraw()
    site.move()
    site.wait(3)
    assert everything() == before
