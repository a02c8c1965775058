"""What members see of sealed dialogues, and that nobody else sees anything."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from commonbeat.journal.models import Entry
from commonbeat.people.models import Role, User
from commonbeat.tips import queries, sealing
from commonbeat.tips.actions import dialogue, membership, submitting, uploading
from commonbeat.tips.models import DeskKind, Tip, TipFile, TipState, TipText
from commonbeat.web.desk.tips_count import tips_waiting
from tests import make
from tests.make import NOW
from tests.tips.desks import TEXT, desk_with, seat, tip_at
from tests.web.desk.sealed import address, unlock, unlocked

pytestmark = pytest.mark.django_db
PICTURE = bytes(range(256)) * 300


def tip_with_file(desk: Any, *, name: str = "lorry.jpg", content: bytes = PICTURE) -> tuple[Tip, str]:
    """Give a tip with a file, as the plain form makes it."""
    prepared = sealing.prepare(desk_id=desk.pk)
    writer = uploading.SealingWriter(prepared)
    for start in range(0, len(content), 40_000):
        writer.write(content[start : start + 40_000])
    done = submitting.submit_text(desk_id=desk.pk, text=TEXT, now=NOW, prepared=prepared, files=[writer.finish(name)])
    return done.tip, done.receipt


def pages_of(desk: Any, tip: Tip, file_id: int) -> list[str]:
    """List every address of a desk that shows something."""
    of_tip = {"tip_id": tip.pk}
    return [
        *(address(desk, name) for name in ("desk", "unlock", "enrol", "key", "recover", "members")),
        address(desk, "tip", **of_tip),
        address(desk, "file", **of_tip, file_id=file_id),
    ]


def forms_of(desk: Any, tip: Tip, member_id: int) -> list[str]:
    """List every address of a desk that changes something."""
    return [
        *(address(desk, name) for name in ("unlock", "lock", "stay", "enrol", "recover")),
        *(address(desk, "key_act", verb=verb) for verb in ("confirm", "renew", "passphrase", "leave")),
        *(address(desk, "act", tip_id=tip.pk, verb=verb) for verb in ("answer", "close", "recuse")),
        address(desk, "admit", member_id=member_id),
    ]


@pytest.mark.parametrize("kind", [DeskKind.TIPS, DeskKind.COMPLAINTS])
def test_nobody_else_sees_or_does_anything(kind: str) -> None:
    desk, (one, other) = desk_with(2, kind=kind)
    tip, _receipt = tip_with_file(desk)
    far, (far_one, _far_other) = desk_with(2, kind=kind)
    fitting = Role.OFFICER if kind == DeskKind.TIPS else Role.OVERSEER
    journal = Entry.objects.count()
    strangers = {role: make.signed_in(make.make_user(role=role)) for role in Role}
    strangers["far"] = unlocked(far_one, far)  # type: ignore[index]  # beside the roles
    assert far.pk != desk.pk
    for who, client in strangers.items():
        expected = 404 if who in (fitting, "far") or (kind == DeskKind.TIPS and who == Role.SUPERVISOR) else 403
        for page in pages_of(desk, tip, TipFile.objects.get().number):
            answer = client.get(page)
            assert answer.status_code == expected, (who, page)
            assert TEXT not in answer.content.decode()
        for page in forms_of(desk, tip, other.member.pk):
            posted = {"text": "x", "outcome": "used", "passphrase": "x", "sure": "yes", "member": one.member.pk}
            assert client.post(page, posted).status_code == expected, (who, page)
    for page in pages_of(desk, tip, TipFile.objects.get().number):
        assert Client().get(page)["Location"].startswith("/account/login/")
    tip.refresh_from_db()
    assert (tip.state, tip.news_for_desk) == (TipState.OPEN, True)
    assert Entry.objects.count() == journal
    assert not TipText.objects.filter(direction="to_source").exists()


def test_a_desk_of_the_other_kind_is_nowhere(supervisor: User) -> None:
    tips, (one, _other) = desk_with(2)
    complaints, (overseer, _more) = desk_with(2, kind=DeskKind.COMPLAINTS)
    # The numbers of the other kind's desks, under the addresses of one's own.
    for seated, own, foreign in ((one, tips, complaints), (overseer, complaints, tips)):
        client = unlocked(seated, own)
        for name in ("desk", "unlock", "key", "members"):
            page = address(own, name).replace(f"/{own.pk}/", f"/{foreign.pk}/")
            assert client.get(page).status_code == 404
    police = make.signed_in(supervisor)
    for page in ("/oversight/complaints/", "/oversight/complaint-desks/", "/oversight/escrow/"):
        assert police.get(page).status_code == 403
    tip_at(complaints)
    assert tips_waiting(supervisor) is None
    assert "omplaint" not in police.get("/desk/reports/").content.decode()


def test_not_even_a_member_reaches_a_desk_by_the_addresses_of_the_other_kind(monkeypatch: pytest.MonkeyPatch) -> None:
    desk, (one, _other) = desk_with(2, kind=DeskKind.COMPLAINTS)
    # As if a role could be in both kinds.
    monkeypatch.setattr(queries, "may_be_member", lambda _user, _desk: True)
    User.objects.filter(pk=one.user.pk).update(role=Role.OFFICER)
    client = make.signed_in(User.objects.get(pk=one.user.pk))
    for name in ("", "unlock/", "key/", "members/"):
        assert client.get(f"/desk/tips/{desk.pk}/{name}").status_code == 404


def test_who_has_left_or_lost_the_role_sees_nothing_at_once() -> None:
    desk, (one, other, third) = desk_with(3)
    tip, _receipt = tip_at(desk)
    client, second = unlocked(third, desk), unlocked(other, desk)
    page = address(desk, "tip", tip_id=tip.pk)
    assert TEXT in client.get(page).content.decode()
    assert TEXT in second.get(page).content.decode()
    membership.remove_member(member_id=third.member.pk, actor=third.user, now=NOW)
    assert client.get(page).status_code == 404
    # Before the worker has ended the membership.
    User.objects.filter(pk=other.user.pk).update(role=Role.MODERATOR)
    assert second.get(page).status_code == 403
    assert tips_waiting(User.objects.get(pk=other.user.pk)) is None
    User.objects.filter(pk=one.user.pk).update(is_active=False)
    assert unlock(make.signed_in(one.user), desk).status_code in (302, 403)


def test_named_and_not_let_in_yet_sees_no_number(administrator: User) -> None:
    desk, _seats = desk_with(2)
    tip, _receipt = tip_at(desk)
    user = make.make_user(role=Role.OFFICER)
    member = membership.name_member(desk_id=desk.pk, user_id=user.pk, actor=administrator, now=NOW)
    client = make.signed_in(user)
    assert client.get(address(desk, "desk"))["Location"] == address(desk, "enrol")
    member.public, member.by_passphrase = b"p" * 32, b"w"
    member.save()
    text = client.get(address(desk, "desk")).content.decode()
    assert "not let in yet" in text
    assert address(desk, "tip", tip_id=tip.pk) not in text
    for page in ("members", "tip"):
        numbers = {"tip_id": tip.pk} if page == "tip" else {}
        assert client.get(address(desk, page, **numbers)).status_code == 404


def test_the_list_tells_numbers_and_days_and_not_a_word() -> None:
    desk, (one, _other) = desk_with(2)
    tip, _receipt = tip_with_file(desk)
    again, _more = tip_at(desk)
    client = unlocked(one, desk)
    text = client.get(address(desk, "desk")).content.decode()
    assert "1 more begins with the same words" in text
    assert f"Tip {tip.pk}" in text and f"Tip {again.pk}" not in text
    assert "1 file" in text
    assert "lorry" not in text
    assert f"Tip {again.pk}" in client.get(address(desk, "desk") + f"?copies_of={tip.pk}").content.decode()
    assert tips_waiting(one.user) == 1
    assert "Tips (1)" in text
    client.get(address(desk, "tip", tip_id=tip.pk))
    text = client.get(address(desk, "desk")).content.decode()
    assert "Tips (" not in text
    dialogue.ask_as_member(tip_id=tip.pk, member_id=one.member.pk, user=one.user, text="Which mill?", now=NOW)
    assert f"Tip {tip.pk}" not in client.get(address(desk, "desk")).content.decode()
    assert f"Tip {tip.pk}" in client.get(address(desk, "desk") + "?state=answered").content.decode()
    assert client.get(address(desk, "desk") + "?state=nonsense").status_code == 404


def test_the_number_of_queries_does_not_grow(django_assert_max_num_queries: Any) -> None:
    desk, (one, _other) = desk_with(2)
    client = unlocked(one, desk)
    for number in range(2):
        tip_at(desk, f"Tip {number}")
    with django_assert_max_num_queries(30) as few:
        client.get(address(desk, "desk"))
    for number in range(12):
        tip_at(desk, f"Another {number}")
    with django_assert_max_num_queries(len(few)):
        client.get(address(desk, "desk"))


def test_a_member_reads_answers_and_closes() -> None:
    desk, (one, other) = desk_with(2)
    tip, receipt = tip_at(desk)
    client = unlocked(one, desk)
    page = address(desk, "tip", tip_id=tip.pk)
    text = client.get(page).content.decode()
    assert TEXT in text
    entry = Entry.objects.get(kind="tips.opened")
    assert (entry.subject_id, entry.actor_id) == (tip.pk, one.user.pk)
    assert client.post(address(desk, "act", tip_id=tip.pk, verb="answer"), {"text": " "}).status_code == 422
    answer = client.post(address(desk, "act", tip_id=tip.pk, verb="answer"), {"text": "Which mill?\r\nAnd when?"})
    assert answer["Location"] == page
    opened = dialogue.read_as_source(receipt=receipt)
    assert [line.text for line in opened.texts] == [TEXT, "Which mill?\nAnd when?"]
    dialogue.answer_by_receipt(receipt=receipt, text="The old one, on Thursdays.", now=NOW)
    assert "The old one, on Thursdays." in unlocked(other, desk).get(page).content.decode()
    assert client.post(address(desk, "act", tip_id=tip.pk, verb="close"), {"outcome": "upheld"}).status_code == 422
    client.post(address(desk, "act", tip_id=tip.pk, verb="close"), {"outcome": "used"})
    tip.refresh_from_db()
    assert (tip.state, tip.outcome) == (TipState.CLOSED, "used")
    text = client.get(page).content.decode()
    assert "Deleted on" in text and "Seal and send" not in text
    late = client.post(address(desk, "act", tip_id=tip.pk, verb="answer"), {"text": "Too late."})
    assert late.status_code == 422
    assert "Too late.</textarea>" in late.content.decode()
    assert client.post(address(desk, "act", tip_id=tip.pk, verb="nonsense")).status_code == 404


def test_too_long_an_answer_stays_in_the_form() -> None:
    desk, (one, _other) = desk_with(2)
    tip, _receipt = tip_at(desk)
    answer = unlocked(one, desk).post(
        address(desk, "act", tip_id=tip.pk, verb="answer"), {"text": "word " * 5_000 + "end"}
    )
    assert answer.status_code == 422
    assert "word end</textarea>" in answer.content.decode()
    assert not TipText.objects.filter(direction="to_source").exists()


def test_a_file_goes_out_as_it_came_and_is_shown_nowhere() -> None:
    desk, (one, _other) = desk_with(2)
    tip, _receipt = tip_with_file(desk, name="../na\u202eme\r\nX: y/gpj.exe")
    client = unlocked(one, desk)
    file = TipFile.objects.get()
    answer = client.get(address(desk, "file", tip_id=tip.pk, file_id=file.number))
    assert b"".join(answer.streaming_content) == PICTURE
    assert answer["Content-Type"] == "application/octet-stream"
    assert answer["Content-Disposition"].startswith("attachment; filename=")
    assert not set("\r\n/\u202e") & set(answer["Content-Disposition"])
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert "sandbox" in answer["Content-Security-Policy"]
    assert answer["Cache-Control"] == "no-store"
    assert "<img" not in client.get(address(desk, "tip", tip_id=tip.pk)).content.decode()
    locked = make.signed_in(one.user).get(address(desk, "file", tip_id=tip.pk, file_id=file.number))
    assert PICTURE[:64] not in locked.content
    assert b"Unlock your key" in locked.content
    another, _more = tip_at(desk, "Another one.")
    assert client.get(address(desk, "file", tip_id=another.pk, file_id=file.number)).status_code == 404


def test_a_damaged_file_is_told_and_not_sent(settings: Any) -> None:
    desk, (one, _other) = desk_with(2)
    tip, _receipt = tip_with_file(desk)
    client = unlocked(one, desk)
    file = TipFile.objects.get()
    path = settings.COMMONBEAT.data_dir / "tips" / file.token[:2] / f"{file.token}.sealed"
    sealed = bytearray(path.read_bytes())
    sealed[40] ^= 1
    path.write_bytes(sealed)
    answer = client.get(address(desk, "file", tip_id=tip.pk, file_id=file.number))
    assert answer.status_code == 422
    assert "cannot be opened: it is damaged" in answer.content.decode()


def test_a_tip_that_does_not_open_says_so_and_the_others_do() -> None:
    desk, (one, _other) = desk_with(2)
    tip, _receipt = tip_at(desk)
    key = tip.keys.get(member_id=one.member.pk)
    key.box = bytes(reversed(bytes(key.box)))
    key.save()
    client = unlocked(one, desk)
    answer = client.get(address(desk, "tip", tip_id=tip.pk))
    assert answer.status_code == 422
    assert "cannot be opened with your key" in answer.content.decode()


def test_what_it_is_about_is_linked_for_who_may_see_it(unit: Any, far_unit: Any) -> None:
    desk, (one, other) = desk_with(2)
    User.objects.filter(pk=one.user.pk).update(unit=unit)
    report = make.make_report(unit=unit)
    tip = submitting.submit_text(desk_id=desk.pk, text=TEXT, now=NOW, about=("report", report.pk)).tip
    page = address(desk, "tip", tip_id=tip.pk)
    assert f"/desk/reports/{report.pk}/" in unlocked(one, desk).get(page).content.decode()
    text = unlocked(other, desk).get(page).content.decode()
    assert f"/desk/reports/{report.pk}/" not in text
    assert report.reference not in text
    assert "which you may not see" in text


def test_a_complaint_is_taken_away_from_whom_it_concerns() -> None:
    desk, (one, other, third) = desk_with(3, kind=DeskKind.COMPLAINTS)
    tip, _receipt = tip_at(desk)
    client, second = unlocked(one, desk), unlocked(other, desk)
    page = address(desk, "tip", tip_id=tip.pk)
    assert "Outcome due" in client.get(page).content.decode()
    assert second.get(page).status_code == 200
    assert client.post(address(desk, "act", tip_id=tip.pk, verb="recuse"), {"member": ""}).status_code == 422
    client.post(address(desk, "act", tip_id=tip.pk, verb="recuse"), {"member": other.member.pk})
    assert second.get(page).status_code == 404
    assert client.get(page).status_code == 200
    # Whoever is the only one beside gets a sentence, and whoever came back is not offered again.
    answer = client.post(address(desk, "act", tip_id=tip.pk, verb="recuse"), {"member": third.member.pk})
    assert answer.status_code == 422 and "you alone" in answer.content.decode()
    membership.remove_member(member_id=other.member.pk, actor=other.user, now=NOW)
    back = seat(desk, by=one, user=other.user)
    text = client.get(page).content.decode()
    assert f'value="{third.member.pk}"' in text and f'value="{back.member.pk}"' not in text


def test_home_leads_to_the_only_desk_and_names_several() -> None:
    desk, (one, _other) = desk_with(2)
    client = make.signed_in(one.user)
    assert client.get("/desk/tips/")["Location"] == address(desk, "desk")
    assert "in no desk" in make.signed_in(make.make_user(role=Role.OFFICER)).get("/desk/tips/").content.decode()
