"""What a browser that seals sends: boxes and pieces, taken and given without being read."""

from __future__ import annotations

import base64
import io
from typing import Any

import pytest
from django.db import OperationalError
from django.test import Client

from commonbeat.foundation import clock
from commonbeat.people.models import User
from commonbeat.tips import files, queries, receipts, sealing, texts, tipkeys
from commonbeat.tips.actions import dialogue as talk
from commonbeat.tips.actions import trying
from commonbeat.tips.actions.dialogue import read_as_source
from commonbeat.tips.models import FileState, SealedWhere, Tip, TipDesk, TipFile, TipText
from commonbeat.tips.sealing import SealedTip
from commonbeat.web.public import tip_sealed
from tests.make import NOW
from tests.tips.desks import PASSPHRASE, Seated, desk_with
from tests.web.public.tip_pages import SAID, locked, ticket

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _moment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clock, "now", lambda: NOW)


@pytest.fixture
def desk() -> TipDesk:
    """Give an open desk."""
    return desk_with()[0]


def b64(data: bytes) -> str:
    return base64.b64encode(data).decode()


def sealed_for(desk: TipDesk, text: str = SAID) -> tuple[SealedTip, str]:
    prepared = sealing.prepare(desk_id=desk.pk)
    return sealing.seal_text(prepared, text), prepared.receipt


def body(sealed: SealedTip, **more: Any) -> dict[str, Any]:
    return {
        "ticket": ticket(NOW),
        "trap": "",
        "about": "",
        "uid": b64(sealed.uid),
        "public": b64(sealed.public),
        "source_public": b64(sealed.source_public),
        "look_up": b64(sealed.look_up),
        "members": {uid.hex(): b64(box) for uid, box in sealed.for_members.items()},
        "for_source": b64(sealed.for_source),
        "for_escrow": None,
        "text": b64(sealed.text),
    } | more


def send(client: Client, path: str, what: dict[str, Any]) -> Any:
    return client.post(path, what, content_type="application/json")


@pytest.fixture
def kept(client: Client, desk: TipDesk) -> tuple[Tip, str]:
    """Give a tip that came sealed, and its receipt."""
    sealed, receipt = sealed_for(desk)
    assert send(client, f"/tip/{desk.pk}/sealed", body(sealed)).json() == {"stored": True}
    return Tip.objects.get(), receipt


def look(receipt: str, **more: Any) -> dict[str, Any]:
    return {"look_up": b64(receipts.look_up(receipt))} | more


def test_a_sealed_tip_that_could_not_be_stored_may_be_sent_again(
    client: Client, desk: TipDesk, monkeypatch: pytest.MonkeyPatch
) -> None:
    sent, other = body(sealed_for(desk)[0]), sealed_for(desk)[0]
    with monkeypatch.context() as patch:
        patch.setattr(tip_sealed, "submit_sealed", locked)
        with pytest.raises(OperationalError):
            send(client, f"/tip/{desk.pk}/sealed", sent)
    # Not even by the id: nothing holds the form.
    answer = send(client, f"/tip/{desk.pk}/sealed", body(other, ticket=sent["ticket"]))
    assert answer.json() == {"stored": True}
    assert send(client, f"/tip/{desk.pk}/sealed", sent).status_code == 409
    assert Tip.objects.count() == 1


def test_a_sealed_tip_is_stored_and_opens(client: Client, kept: tuple[Tip, str]) -> None:
    tip, receipt = kept
    assert tip.sealed_where == SealedWhere.BROWSER
    assert [line.text for line in read_as_source(receipt=receipt).texts] == [SAID]
    assert client.cookies.output() == ""


def test_the_same_tip_again_is_the_same_and_another_with_its_form_is_refused(client: Client, desk: TipDesk) -> None:
    sealed, _receipt = sealed_for(desk)
    first = body(sealed)
    for _ in range(2):
        assert send(client, f"/tip/{desk.pk}/sealed", first).status_code == 200
    other, _receipt = sealed_for(desk, "Another.")
    assert send(client, f"/tip/{desk.pk}/sealed", body(other, ticket=first["ticket"])).status_code == 409
    assert Tip.objects.count() == 1


@pytest.mark.parametrize(
    ("more", "status"),
    [
        ({"trap": "x"}, 422),
        ({"ticket": "nonsense"}, 422),
        ({"text": b64(b"short")}, 422),
        ({"members": {}}, 422),
        ({"members": {"no": b64(b"x")}}, 400),
        ({"uid": "%"}, 400),
        ({"look_up": b64(b"x" * 31)}, 422),
    ],
)
def test_what_is_not_sealed_as_it_must_be_is_refused(
    client: Client, desk: TipDesk, more: dict[str, Any], status: int
) -> None:
    answer = send(client, f"/tip/{desk.pk}/sealed", body(sealed_for(desk)[0], **more))
    assert answer.status_code == status and answer.json()["problem"]
    assert Tip.objects.count() == 0


def test_a_full_desk_and_a_closed_one_refuse(client: Client) -> None:
    desk = desk_with(intake_cap=1)[0]
    assert send(client, f"/tip/{desk.pk}/sealed", body(sealed_for(desk)[0])).status_code == 200
    full = send(client, f"/tip/{desk.pk}/sealed", body(sealed_for(desk)[0], ticket=ticket(NOW, age=99)))
    assert full.status_code == 503 and "as many tips today" in full.json()["problem"]
    TipDesk.objects.update(is_open=False)
    assert send(client, f"/tip/{desk.pk}/sealed", body(sealed_for(desk)[0])).status_code == 404


def test_the_boxes_open_with_the_receipt_alone(client: Client, desk: TipDesk, kept: tuple[Tip, str]) -> None:
    _tip, receipt = kept
    said = send(client, "/tip/dialogue/boxes", look(receipt)).json()
    own = receipts.source_pair(receipt)
    public, uid = base64.b64decode(said["public"]), base64.b64decode(said["uid"])
    key = tipkeys.open_as_source(base64.b64decode(said["key_box"]), tip=uid, own=own, tip_public=public)
    text = texts.open_to_desk(base64.b64decode(said["texts"][0]["box"]), tip=uid, number=0, tip_key=key)
    assert text == SAID and said["next_text"] == 1 and not said["by_server"]
    assert SAID not in str(said)


def test_looking_clears_what_was_new(client: Client, kept: tuple[Tip, str]) -> None:
    tip, receipt = kept
    seat = _seat(tip)
    talk.ask_as_member(tip_id=tip.pk, member_id=seat.member.pk, user=seat.user, text="When?", now=NOW)
    assert send(client, "/tip/dialogue/boxes", look(receipt)).json()["news"]
    assert not send(client, "/tip/dialogue/boxes", look(receipt)).json()["news"]


def _seat(tip: Tip) -> Seated:
    member = queries.members_in(tip.desk_id)[0]
    return Seated(User.objects.get(pk=member.user_id), member, queries.unlock(member, PASSPHRASE), "")


def test_an_answer_is_taken_under_its_number(client: Client, kept: tuple[Tip, str]) -> None:
    tip, receipt = kept
    box = texts.seal_to_desk("The first.", tip=bytes(tip.uid), number=1, tip_public=bytes(tip.public))
    wrong = send(client, "/tip/dialogue/answer", look(receipt, text=b64(box), number=0))
    assert (wrong.status_code, wrong.json()["expected"]) == (409, 1)
    assert send(client, "/tip/dialogue/answer", look(receipt, text=b64(box), number=1)).status_code == 200
    assert [line.text for line in read_as_source(receipt=receipt).texts] == [SAID, "The first."]


def test_a_file_comes_in_pieces_goes_on_after_a_cut_and_is_given_sealed(client: Client, kept: tuple[Tip, str]) -> None:
    tip, receipt = kept
    uid, public, key = bytes(tip.uid), bytes(tip.public), files.new_file_key()
    content, target = bytes(range(256)) * 700, io.BytesIO()
    files.seal_file(io.BytesIO(content), target, key, tip=uid, number=0)
    whole = target.getvalue()
    box = files.seal_file_key(key, "lorry.png", tip=uid, number=0, tip_public=public)
    wrong = send(client, "/tip/dialogue/upload", look(receipt, number=3, key_box=b64(box)))
    assert (wrong.status_code, wrong.json()["expected"]) == (409, 0)
    begun = send(client, "/tip/dialogue/upload", look(receipt, number=0, key_box=b64(box))).json()
    own = {"Tip-File": str(begun["file"]), "Tip-Secret": begun["secret"]}

    def piece(data: bytes, **more: object) -> Any:
        headers = own | {f"Tip-{name}": str(value) for name, value in more.items()}
        return client.post("/tip/dialogue/piece", data, content_type="application/octet-stream", headers=headers)

    assert piece(whole[:70_000], Offset=0).json() == {"offset": 70_000}
    # The answer was lost: the same piece again tells where to go on, and so does asking.
    again = piece(whole[:70_000], Offset=0)
    assert (again.status_code, again.json()["expected"]) == (409, 70_000)
    assert piece(b"").json() == {"offset": 70_000}
    assert piece(b"", Length=len(whole)).status_code == 409
    assert piece(whole[70_000:], Offset=70000).json() == {"offset": len(whole)}
    assert piece(b"", Length=len(whole)).status_code == 200
    file = TipFile.objects.get()
    assert file.state == FileState.WHOLE
    given = send(client, "/tip/dialogue/sealed-file", look(receipt, file=file.pk))
    assert b"".join(given.streaming_content) == whole
    sealed, other = sealed_for(tip.desk, "Another.")
    assert send(client, f"/tip/{tip.desk_id}/sealed", body(sealed)).status_code == 200
    assert send(client, "/tip/dialogue/sealed-file", look(other, file=file.pk)).status_code == 404


def test_a_piece_without_its_secret_or_too_large_is_refused(client: Client, kept: tuple[Tip, str]) -> None:
    tip, receipt = kept
    box = files.seal_file_key(files.new_file_key(), "a", tip=bytes(tip.uid), number=0, tip_public=bytes(tip.public))
    begun = send(client, "/tip/dialogue/upload", look(receipt, number=0, key_box=b64(box))).json()

    def piece(data: bytes, file: object, secret: str) -> int:
        headers = {"Tip-File": str(file), "Tip-Secret": secret, "Tip-Offset": "0"}
        kind = "application/octet-stream"
        return client.post("/tip/dialogue/piece", data, content_type=kind, headers=headers).status_code

    assert piece(b"x", begun["file"], "A" * 43 + "=") == 404
    assert piece(b"x", 0, begun["secret"]) == 404
    assert piece(b"x", "", begun["secret"]) == 400
    assert piece(bytes(4 * 1024 * 1024 + 1), begun["file"], begun["secret"]) == 413
    assert TipFile.objects.get().received == 0


def test_its_source_can_delete_it(client: Client, kept: tuple[Tip, str]) -> None:
    answer = send(client, "/tip/dialogue/delete", look(kept[1]))
    assert answer.json() == {"deleted": True} and answer.headers["Clear-Site-Data"] == '"cache"'
    assert Tip.objects.count() == 0
    assert send(client, "/tip/dialogue/boxes", look(kept[1])).status_code == 404


def test_an_outsider_gets_nothing_and_is_slowed_down(
    client: Client, kept: tuple[Tip, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    wrong = receipts.new_receipt()
    for path in ("boxes", "answer", "delete", "sealed-file", "upload"):
        answer = send(client, f"/tip/dialogue/{path}", look(wrong))
        assert answer.status_code == 404 and set(answer.json()) == {"problem"}
        assert send(client, f"/tip/dialogue/{path}", {"look_up": b64(b"short")}).status_code == 400
        assert client.post(f"/tip/dialogue/{path}", "{", content_type="application/json").status_code == 400
        assert client.get(f"/tip/dialogue/{path}").status_code == 405
    monkeypatch.setattr(trying, "MOST_WRONG", 1)
    assert send(client, "/tip/dialogue/boxes", look(wrong)).status_code == 429
    assert TipText.objects.count() == 1
