"""Files of open data over HTTP: whole, right, of one moment; and what is odd is refused with a sentence."""

from __future__ import annotations

import gzip
import json
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from commonbeat.config.options import Options
from commonbeat.live.app import LiveApp
from commonbeat.maps import queries
from commonbeat.maps.models import Bucket, Counted, Term
from commonbeat.reactions.counting import count_batch
from commonbeat.topics.actions import revise_topic
from commonbeat.topics.definition import Publishes
from commonbeat.topics.models import Topic
from tests import make
from tests.live.data.asking import FILE, fresh, get, rows, total
from tests.live.test_tiles import publish

NOW = make.NOW


def test_a_file_holds_what_is_published_and_says_what_it_is(app: LiveApp, lamps: Topic) -> None:
    answer = get(app)
    assert total(answer) == queries.totals(queries.buckets(lamps.pk)).total == 4
    assert [int(row["reports"]) for row in rows(answer)] == [1, 2, 1]
    assert answer.headers["content-type"].startswith("text/csv; charset=utf-8")
    assert answer.headers["content-disposition"] == 'attachment; filename="street-light.csv"'
    assert answer.headers["access-control-allow-origin"] == "*"
    assert int(answer.headers["content-length"]) == len(answer.body)
    assert answer.headers["last-modified"].endswith(" GMT")
    assert 'rel="license"' in answer.headers["link"] and "creativecommons.org" in answer.headers["link"]


@pytest.mark.parametrize("kind", ["csv", "geojson", "parquet"])
def test_every_format_is_served(apart: LiveApp, kind: str) -> None:
    answer = get(apart, f"/data/street-light.{kind}")
    assert answer.status == 200
    if kind == "parquet":
        assert answer.body[:4] == answer.body[-4:] == b"PAR1"
    elif kind == "geojson":
        assert sum(each["properties"]["reports"] for each in json.loads(answer.body)["features"]) == 4
    packed = get(apart, f"/data/street-light.{kind}", accept_encoding="br, gzip;q=0.8")
    assert (packed.headers.get("content-encoding") == "gzip") == (kind != "parquet")
    assert (packed.body if kind == "parquet" else gzip.decompress(packed.body)) == answer.body
    assert int(packed.headers["content-length"]) == len(packed.body)
    assert get(apart, f"/data/street-light.{kind}", accept_encoding="gzip;q=0").body == answer.body


def test_filters(app: LiveApp) -> None:
    assert total(get(app, query="category=first")) == 3
    assert total(get(app, query="since=2026-03-15")) == 1
    assert total(get(app, query="until=2026-03-14")) == 3
    assert total(get(app, query="since=2026-03-14&until=2026-03-14&category=second")) == 0
    narrow = get(app, query="category=second&since=2026-04-01&until=2026-04-30")
    assert narrow.headers["content-disposition"].endswith('"street-light-second-2026-04-01-2026-05-01.csv"')


@pytest.mark.parametrize(
    ("path", "query", "status", "says"),
    [
        ("/data/nothing.csv", "", 404, "no such topic"),
        ("/data/all.csv", "", 404, "no such topic"),
        ("/data/Street-Light.csv", "", 404, "no such file"),
        ("/data/../secret_key.csv", "", 404, "no such file"),
        ("/data/street-light/x.csv", "", 404, "no such file"),
        (FILE, "category=third", 400, "no such category"),
        (FILE, "category=*", 400, "no such category"),
        (FILE, "category=first&category=second", 400, "once"),
        (FILE, "since=yesterday", 400, "year-month-day"),
        (FILE, "since=2026-02-30", 400, "year-month-day"),
        (FILE, "until=99999-01-01", 400, "year-month-day"),
        (FILE, "since=2026-03-15&until=2026-03-14", 400, "before the first"),
        (FILE, "since=" + "9" * 400, 400, "cannot be read"),
        (FILE, "category=%ff", 400, "cannot be read"),
    ],
)
def test_what_is_odd_is_refused_with_a_sentence(app: LiveApp, path: str, query: str, status: int, says: str) -> None:
    answer = get(app, path, query)
    assert answer.status == status
    assert says in answer.body.decode()


@given(
    day=st.dates() | st.text("0123456789-", max_size=12),
    other=st.dates() | st.text("0123456789-", max_size=12),
)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=20)
def test_no_days_break_it(app: LiveApp, day: object, other: object) -> None:
    assert get(app, query=f"since={day}&until={other}").status in {200, 400}


def test_only_reading(app: LiveApp) -> None:
    assert get(app, method="POST").status == 405
    head = get(app, method="HEAD")
    assert (head.status, head.body) == (200, b"")
    assert int(head.headers["content-length"]) == len(get(app).body)
    assert head.headers["etag"] == get(app).headers["etag"]


def test_nothing_new_is_not_sent_again(app: LiveApp, lamps: Topic) -> None:
    first = get(app)
    tag = first.headers["etag"]
    assert get(app, if_none_match=tag).status == 304
    assert get(app, if_none_match=f'"other", W/{tag}').status == 304
    packed = get(app, accept_encoding="gzip").headers["etag"]
    assert packed != tag
    assert get(app, accept_encoding="gzip", if_none_match=packed).status == 304
    assert get(app, query="category=first", if_none_match=tag).status == 200
    assert get(app, "/data/street-light.geojson", if_none_match=tag).status == 200


def test_a_file_is_made_once_until_something_changes(app: LiveApp, lamps: Topic) -> None:
    tag = get(app).headers["etag"]
    kept = dict(app.files.makings._kept)
    assert get(app).headers["etag"] == tag
    assert dict(app.files.makings._kept) == kept
    publish(lamps)
    fresh(app)
    newer = get(app)
    assert newer.headers["etag"] != tag and total(newer) == 5
    assert get(app, if_none_match=tag).status == 200


def test_where_counts_change_by_the_second_a_file_is_not_made_for_each(app: LiveApp, lamps: Topic) -> None:
    tag = get(app).headers["etag"]
    for one in app.files.makings._kept.values():
        one.fresh_until += 60
    publish(lamps)
    app.files._known = app.files._known._replace(until=0.0)
    answer = get(app)
    # A little old, and it says so.
    assert (answer.headers["etag"], total(answer)) == (tag, 4)
    assert get(app, if_none_match=tag).status == 304


def test_a_renamed_category_is_another_file(app: LiveApp, lamps: Topic) -> None:
    tag = get(app).headers["etag"]
    renamed = json.loads(json.dumps({"en": "Renamed"}))
    options = [option.__class__(option.code, renamed) for option in lamps.definition.categories]
    revised = lamps.definition.__class__(name=lamps.definition.name, categories=options, public_resolution=11)
    revise_topic(topic_id=lamps.pk, definition=revised, actor_id=None, now=NOW)
    app.files._known = app.files._known._replace(until=0.0)
    answer = get(app)
    assert answer.headers["etag"] != tag
    assert {row["category_name"] for row in rows(answer)} == {"Renamed"}


def test_a_part_can_be_asked_for(app: LiveApp) -> None:
    whole = get(app, "/data/street-light.parquet")
    part = get(app, "/data/street-light.parquet", range="bytes=-4")
    assert (part.status, part.body) == (206, b"PAR1")
    assert whole.headers["accept-ranges"] == "bytes"
    other = get(app, "/data/street-light.parquet", range="bytes=-4", if_range='"another"')
    assert other.body == whole.body


# ------------------------------------------------------------------ what a file must not tell


def test_counts_alone_are_told_only_as_drawn(site: Options, here: None) -> None:
    topic = make.make_topic("harassment", publishes=Publishes.COUNTS, smallest_count=5, public_resolution=8)
    for _ in range(7):
        publish(topic, categories=["first"])
    publish(topic, categories=["second"])
    app = LiveApp(site)
    assert rows(get(app, "/data/harassment.csv")) == []
    while count_batch(NOW + timedelta(days=20)):
        pass
    fresh(app)
    (row,) = rows(get(app, "/data/harassment.csv"))
    assert (row["category"], row["reports"], row["resolution"]) == ("first", "7", "8")
    assert (row["period_start"], row["period_end"]) == ("2026-03-01", "2026-03-31")
    # One is too few to be told of, in any way.
    assert Term.objects.get().untold == 1
    assert rows(get(app, "/data/harassment.csv", "category=second")) == []
    assert rows(get(app, "/data/harassment.csv", "since=2026-03-02&until=2026-03-30")) == []


def test_every_answer_is_a_sum_over_buckets(app: LiveApp, lamps: Topic) -> None:
    def published(**wanted: Any) -> int:
        return queries.totals(queries.buckets(lamps.pk, **wanted)).total

    buckets = Bucket.objects.filter(topic_id=lamps.pk)
    assert len(rows(get(app))) == buckets.count()
    for category in ("first", "second"):
        assert total(get(app, query=f"category={category}")) == published(category=category)
    start = buckets.earliest("period").period
    assert total(get(app, query="until=2026-03-20")) == published(until=start + 10)
    # What was counted but not published singly or drawn is in no bucket, and in no file.
    Counted.objects.create(
        publication_id=10**9, topic_id=lamps.pk, category="first", cell=1, period=start, is_single=False
    )
    fresh(app)
    assert total(get(app)) == 4
