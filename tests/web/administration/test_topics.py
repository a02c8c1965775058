"""The page on which a topic is made works without JavaScript, one round trip after another."""

from __future__ import annotations

import json
from html.parser import HTMLParser

import pytest
from django.test import Client
from django.urls import reverse
from pytest_django import DjangoAssertNumQueries

from commonbeat.journal.models import Entry
from commonbeat.topics.definition import Definition, Field, FieldKind, Period, Publishes
from commonbeat.topics.models import Topic, TopicVersion
from commonbeat.topics.ready_made import CODES, install_ready_made
from tests.make import NOW, make_topic

NEW = reverse("administration:topic_new")


class _Form(HTMLParser):
    """Collect what a browser would send from the page's first post form with the state in it."""

    def __init__(self) -> None:
        super().__init__()
        self.values: dict[str, str] = {}
        self._inside = False
        self._area = self._select = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        name = given.get("name", "")
        if tag == "form":
            self._inside = "data-preview" in given
        elif not self._inside or not (name or tag == "option"):
            return
        elif tag == "input" and (given.get("type") not in ("radio", "checkbox") or "checked" in given):
            self.values[name] = given.get("value", "on")
        elif tag == "textarea":
            self._area = name
            self.values[name] = ""
        elif tag == "select":
            self._select = name
        elif tag == "option" and "selected" in given:
            self.values[self._select] = given["value"]

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self._inside = False
        elif tag == "textarea":
            self._area = ""

    def handle_data(self, data: str) -> None:
        if self._area:
            self.values[self._area] += data.removeprefix("\n")


def _send(client: Client, address: str, do: str, page: bytes | None = None, **typed: str) -> tuple[int, bytes]:
    form = _Form()
    form.feed((page if page is not None else client.get(address).content).decode())
    answer = client.post(address, {**form.values, **{k.replace("__", "-"): v for k, v in typed.items()}, "do": do})
    return answer.status_code, answer.content


def test_a_topic_is_made_step_by_step(administrator_client: Client) -> None:
    client = administrator_client
    _status, page = _send(client, NEW, "category-add", name__en="Noise", name__sq="Zhurmë", icon="noise", code="noise")
    _status, page = _send(client, NEW, "field-add", page, **{"category-0-en": "Music"})
    _status, page = _send(client, NEW, "look", page, **{"field-kind": "choice", "field-label-en": "How loud?"})
    _status, page = _send(client, NEW, "option-add", page, **{"option-0-en": "Quiet", "option-1-en": "Loud"})
    _status, page = _send(client, NEW, "option-2-up", page, **{"option-2-en": "Very loud"})
    assert b"As residents will see it" in page and b"How loud?" in page
    status, _page = _send(client, NEW, "save", page, keywords="noise, zhurma، ضجيج", public_resolution="9")
    assert status == 302
    definition = Topic.objects.get(code="noise").definition
    assert definition.name == {"en": "Noise", "sq": "Zhurmë"}
    assert definition.keywords == ["noise", "zhurma", "ضجيج"]
    assert [(o.code, o.label) for o in definition.categories] == [("music", {"en": "Music"})]
    assert [o.code for o in definition.fields[0].options] == ["quiet", "very-loud", "loud"]
    assert definition.public_resolution == 9
    assert Entry.objects.get(kind="topics.created").actor_id is not None


def test_nothing_typed_is_lost_when_something_is_wrong(administrator_client: Client) -> None:
    status, page = _send(
        administrator_client,
        NEW,
        "save",
        name__en="Noise",
        help__en="Loud <b>things</b>",
        smallest_count="many",
        code="x",
    )
    assert status == 422 and not Topic.objects.exists()
    assert b"Write a whole number here." in page and b"Loud &lt;b&gt;things" in page
    status, page = _send(administrator_client, NEW, "save", page, smallest_count="1")
    assert status == 422 and b"The short name has" in page


def test_every_ready_made_topic_survives_the_page_unchanged(administrator_client: Client) -> None:
    install_ready_made(NOW)
    for code in CODES:
        topic = Topic.objects.select_related("current").get(code=code)
        address = reverse("administration:topic_edit", kwargs={"code": code})
        page: bytes | None = None
        for number in range(len(topic.definition.fields)):
            _status, page = _send(administrator_client, address, f"field-{number}-open", page)
        status, page = _send(administrator_client, address, "save", page)
        assert status == 302, code
    # Saving what did not change makes no version.
    assert TopicVersion.objects.count() == len(CODES)


def test_a_change_is_a_new_version_and_the_old_one_can_be_opened(administrator_client: Client) -> None:
    make_topic(
        "noise", definition=Definition(name={"en": "Noise"}, fields=[Field("loud", FieldKind.TEXT, {"en": "Loud?"})])
    )
    address = reverse("administration:topic_edit", kwargs={"code": "noise"})
    status, _page = _send(administrator_client, address, "field-0-remove")
    assert status == 200 and Topic.objects.get(code="noise").definition.fields
    _status, page = _send(administrator_client, address, "field-0-remove")
    status, _page = _send(administrator_client, address, "save", page, publishes="counts", smallest_count="5")
    assert status == 302
    definition = Topic.objects.get(code="noise").definition
    assert (definition.fields, definition.publishes, definition.smallest_count) == ([], Publishes.COUNTS, 5)
    old = administrator_client.get(address, {"version": "1"}).content
    assert b"Loud?" in old
    assert administrator_client.get(address, {"version": "77"}).status_code == 404
    assert Entry.objects.filter(kind="topics.revised").count() == 1


def test_the_period_is_chosen_and_kept(administrator_client: Client) -> None:
    topic = make_topic("noise", definition=Definition(name={"en": "Noise"}))
    address = reverse("administration:topic_edit", kwargs={"code": "noise"})
    assert _send(administrator_client, address, "save", period="week")[0] == 302
    topic = Topic.objects.get(code="noise")
    assert (topic.definition.period, topic.versions.count()) == (Period.WEEK, 2)
    # What the page shows, it keeps; "as fits" is a choice too.
    assert _send(administrator_client, address, "save")[0] == 302
    assert Topic.objects.get(code="noise").versions.count() == 2
    assert _send(administrator_client, address, "save", period="")[0] == 302
    assert Topic.objects.get(code="noise").definition.period is None
    status, page = _send(administrator_client, address, "save", period="fortnight")
    assert status == 422 and b"Choose by which span of time" in page


def test_counts_alone_are_never_told_by_the_day(administrator_client: Client) -> None:
    make_topic("noise", definition=Definition(name={"en": "Noise"}, period=Period.DAY))
    address = reverse("administration:topic_edit", kwargs={"code": "noise"})
    status, page = _send(administrator_client, address, "save", publishes="counts", smallest_count="5")
    assert status == 422 and b"by week or month, not by day" in page and b'href="#id_period"' in page
    assert _send(administrator_client, address, "save", page, period="month")[0] == 302
    assert Topic.objects.get(code="noise").definition.period is Period.MONTH


def test_two_administrators_do_not_overwrite_each_other(administrator_client: Client) -> None:
    make_topic("noise")
    address = reverse("administration:topic_edit", kwargs={"code": "noise"})
    stale = administrator_client.get(address).content
    assert _send(administrator_client, address, "save", name__en="First")[0] == 302
    status, page = _send(administrator_client, address, "save", stale, name__en="Second")
    assert status == 422 and b"Somebody else" in page
    assert Topic.objects.get(code="noise").name_in("en") == "First"


@pytest.mark.parametrize(
    "state",
    [
        "",
        "{",
        "[]",
        "[" * 200_000,
        '{"fields":' * 60_000,
        '{"name": {}, "colour": "#28608f", "delay_hours": ' + "9" * 5000 + "}",
        '{"name": {}, "colour": "#28608f", "fields": [{"code": "a", "kind": "number", "label": {}, "maximum": NaN}]}',
        '{"name": 3}',
        json.dumps({"name": {"en": "x"}, "fields": [{"kind": "boom"}]}),
        "\x00",
    ],
)
def test_a_damaged_form_breaks_nothing(administrator_client: Client, state: str) -> None:
    answer = administrator_client.post(NEW, {"state": state, "open": "9" * 5000, "do": "field-999-up"})
    assert answer.status_code == 422 and b"damaged or too large" in answer.content
    answer = administrator_client.post(NEW, {"state": state, "do": "save", "code": "broken"})
    assert answer.status_code == 422 and not Topic.objects.exists()


def test_topics_are_switched_and_moved(administrator_client: Client) -> None:
    first, second = make_topic("aa"), make_topic("bb")
    address = reverse("administration:topics")
    administrator_client.post(address, {"do": f"up:{second.pk}"})
    administrator_client.post(address, {"do": f"disable:{first.pk}"})
    assert list(Topic.objects.values_list("code", "enabled")) == [("bb", True), ("aa", False)]
    assert administrator_client.post(address, {"do": "up:999999"}).status_code == 404
    assert administrator_client.post(address, {"do": "nonsense"}).status_code == 404
    assert b"Not offered" in administrator_client.get(address).content


def test_the_list_takes_the_same_queries_whatever_the_number(
    administrator_client: Client, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    make_topic("first")
    address = reverse("administration:topics")
    with django_assert_num_queries(4):
        administrator_client.get(address)
    for number in range(20):
        make_topic(f"topic-{number}")
    with django_assert_num_queries(4):
        assert administrator_client.get(address).content.count(b"report-title") == 21


def test_problems_name_the_field() -> None:
    from commonbeat.web.administration.topics import named_problem

    text = "Write this in at least one language."
    assert named_problem("name", text) == f"Name: {text}"
    assert named_problem("categories.1", text) == f"Category 2: {text}"
    assert named_problem("fields.0.label", text) == f"Question 1: {text}"
    assert named_problem("fields.2.options.1", text) == f"Question 3, answer 2: {text}"
    assert named_problem("colour", text) == named_problem("", text) == text


# ------------------------------------------------------------------ structured messages

WATER = Definition(
    name={"en": "Water point"},
    fields=[
        Field("point", FieldKind.TEXT, {"en": "Which water point?"}, required=True),
        Field("litres", FieldKind.NUMBER, {"en": "How many litres?"}),
        Field("picture", FieldKind.PHOTO, {"en": "A photo"}),
    ],
)


def _water(client: Client, do: str = "save", page: bytes | None = None, **typed: str) -> tuple[int, str, bytes]:
    told = {
        "word-en": "water",
        "word-sq": "UJË",
        "texted-at-point": "2",
        "texted-at-litres": "1",
        "texted-needs-litres": "on",
        "texted-same-point": "on",
        "texted-site": "point",
        "texted-hours": "٤",
        "texted-short-litres": "L",
        "texted-said-en": "Water: {litres} litres at {point}.",
        "texted-examples-en": "WATER 40 north gate\nWATER many north gate",
        **typed,
    }
    status, answer = _send(client, reverse("administration:topic_edit", kwargs={"code": "water"}), do, page, **told)
    return status, answer.decode(), answer


def test_code_word_and_order_of_answers_are_set_on_the_page(administrator_client: Client) -> None:
    make_topic("water", definition=WATER)
    assert _water(administrator_client)[0] == 302
    definition = Topic.objects.get(code="water").definition
    told = definition.structured
    assert (told.words, told.fields) == ({"en": "WATER", "sq": "UJË"}, ["litres", "point"])
    assert (told.needs, told.same, told.site, told.correct_hours, told.anyone) == (
        ["litres"], ["point"], "point", 4, False,
    )  # fmt: skip
    assert definition.fields[1].short == "l"
    # The page shows it in that order, leads to the card, and keeps what is saved again unchanged.
    page = administrator_client.get(reverse("administration:topic_edit", kwargs={"code": "water"})).content.decode()
    assert page.index('name="texted-at-litres"') < page.index('name="texted-at-point"')
    assert "texted-at-picture" not in page
    assert 'href="/cards/water/"' in page
    assert _send(administrator_client, reverse("administration:topic_edit", kwargs={"code": "water"}), "save")[0] == 302
    assert Topic.objects.get(code="water").versions.count() == 2
    assert administrator_client.get("/cards/water/").status_code == 200


def test_the_preview_shows_how_an_example_is_read(administrator_client: Client) -> None:
    make_topic("water", definition=WATER)
    status, page, _raw = _water(administrator_client, "look")
    assert status == 200 and not Topic.objects.get(code="water").definition.structured.words
    assert "Water: 40 litres at north gate." in page
    assert "How many litres “many”" in page.replace("&#8220;", "“")
    assert "UJË [How many litres] [Which water point]" in page


@pytest.mark.parametrize(
    ("typed", "sentence"),
    [
        ({"word-en": "STOP"}, "cannot be a code word"),
        ({"word-en": "two words"}, "cannot be a code word"),
        ({"word-en": "LAMP"}, "already begins messages on the topic"),
        ({"texted-at-litres": "0", "texted-at-point": "0"}, "names each of its questions once"),
        ({"texted-hours": "soon"}, "Write a whole number here."),
        ({"texted-hours": "99"}, "within 0 to 48 hours"),
        ({"texted-site": "litres"}, "answered in words"),
        ({"texted-short-litres": "l1"}, "1 to 10 small letters"),
        ({"texted-said-en": "Water: {gallons}"}, "cannot ask for “gallons”"),
    ],
)
def test_what_cannot_be_a_structured_message_is_said(
    administrator_client: Client, typed: dict[str, str], sentence: str
) -> None:
    make_topic("street-light", definition=Definition(name={"en": "Lamp"}, keywords=["lamp"]))
    make_topic("water", definition=WATER)
    status, page, _raw = _water(administrator_client, **typed)  # type: ignore[arg-type]  # no field is called as its file
    assert status == 422 and sentence in page
    assert "Water: " in page or "two words" in page
    assert Topic.objects.get(code="water").versions.count() == 1


def test_a_question_that_is_removed_leaves_the_message(administrator_client: Client) -> None:
    make_topic("water", definition=WATER)
    _water(administrator_client)
    address = reverse("administration:topic_edit", kwargs={"code": "water"})
    _status, page = _send(administrator_client, address, "field-0-remove")
    assert _send(administrator_client, address, "save", page, **{"texted-said-en": ""})[0] == 302
    told = Topic.objects.get(code="water").definition.structured
    assert (told.fields, told.same, told.site) == (["litres"], [], "")


def test_a_new_topic_gets_its_order_once_it_has_questions(administrator_client: Client) -> None:
    page = administrator_client.get(NEW).content.decode()
    assert "once the topic is saved with them" in page and "texted-at-" not in page


@pytest.mark.parametrize("state", ['{"structured": 5}', '{"name": {}, "structured": {"fields": ["x", "x"]}}'])
def test_a_damaged_state_of_messages_stores_nothing(administrator_client: Client, state: str) -> None:
    make_topic("water", definition=WATER)
    status, _page, _raw = _water(administrator_client, state=state, base="1")
    assert status == 422
    assert Topic.objects.get(code="water").versions.count() == 1
