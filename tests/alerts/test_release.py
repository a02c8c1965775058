"""Compose, release by one or two, correct, extend, cancel, end: each once, and by whom it may be."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from commonbeat.alerts.actions.drafts import Drawn, Words, change_draft, compose_draft, discard_draft
from commonbeat.alerts.actions.follow import cancel_alert, end_alert, expire_alerts, extend, update_alert
from commonbeat.alerts.actions.release import ask_second, release, release_alone
from commonbeat.alerts.actions.sightings import tie_sighting
from commonbeat.alerts.errors import AlertError, MovedOn, NeedsSecond, NotAllowed
from commonbeat.alerts.models import Alert, AlertState, FanOut, MsgType
from commonbeat.journal.models import Entry
from commonbeat.people.models import Role
from tests.alerts.going_out import WORDS, alert_out, draft_of, urgent
from tests.make import NOW, make_beat, make_user, square

pytestmark = pytest.mark.django_db
SOON = NOW + timedelta(seconds=30)
LATER = NOW + timedelta(minutes=2)


def kinds_of_entries() -> list[str]:
    return list(Entry.objects.filter(kind__startswith="alerts.").order_by("id").values_list("kind", flat=True))


def test_one_person_may_release_what_is_not_pressing(officer) -> None:
    alert = alert_out(officer)
    assert (alert.state, alert.released_by, alert.alone_reason) == (AlertState.RELEASED, officer, "")
    assert alert.is_active(NOW)
    assert FanOut.objects.get().alert == alert
    assert kinds_of_entries() == ["alerts.drafted", "alerts.released"]
    assert Entry.objects.get(kind="alerts.released").data["by"] == "one"


def test_who_wrote_something_pressing_cannot_release_it(officer, second_officer) -> None:
    alert = compose_draft(draft=urgent(), actor=officer, now=NOW)
    with pytest.raises(NeedsSecond):
        release(alert_id=alert.pk, actor=officer, now=NOW)
    assert ask_second(alert_id=alert.pk, actor=officer, now=NOW).state == AlertState.WAITING
    with pytest.raises(NeedsSecond):
        release(alert_id=alert.pk, actor=officer, now=LATER)
    assert not FanOut.objects.exists()
    assert release(alert_id=alert.pk, actor=second_officer, now=SOON).released_by == second_officer
    assert Entry.objects.get(kind="alerts.released").data["by"] == "two"


def test_a_supervisor_of_another_unit_may_be_the_second(officer, far_unit) -> None:
    alert = compose_draft(draft=urgent(), actor=officer, now=NOW)
    other = make_user("other-supervisor", role=Role.SUPERVISOR, unit=far_unit)
    assert release(alert_id=alert.pk, actor=other, now=NOW).released_by == other


def test_whoever_changes_a_draft_is_its_author(officer, second_officer) -> None:
    alert = compose_draft(draft=urgent(), actor=officer, now=NOW)
    ask_second(alert_id=alert.pk, actor=officer, now=NOW)
    changed = change_draft(alert_id=alert.pk, draft=urgent(certainty="Likely"), actor=second_officer, now=SOON)
    # It waits no more: nobody has read it as it is now.
    assert (changed.state, changed.asked_at, changed.author) == (AlertState.DRAFT, None, second_officer)
    with pytest.raises(NeedsSecond):
        release(alert_id=alert.pk, actor=second_officer, now=SOON)
    assert release(alert_id=alert.pk, actor=officer, now=SOON).certainty == "Likely"


def test_alone_is_for_when_nobody_answers_and_says_why(officer) -> None:
    alert = compose_draft(draft=urgent(), actor=officer, now=NOW)
    with pytest.raises(AlertError, match="Ask for a second person first"):
        release_alone(alert_id=alert.pk, reason="Nobody is here.", actor=officer, now=LATER)
    ask_second(alert_id=alert.pk, actor=officer, now=NOW)
    # Asking again does not begin the minute anew, and does not shorten it.
    ask_second(alert_id=alert.pk, actor=officer, now=SOON)
    with pytest.raises(AlertError, match="a minute"):
        release_alone(alert_id=alert.pk, reason="Nobody is here.", actor=officer, now=SOON)
    with pytest.raises(AlertError, match="why"):
        release_alone(alert_id=alert.pk, reason=" \n", actor=officer, now=LATER)
    done = release_alone(alert_id=alert.pk, reason="Nobody is here.", actor=officer, now=NOW + timedelta(minutes=1))
    assert (done.state, done.alone_reason) == (AlertState.RELEASED, "Nobody is here.")
    assert kinds_of_entries()[-2:] == ["alerts.released", "alerts.released_alone"]
    # The reason is the officer's own text, and stands in no journal.
    assert all("Nobody" not in str(entry.data) for entry in Entry.objects.all())


def test_releasing_twice_is_refused(officer, second_officer) -> None:
    alert = alert_out(officer)
    with pytest.raises(MovedOn, match="out already"):
        release(alert_id=alert.pk, actor=second_officer, now=LATER)
    with pytest.raises(MovedOn):
        change_draft(alert_id=alert.pk, draft=draft_of(), actor=officer, now=LATER)
    with pytest.raises(MovedOn):
        discard_draft(alert_id=alert.pk, actor=officer, now=LATER)
    assert FanOut.objects.count() == 1


def test_what_was_thrown_away_goes_nowhere(officer) -> None:
    alert = compose_draft(draft=draft_of(), actor=officer, now=NOW)
    discard_draft(alert_id=alert.pk, actor=officer, now=NOW)
    with pytest.raises(MovedOn, match="thrown away"):
        release(alert_id=alert.pk, actor=officer, now=NOW)


def test_outsiders_and_others_may_nothing(officer, far_officer, outsider, moderator, overseer, administrator) -> None:
    for nobody in (outsider, moderator, overseer, administrator):
        with pytest.raises(NotAllowed):
            compose_draft(draft=draft_of(), actor=nobody, now=NOW)
    draft, out = compose_draft(draft=urgent(), actor=officer, now=NOW), alert_out(officer)
    for nobody in (outsider, far_officer, moderator, overseer, administrator):
        for act in (ask_second, release, discard_draft):
            with pytest.raises(NotAllowed):
                act(alert_id=draft.pk, actor=nobody, now=NOW)
        with pytest.raises(NotAllowed):
            cancel_alert(alert_id=out.pk, actor=nobody, now=NOW)
    assert not Alert.objects.visible_to(far_officer).filter(pk=draft.pk).exists()
    assert Alert.objects.visible_to(None).get() == out


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"hours": -1}, "expires_at"),
        ({"hours": 0}, "expires_at"),
        ({"hours": 24 * 31}, "expires_at"),
        ({"kind": "tsunami"}, "kind"),
        ({"severity": "Dreadful"}, "severity"),
        ({"status": "System"}, "status"),
        ({"onset": NOW + timedelta(days=3)}, "onset"),
        ({"drawn": Drawn()}, "area"),
        ({"drawn": Drawn(beats=[4711])}, "area"),
        ({"drawn": Drawn(circles=[(42.0, 20.0, -5)])}, "area"),
        ({"drawn": Drawn(polygons=[square(48, 10, 8)])}, "area"),
        ({"texts": {"en": Words("The same", "The same", "Here")}}, "description_en"),
    ],
)
def test_what_cannot_be_an_alert_is_refused_and_not_half_stored(officer, changes, field) -> None:
    with pytest.raises(AlertError) as refused:
        compose_draft(draft=draft_of(**changes), actor=officer, now=NOW)
    assert refused.value.field == field
    assert not Alert.objects.exists()


def test_a_continent_is_asked_twice(officer) -> None:
    large = draft_of(drawn=Drawn(polygons=[square(48, 10, 8)]), is_large_meant=True)
    assert compose_draft(draft=large, actor=officer, now=NOW).north == 56


def test_an_area_is_made_of_all_that_was_drawn(officer, unit) -> None:
    beat = make_beat(unit=unit, latitude=43.5)
    drawn = Drawn(polygons=[square(half=0.01)], circles=[(42.9, 20.5, 700)], beats=[beat.pk])
    alert = compose_draft(draft=draft_of(drawn=drawn), actor=officer, now=NOW)
    assert alert.area["type"] == "MultiPolygon" and len(alert.area["coordinates"]) == 3
    assert alert.area_parts["beats"] == [beat.pk]
    assert alert.south == pytest.approx(42.37) and alert.north == pytest.approx(43.55)


@pytest.mark.parametrize(
    ("texts", "field"),
    [
        ({}, "headline_en"),
        ({"sq": WORDS["sq"]}, "headline_en"),
        ({"en": replace(WORDS["en"], area_desc="")}, "area_desc_en"),
        ({"en": WORDS["en"], "sq": replace(WORDS["sq"], headline="")}, "headline_sq"),
        ({"en": replace(WORDS["en"], instruction="Go to {place}.")}, "instruction_en"),
    ],
)
def test_nothing_goes_out_with_a_gap_in_it(officer, texts, field) -> None:
    alert = compose_draft(draft=draft_of(texts=texts), actor=officer, now=NOW)
    with pytest.raises(AlertError) as refused:
        release(alert_id=alert.pk, actor=officer, now=NOW)
    assert refused.value.field == field
    assert not FanOut.objects.exists()


def test_a_draft_whose_end_has_passed_meanwhile_is_refused(officer) -> None:
    alert = compose_draft(draft=draft_of(hours=1), actor=officer, now=NOW)
    with pytest.raises(AlertError) as refused:
        release(alert_id=alert.pk, actor=officer, now=NOW + timedelta(hours=1))
    assert refused.value.field == "expires_at"


# ------------------------------------------------------------------ what follows


def test_a_correction_is_a_message_of_its_own(officer) -> None:
    alert = alert_out(officer)
    first = update_alert(alert_id=alert.pk, draft=draft_of(severity="Minor"), actor=officer, now=LATER)
    second = extend(alert_id=alert.pk, expires_at=NOW + timedelta(hours=30), actor=officer, now=LATER)
    assert (first.msg_type, first.root, first.previous) == (MsgType.UPDATE, alert, alert)
    assert (second.root, second.previous, second.severity) == (alert, first, "Minor")
    assert second.expires_at == NOW + timedelta(hours=30)
    assert {text.headline for text in second.texts.all()} == {words.headline for words in WORDS.values()}
    assert len({alert.identifier, first.identifier, second.identifier}) == 3


def test_a_correction_that_is_pressing_waits_for_a_second_person(officer, second_officer) -> None:
    alert = alert_out(officer)
    worse = update_alert(alert_id=alert.pk, draft=urgent(kind="water"), actor=officer, now=SOON)
    assert worse.state == AlertState.WAITING
    assert not FanOut.objects.filter(alert=worse).exists()
    with pytest.raises(NeedsSecond):
        release(alert_id=worse.pk, actor=officer, now=SOON)
    assert release(alert_id=worse.pk, actor=second_officer, now=SOON).state == AlertState.RELEASED
    assert kinds_of_entries()[-1] == "alerts.updated"


def test_a_correction_that_was_overtaken_is_refused(officer, second_officer) -> None:
    alert = alert_out(officer)
    worse = update_alert(alert_id=alert.pk, draft=urgent(kind="water"), actor=officer, now=SOON)
    extend(alert_id=alert.pk, expires_at=NOW + timedelta(hours=30), actor=officer, now=SOON)
    with pytest.raises(MovedOn, match="Somebody else"):
        release(alert_id=worse.pk, actor=second_officer, now=LATER)


def test_an_alert_does_not_become_a_test(officer) -> None:
    alert = alert_out(officer)
    with pytest.raises(AlertError, match="test"):
        update_alert(alert_id=alert.pk, draft=draft_of(status="Test"), actor=officer, now=LATER)


@pytest.mark.parametrize("is_cancel", [True, False])
def test_it_ends_once(officer, second_officer, is_cancel) -> None:
    alert = alert_out(officer, draft=urgent(), second=second_officer)
    if is_cancel:
        end = cancel_alert(alert_id=alert.pk, actor=officer, now=LATER)
    else:
        end = end_alert(alert_id=alert.pk, outcome="found_safe", actor=officer, now=LATER)
    alert.refresh_from_db()
    assert (end.msg_type, end.state, end.previous) == (MsgType.CANCEL, AlertState.RELEASED, alert)
    assert (alert.ended_at, alert.outcome) == (LATER, "mistake" if is_cancel else "found_safe")
    assert not alert.is_active(LATER)
    for again in (
        lambda: cancel_alert(alert_id=alert.pk, actor=second_officer, now=LATER),
        lambda: end_alert(alert_id=end.pk, outcome="over", actor=officer, now=LATER),
        lambda: extend(alert_id=alert.pk, expires_at=NOW + timedelta(hours=9), actor=officer, now=LATER),
        lambda: update_alert(alert_id=alert.pk, draft=draft_of(), actor=officer, now=LATER),
    ):
        with pytest.raises(MovedOn, match="ended already"):
            again()
    assert Alert.objects.count() == 2


def test_a_draft_cannot_be_ended_and_an_outcome_is_one_of_the_list(officer) -> None:
    draft = compose_draft(draft=draft_of(), actor=officer, now=NOW)
    with pytest.raises(MovedOn, match="not gone out"):
        cancel_alert(alert_id=draft.pk, actor=officer, now=NOW)
    alert = alert_out(officer)
    with pytest.raises(AlertError):
        end_alert(alert_id=alert.pk, outcome="expired", actor=officer, now=NOW)


def test_an_officer_may_write_the_last_words(officer) -> None:
    alert = alert_out(officer)
    words = {"en": Words("Water is back", "The pipe has been mended.", "Old town")}
    end = end_alert(alert_id=alert.pk, outcome="solved", actor=officer, texts=words, now=LATER)
    assert end.texts.get().headline == "Water is back"


def test_time_ends_an_alert_once(officer) -> None:
    alert = alert_out(officer, draft=draft_of(hours=1))
    longer = alert_out(officer, draft=draft_of(hours=1))
    extend(alert_id=longer.pk, expires_at=NOW + timedelta(hours=5), actor=officer, now=NOW)
    assert expire_alerts(now=NOW + timedelta(minutes=59)) == 0
    over = NOW + timedelta(hours=2)
    assert expire_alerts(now=over) == 1
    assert expire_alerts(now=over) == 0
    alert.refresh_from_db()
    assert (alert.outcome, alert.ended_at) == ("expired", NOW + timedelta(hours=1))
    with pytest.raises(MovedOn):
        extend(alert_id=alert.pk, expires_at=NOW + timedelta(hours=9), actor=officer, now=over)
    # Its time is over, and the loop has not come by yet.
    with pytest.raises(MovedOn, match="expired"):
        cancel_alert(alert_id=longer.pk, actor=officer, now=NOW + timedelta(hours=5))
    # Nobody is written to.
    assert FanOut.objects.count() == 3


def test_a_report_is_tied_once_and_only_to_what_is_out(officer) -> None:
    alert, draft = alert_out(officer), compose_draft(draft=draft_of(), actor=officer, now=NOW)
    assert tie_sighting(alert_id=alert.pk, report_id=7, now=NOW)
    assert not tie_sighting(alert_id=alert.pk, report_id=7, now=NOW)
    assert not tie_sighting(alert_id=draft.pk, report_id=8, now=NOW)
    assert alert.sightings.count() == 1
