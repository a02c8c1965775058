"""Who sees which page of the desk: every page, every persona."""

from __future__ import annotations

import pytest
from django.test import Client
from django.urls import reverse

from commonbeat.journal.models import Entry
from commonbeat.people.models import Unit
from commonbeat.reports.models import Publication, PublicationState, Report, ReportPhoto
from commonbeat.web.desk.acts import VERBS
from commonbeat.web.desk.urls import urlpatterns
from tests import make

pytestmark = pytest.mark.django_db
SECRET = "Xhevahire lives at number seven"
NOBODY = ["resident", "outsider"]
OTHERS = ["overseer", "administrator"]


@pytest.fixture
def report(unit: Unit) -> Report:
    """Give a report with a secret, a photo and a held public text."""
    report = make.make_report(unit=unit, text=SECRET)
    ReportPhoto.objects.create(report=report, photo=make.make_photo())
    make.make_publication(report=report, state=PublicationState.HELD, title="Proposed title", text="Proposed text")
    return report


def client_of(who: str, request: pytest.FixtureRequest) -> Client:
    """Give the browser of a persona."""
    return Client() if who == "nobody" else request.getfixturevalue(f"{who}_client")


def reads(report: Report) -> dict[str, str]:
    """List every page of the desk that tells of reports."""
    photo = report.photos.get()
    return {
        "list": reverse("desk:list") + "?tab=all",
        "search": reverse("desk:list") + "?q=Xhevahire",
        "reference": reverse("desk:list") + f"?q={report.reference}",
        "news": reverse("desk:news") + "?tab=all&than=0",
        "report": reverse("desk:report", kwargs={"report_id": report.pk}),
        "thread": reverse("desk:report", kwargs={"report_id": report.pk}) + "?part=thread",
        "alike": reverse("desk:alike", kwargs={"report_id": report.pk}),
        "report_place": reverse("desk:report_place", kwargs={"report_id": report.pk}),
        "photo": reverse("desk:photo", kwargs={"report_id": report.pk, "photo_id": photo.pk}),
        "map": reverse("desk:map"),
        "map_points": reverse("desk:map_points"),
    }


OF_ONE = ("report", "thread", "alike", "report_place", "photo")
READS = ("list", "search", "reference", "news", *OF_ONE, "map", "map_points")


@pytest.mark.parametrize("name", READS)
def test_strangers_are_asked_to_sign_in(name: str, report: Report) -> None:
    page = Client().get(reads(report)[name])
    assert page.status_code == 302
    assert page["Location"].startswith("/account/login/")


@pytest.mark.parametrize("who", [*NOBODY, *OTHERS, "moderator"])
@pytest.mark.parametrize("name", READS)
def test_other_roles_see_nothing_of_the_desk(
    name: str, who: str, report: Report, request: pytest.FixtureRequest
) -> None:
    page = client_of(who, request).get(reads(report)[name])
    assert page.status_code == 403
    assert SECRET not in page.content.decode()


@pytest.mark.parametrize("name", READS)
def test_another_unit_sees_nothing_of_this_desk(name: str, report: Report, far_officer_client: Client) -> None:
    page = far_officer_client.get(reads(report)[name])
    text = page.content.decode()
    assert page.status_code == (404 if name in OF_ONE else 200)
    assert "Xhevahire lives" not in text
    assert f'href="/desk/reports/{report.pk}/' not in text
    assert not Entry.objects.filter(kind="reports.looked").exists()


@pytest.mark.parametrize("who", ["officer", "second_officer", "supervisor"])
@pytest.mark.parametrize("name", [name for name in READS if name != "photo"])
def test_the_desk_sees_its_reports(name: str, who: str, report: Report, request: pytest.FixtureRequest) -> None:
    assert client_of(who, request).get(reads(report)[name]).status_code == 200


@pytest.mark.parametrize("who", ["nobody", *NOBODY, *OTHERS, "moderator", "far_officer"])
@pytest.mark.parametrize("verb", VERBS)
def test_nobody_else_acts(verb: str, who: str, report: Report, request: pytest.FixtureRequest) -> None:
    journal = Entry.objects.count()
    address = reverse("desk:act", kwargs={"report_id": report.pk, "verb": verb})
    answer = client_of(who, request).post(address, {"to": "triaged", "note": "x", "ask": "x", "title": "x"})
    assert answer.status_code == (302 if who == "nobody" else 404 if who == "far_officer" else 403)
    assert Entry.objects.count() == journal


@pytest.mark.parametrize("who", ["nobody", *NOBODY, *OTHERS, "moderator", "far_officer"])
def test_nobody_else_changes_several(who: str, report: Report, request: pytest.FixtureRequest) -> None:
    client_of(who, request).post(reverse("desk:bulk"), {"report": [report.pk], "to": "triaged"})
    report.refresh_from_db()
    assert report.state == "new"


@pytest.mark.parametrize("who", ["nobody", *NOBODY, *OTHERS, "officer", "far_officer"])
def test_held_texts_are_for_moderators(who: str, report: Report, request: pytest.FixtureRequest) -> None:
    client = client_of(who, request)
    publication = Publication.objects.get()
    page = client.get(reverse("desk:moderation"))
    assert page.status_code == (302 if who == "nobody" else 403)
    assert "Proposed" not in page.content.decode()
    for verb in ("release", "return"):
        address = reverse("desk:decide", kwargs={"publication_id": publication.pk, "verb": verb})
        assert client.post(address, {"title": "x", "reason": "x"}).status_code in (302, 403)
    publication.refresh_from_db()
    assert publication.state == PublicationState.HELD


def test_a_moderator_sees_the_proposed_text_and_nothing_else(report: Report, moderator_client: Client) -> None:
    text = moderator_client.get(reverse("desk:moderation")).content.decode()
    assert "Proposed title" in text
    for hidden in (SECRET, report.reference, f"/desk/reports/{report.pk}", f"{report.latitude}", f"{report.longitude}"):
        assert hidden not in text


def test_staff_without_a_second_factor_are_sent_to_set_one_up(unit: Unit, report: Report) -> None:
    user = make.make_user("hasty", role="officer", unit=unit, second_factor=False)  # type: ignore[arg-type]  # a role by its value
    page = make.signed_in(user).get(reverse("desk:list"))
    assert page.status_code == 302
    assert SECRET not in page.content.decode()


def test_an_officer_without_a_unit_sees_an_empty_desk(report: Report) -> None:
    client = make.signed_in(make.make_user("new-officer", role="officer", unit=None))  # type: ignore[arg-type]  # as above
    assert SECRET not in client.get(reads(report)["list"]).content.decode()
    assert client.get(reads(report)["report"]).status_code == 404


def test_every_page_declares_its_rule() -> None:
    for pattern in urlpatterns:
        view = pattern.callback
        if pattern.name != "home":
            assert hasattr(view, "needs"), pattern.name


@pytest.mark.parametrize(
    ("who", "home"),
    [("officer", "desk:list"), ("supervisor", "desk:list"), ("moderator", "desk:moderation"),
     ("resident", "public:home"), ("overseer", "oversight:journal"), ("administrator", "administration:topics")],
)  # fmt: skip
def test_each_role_has_a_home(who: str, home: str, request: pytest.FixtureRequest) -> None:
    assert client_of(who, request).get("/desk/")["Location"] == reverse(home)
    assert Client().get("/desk/")["Location"].startswith("/account/login/")


@pytest.mark.parametrize(
    ("who", "offered"),
    [("officer", {"list", "map"}), ("supervisor", {"list", "map", "moderation"}), ("moderator", {"moderation"})],
)
def test_the_menu_offers_only_what_may_be_opened(
    who: str, offered: set[str], unit: Unit, request: pytest.FixtureRequest
) -> None:
    client = client_of(who, request)
    text = client.get("/desk/", follow=True).content.decode()
    for name in ("list", "map", "moderation"):
        assert (f'<a href="{reverse(f"desk:{name}")}"' in text) is (name in offered), name
        assert (client.get(reverse(f"desk:{name}")).status_code == 200) is (name in offered)
