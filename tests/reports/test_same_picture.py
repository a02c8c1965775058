"""The same picture in other reports: found by its hash, told only to who may see them."""

from __future__ import annotations

import pytest
from django.test import Client
from django.urls import reverse
from pytest_django import DjangoAssertNumQueries

from commonbeat.people.models import Unit, User
from commonbeat.reports.models import Report, ReportPhoto
from commonbeat.reports.queries import same_picture
from commonbeat.reports.queries.duplicates import PHOTO_BITS
from commonbeat.reports.queries.same_picture import SeenAgain, seen_again
from tests import make

pytestmark = pytest.mark.django_db
# Half of its bits are set, the sign as well.
HASH = -0x0F0F_0F0F_0F0F_0F0F


def with_picture(unit: Unit, phash: int = HASH) -> Report:
    report = make.make_report(unit=unit, text="Look at this", latitude=None)
    add(report, phash)
    return report


def add(report: Report, phash: int) -> ReportPhoto:
    photo = make.make_photo()
    photo.phash = phash
    photo.save()
    return ReportPhoto.objects.create(report=report, photo=photo)


def seen(report: Report, viewer: User) -> dict[int, SeenAgain]:
    held = list(report.report_photos.select_related("photo").order_by("pk"))
    return seen_again(report, held, viewer)


@pytest.mark.parametrize(("bits", "expected"), [(0, True), (PHOTO_BITS, True), (PHOTO_BITS + 1, False)])
def test_a_picture_is_the_same_when_few_bits_differ(bits: int, expected: bool, unit: Unit, officer: User) -> None:
    report, other = with_picture(unit), with_picture(unit, HASH ^ ((1 << bits) - 1))
    assert [one.pk for again in seen(report, officer).values() for one in again.reports] == [other.pk] * expected


def test_the_bit_of_the_sign_is_one_bit(unit: Unit, officer: User) -> None:
    report, other = with_picture(unit), with_picture(unit, HASH ^ -(2**63))
    (again,) = seen(report, officer).values()
    assert again.reports == [other]


def test_each_picture_has_its_own_and_a_report_counts_once(unit: Unit, officer: User) -> None:
    report = with_picture(unit)
    second = add(report, HASH ^ 0x5555_5555_5555_5555)
    add(report, HASH)
    twice = with_picture(unit)
    add(twice, HASH)
    other = with_picture(unit, HASH ^ 0x5555_5555_5555_5555)
    found = seen(report, officer)
    assert found[second.photo_id] == SeenAgain(1, [other])
    assert [again.reports for pk, again in found.items() if pk != second.photo_id] == [[twice], [twice]]


def test_another_desk_is_neither_named_nor_counted(unit: Unit, far_unit: Unit, officer: User, supervisor: User) -> None:
    report, near, far = with_picture(unit), with_picture(unit), with_picture(far_unit)
    (again,) = seen(report, officer).values()
    assert again == SeenAgain(1, [near])
    Report.objects.filter(pk=near.pk).delete()
    assert seen(report, officer) == {}
    assert Report.objects.filter(pk=far.pk).exists()


def test_pictures_of_one_shade_are_not_all_the_same(unit: Unit, officer: User) -> None:
    for phash in (0, -1, 1, ~3):
        report = with_picture(unit, phash)
        with_picture(unit, phash)
        assert seen(report, officer) == {}


def test_the_work_is_bounded(
    unit: Unit, officer: User, monkeypatch: pytest.MonkeyPatch, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    monkeypatch.setattr(same_picture, "MOST_LOOKED_THROUGH", 8)
    old = with_picture(unit)
    others = [with_picture(unit) for _ in range(7)]
    report = with_picture(unit)
    held = list(report.report_photos.select_related("photo"))
    with django_assert_num_queries(2):
        (again,) = seen_again(report, held, officer).values()
    assert again.count == 7
    assert again.reports == list(reversed(others))[: same_picture.MOST_SHOWN]
    assert old not in again.reports
    with django_assert_num_queries(0):
        assert seen_again(report, [], officer) == {}


def test_the_desk_reads_where_a_picture_was_seen(
    unit: Unit, far_unit: Unit, officer_client: Client, client: Client
) -> None:
    report, other, far = with_picture(unit), with_picture(unit), with_picture(far_unit)
    address = reverse("desk:report", kwargs={"report_id": report.pk})
    text = officer_client.get(address).content.decode()
    assert "Photo 1 is in 1 other report:" in text
    assert f'href="{reverse("desk:report", kwargs={"report_id": other.pk})}"' in text
    assert reverse("desk:report", kwargs={"report_id": far.pk}) not in text
    with_picture(unit)
    assert "Photo 1 is in 2 other reports:" in officer_client.get(address).content.decode()
    answer = client.get(address)
    assert answer.status_code != 200
    assert "other report" not in answer.content.decode()
