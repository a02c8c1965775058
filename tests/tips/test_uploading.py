"""Files come in pieces, break off and go on; only sealed bytes touch the disk."""

from __future__ import annotations

import io
import os
import secrets
import signal
import subprocess
import sys
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings

from commonbeat.tips import dialogue_queries, files, queries, rules, sealing, store
from commonbeat.tips.actions import dialogue, ending, submitting, uploading
from commonbeat.tips.errors import BrokenOff, DialogueOver, TipError, TooLarge, TooMany, Unopenable, WrongOffset
from commonbeat.tips.models import FileState, Tip, TipFile
from tests.make import NOW
from tests.tips.desks import desk_with, tip_at

pytestmark = pytest.mark.django_db
CONTENT = secrets.token_bytes(300_000)


def path_of(file: TipFile) -> Path:
    return store.path_of(file.token, data_dir=settings.COMMONBEAT.data_dir)


def uploaded(tip: Tip, content: bytes = CONTENT, *, piece: int = 70_001, now: datetime = NOW) -> TipFile:
    up = uploading.begin(tip_id=tip.pk, name="mill.jpg", now=NOW)
    for at in range(0, len(content), piece):
        uploading.append(file_id=up.file_id, secret=up.secret, offset=at, data=content[at : at + piece])
    return uploading.finish(file_id=up.file_id, secret=up.secret, length=len(content), now=now)


@pytest.mark.parametrize("size", [0, 1, 65_532, 65_533, 300_000])
def test_what_comes_in_pieces_is_read_whole_by_a_member(size: int) -> None:
    desk, (one, _other) = desk_with()
    tip, _receipt = tip_at(desk)
    file = uploaded(tip, CONTENT[:size])
    assert file.state == FileState.WHOLE
    assert file.size_class == files.sealed_length(size) == path_of(file).stat().st_size
    opened = dialogue.open_tip(tip_id=tip.pk, member_id=one.member.pk, user=one.user, pair=one.pair, now=NOW)
    line = opened.files[0]
    assert (line.name, line.is_whole, line.size) == ("mill.jpg", True, file.stored)
    assert line.key is not None
    assert b"".join(dialogue_queries.file_blocks(file, line.key)) == CONTENT[:size]


def test_a_piece_twice_or_out_of_turn_says_where_to_go_on() -> None:
    desk, _seats = desk_with()
    tip, _receipt = tip_at(desk)
    up = uploading.begin(tip_id=tip.pk, name="a", now=NOW)
    own: dict[str, Any] = {"file_id": up.file_id, "secret": up.secret}
    assert uploading.append(**own, offset=0, data=b"x" * 100_000) == 100_000
    for offset in (0, 99_999, 100_001):
        with pytest.raises(WrongOffset) as wrong:
            uploading.append(**own, offset=offset, data=b"y")
        assert wrong.value.expected == 100_000
    assert uploading.offset_of(**own) == 100_000
    with pytest.raises(WrongOffset):
        uploading.finish(**own, now=NOW, length=99_999)
    uploading.finish(**own, now=NOW, length=100_000)
    assert uploading.finish(**own, now=NOW, length=100_000).state == FileState.WHOLE
    with pytest.raises(WrongOffset):
        uploading.append(**own, offset=100_000, data=b"more")


def crash(*_whatever: object, **_more: object) -> int:
    raise KeyboardInterrupt


def broken_off(own: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    """Send a piece of which the disk hears and the database does not."""
    with monkeypatch.context() as broken:
        broken.setattr(uploading, "_count", crash)
        with pytest.raises(KeyboardInterrupt):
            uploading.append(**own, offset=100_000, data=CONTENT[100_000:290_000])
    assert uploading.offset_of(**own) == 100_000


def test_after_a_crash_between_disk_and_database_the_same_file_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    desk, (one, _other) = desk_with()
    tip, _receipt = tip_at(desk)
    up = uploading.begin(tip_id=tip.pk, name="a", now=NOW)
    own: dict[str, Any] = {"file_id": up.file_id, "secret": up.secret}
    uploading.append(**own, offset=0, data=CONTENT[:100_000])
    broken_off(own, monkeypatch)
    # The pieces may be other ones.
    uploading.append(**own, offset=100_000, data=CONTENT[100_000:200_000])
    uploading.append(**own, offset=200_000, data=CONTENT[200_000:])
    file = uploading.finish(**own, now=NOW, length=300_000)
    assert path_of(file).stat().st_size == files.sealed_length(300_000)
    opened = dialogue.open_tip(tip_id=tip.pk, member_id=one.member.pk, user=one.user, pair=one.pair, now=NOW)
    key = opened.files[0].key
    assert key is not None
    assert b"".join(dialogue_queries.file_blocks(file, key)) == CONTENT


def test_no_state_seals_two_different_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    desk, _seats = desk_with()
    tip, _receipt = tip_at(desk)
    up = uploading.begin(tip_id=tip.pk, name="a", now=NOW)
    own: dict[str, Any] = {"file_id": up.file_id, "secret": up.secret}
    uploading.append(**own, offset=0, data=CONTENT[:100_000])
    broken_off(own, monkeypatch)
    path = path_of(TipFile.objects.get(pk=up.file_id))
    before = path.read_bytes()
    # One byte differs; the file ends where it had gone on.
    other = bytearray(CONTENT[100_000:290_000])
    other[40_000] ^= 1
    with pytest.raises(BrokenOff):
        uploading.append(**own, offset=100_000, data=bytes(other))
    with pytest.raises(BrokenOff):
        uploading.finish(**own, now=NOW, length=100_000)
    assert path.read_bytes() == before
    assert TipFile.objects.get(pk=up.file_id).state == FileState.UPLOADING


def test_a_crash_at_the_end_of_a_file_is_no_way_to_go_on(monkeypatch: pytest.MonkeyPatch) -> None:
    desk, _seats = desk_with()
    tip, _receipt = tip_at(desk)
    up = uploading.begin(tip_id=tip.pk, name="a", now=NOW)
    own: dict[str, Any] = {"file_id": up.file_id, "secret": up.secret}
    uploading.append(**own, offset=0, data=CONTENT[:100_000])
    with monkeypatch.context() as broken:
        broken.setattr(store, "cut", crash)
        with pytest.raises(KeyboardInterrupt):
            uploading.finish(**own, now=NOW, length=100_000)
    with pytest.raises(BrokenOff):
        uploading.append(**own, offset=100_000, data=CONTENT[100_000:])
    assert uploading.finish(**own, now=NOW, length=100_000).stored == files.sealed_length(100_000)


def test_what_a_browser_sealed_is_written_over_after_a_crash(monkeypatch: pytest.MonkeyPatch) -> None:
    desk, _seats = desk_with()
    tip, _receipt = tip_at(desk)
    key, target, uid = files.new_file_key(), io.BytesIO(), bytes(tip.uid)
    files.seal_file(io.BytesIO(CONTENT), target, key, tip=uid, number=0)
    box = files.seal_file_key(key, "a", tip=uid, number=0, tip_public=bytes(tip.public))
    up = uploading.begin_sealed(tip_id=tip.pk, number=0, key_box=box, now=NOW)
    own: dict[str, Any] = {"file_id": up.file_id, "secret": up.secret}
    with monkeypatch.context() as broken:
        broken.setattr(uploading, "_count", crash)
        with pytest.raises(KeyboardInterrupt):
            # Torn: the disk had the length and not yet the bytes.
            uploading.append(**own, offset=0, data=bytes(70_000))
    sealed = target.getvalue()
    uploading.append(**own, offset=0, data=sealed)
    assert path_of(uploading.finish(**own, now=NOW, length=len(sealed))).read_bytes() == sealed


def test_without_the_secret_nothing_goes_on() -> None:
    desk, _seats = desk_with()
    tip, _receipt = tip_at(desk)
    up, other = (uploading.begin(tip_id=tip.pk, name="a", now=NOW) for _ in range(2))
    for secret in (other.secret, "", "é", "x" * 44, up.secret[:-4]):
        with pytest.raises(Unopenable):
            uploading.append(file_id=up.file_id, secret=secret, offset=0, data=b"x")
        with pytest.raises(Unopenable):
            uploading.finish(file_id=up.file_id, secret=secret, length=0, now=NOW)
    file = TipFile.objects.get(pk=up.file_id)
    assert up.secret.encode() not in bytes(file.sealer) + bytes(file.secret_hash)


def test_limits(monkeypatch: pytest.MonkeyPatch) -> None:
    desk, (one, _other) = desk_with()
    tip, _receipt = tip_at(desk)
    monkeypatch.setattr(rules, "MOST_FILE_BYTES", 1_000)
    monkeypatch.setattr(rules, "MOST_FILES", 2)
    up = uploading.begin(tip_id=tip.pk, name="a", now=NOW)
    with pytest.raises(TooLarge):
        uploading.append(file_id=up.file_id, secret=up.secret, offset=0, data=bytes(1_001))
    uploading.begin(tip_id=tip.pk, name="b", now=NOW)
    with pytest.raises(TooMany):
        uploading.begin(tip_id=tip.pk, name="c", now=NOW)
    dialogue.close_tip(tip_id=tip.pk, member_id=one.member.pk, user=one.user, outcome="spam", now=NOW)
    with pytest.raises(DialogueOver):
        uploading.append(file_id=up.file_id, secret=up.secret, offset=0, data=b"x")


def test_what_a_browser_sealed_is_kept_as_it_is() -> None:
    desk, (one, _other) = desk_with()
    tip, _receipt = tip_at(desk)
    key, target, uid = files.new_file_key(), io.BytesIO(), bytes(tip.uid)
    files.seal_file(io.BytesIO(CONTENT), target, key, tip=uid, number=0)
    box = files.seal_file_key(key, "mill.jpg", tip=uid, number=0, tip_public=bytes(tip.public))
    with pytest.raises(TipError):
        uploading.begin_sealed(tip_id=tip.pk, number=1, key_box=box, now=NOW)
    with pytest.raises(TipError):
        uploading.begin_sealed(tip_id=tip.pk, number=0, key_box=b"key in the clear", now=NOW)
    up = uploading.begin_sealed(tip_id=tip.pk, number=0, key_box=box, now=NOW)
    own: dict[str, Any] = {"file_id": up.file_id, "secret": up.secret}
    sealed = target.getvalue()
    uploading.append(**own, offset=0, data=sealed[:1_000])
    with pytest.raises(TipError):
        uploading.finish(**own, now=NOW, length=1_000)
    uploading.append(**own, offset=1_000, data=sealed[1_000:])
    file = uploading.finish(**own, now=NOW, length=len(sealed))
    assert path_of(file).read_bytes() == sealed
    opened = dialogue.open_tip(tip_id=tip.pk, member_id=one.member.pk, user=one.user, pair=one.pair, now=NOW)
    line = opened.files[0]
    assert line.key == key
    assert b"".join(dialogue_queries.file_blocks(file, key)) == CONTENT


def test_an_answer_that_is_only_a_file_waits_for_the_desk() -> None:
    desk, (one, _other) = desk_with(expires_after_days=30)
    tip, _receipt = tip_at(desk)
    dialogue.ask_as_member(tip_id=tip.pk, member_id=one.member.pk, user=one.user, text="A picture?", now=NOW)
    later = NOW + timedelta(days=20)
    ending.announce_endings(now=later)
    uploaded(tip, now=later)
    tip.refresh_from_db()
    assert (tip.state, tip.news_for_desk, tip.is_announced) == ("open", True, False)
    assert (tip.active_day, tip.expires_day) == (later.date(), (later + timedelta(days=30)).date())
    assert [each.tip.pk for each in queries.waiting(one.member)] == [tip.pk]


def test_a_file_of_a_plain_form_is_sealed_before_there_is_a_tip() -> None:
    desk, (one, _other) = desk_with()
    prepared = sealing.prepare(desk_id=desk.pk)
    writer = uploading.SealingWriter(prepared)
    for at in range(0, len(CONTENT), 50_000):
        writer.write(CONTENT[at : at + 50_000])
    done = submitting.submit_text(
        desk_id=desk.pk, text="See the picture.", now=NOW, prepared=prepared, files=[writer.finish("mill.jpg")]
    )
    opened = dialogue.open_tip(tip_id=done.tip.pk, member_id=one.member.pk, user=one.user, pair=one.pair, now=NOW)
    file = TipFile.objects.get(tip=done.tip)
    key = opened.files[0].key
    assert key is not None
    assert b"".join(dialogue_queries.file_blocks(file, key)) == CONTENT


def test_strays_and_what_was_never_finished_go_after_two_days() -> None:
    desk, _seats = desk_with()
    tip, _receipt = tip_at(desk)
    whole = uploaded(tip)
    up = uploading.begin(tip_id=tip.pk, name="never", now=NOW)
    unfinished = TipFile.objects.get(pk=up.file_id)
    stray = uploading.SealingWriter(sealing.prepare(desk_id=desk.pk))
    stray.write(CONTENT)
    place = settings.COMMONBEAT.data_dir / "tips"
    before = {path for path in place.rglob("*") if path.is_file()}
    long_ago = (NOW - timedelta(days=3)).timestamp()
    for path in before:
        os.utime(path, (long_ago, long_ago))
    assert ending.purge_uploads(now=NOW) >= 1
    assert path_of(whole).exists()
    assert TipFile.objects.filter(pk=unfinished.pk).exists()
    ending.purge_uploads(now=NOW + timedelta(days=3))
    assert path_of(whole).exists()
    assert not path_of(unfinished).exists()
    assert not TipFile.objects.filter(pk=unfinished.pk).exists()
    assert {path for path in place.rglob("*") if path.is_file()} == {path_of(whole)}


_WRITER = """
import sys
from pathlib import Path
from commonbeat.tips import store
from commonbeat.tips.files import FileSealer
sealer, at, token = FileSealer(bytes(32), tip=bytes(16), number=0), 0, "a" * 22
folder = Path(sys.argv[1])
at = store.write_at(token, at, [sealer.header], data_dir=folder)
while True:
    at = store.write_at(token, at, sealer.add(b"canary of the mill " * 5_000), data_dir=folder)
    print(at, flush=True)
"""


def test_a_killed_writer_leaves_only_sealed_bytes(tmp_path: Path) -> None:
    with subprocess.Popen([sys.executable, "-c", _WRITER, str(tmp_path)], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        for _ in range(5):
            process.stdout.readline()
        process.send_signal(signal.SIGKILL)
    left = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert len(left) == 1
    data = left[0].read_bytes()
    assert len(data) > 300_000
    assert b"canary" not in data
