"""What a source and a desk write is nowhere: no column, no file, no line of the log."""

from __future__ import annotations

import logging
from typing import Any

import pytest
from django.apps import apps
from django.conf import settings
from django.db import connection

from commonbeat.reactions.due import do_due
from commonbeat.reactions.run import react_batch
from commonbeat.tips import receipts, sealing
from commonbeat.tips.actions import dialogue, submitting, uploading
from tests.make import NOW
from tests.tips.desks import PASSPHRASE, desk_with

SECRETS = {
    "text": "turquoise-heron-in-the-text",
    "question": "turquoise-heron-in-the-question",
    "answer": "turquoise-heron-in-the-answer",
    "file": "turquoise-heron-in-the-file",
    "name": "turquoise-heron-in-the-name",
}


def everything_stored() -> bytes:
    """Give every column of every table, and the tables' names where they are empty."""
    parts: list[bytes] = []
    with connection.cursor() as cursor:
        for table in connection.introspection.table_names(cursor):
            cursor.execute(f"SELECT * FROM {connection.ops.quote_name(table)}")
            for row in cursor.fetchall():
                for value in row:
                    kept = isinstance(value, bytes | memoryview | bytearray)
                    parts.append(bytes(value) if kept else str(value).encode())
    return b"\0".join(parts)


@pytest.mark.django_db
@pytest.mark.parametrize("way", ["plain form", "in pieces"])
def test_nothing_that_is_said_is_stored_anywhere(way: str, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    desk, (one, _other) = desk_with()
    content = SECRETS["file"].encode() * 5_000
    prepared = sealing.prepare(desk_id=desk.pk)
    files = []
    if way == "plain form":
        writer = uploading.SealingWriter(prepared)
        writer.write(content)
        files.append(writer.finish(SECRETS["name"]))
    done = submitting.submit_text(desk_id=desk.pk, text=SECRETS["text"] * 20, now=NOW, prepared=prepared, files=files)
    uploads = []
    if way == "in pieces":
        # One that is finished, and one that waits with a part of its bytes in the sealer.
        for is_whole in (True, False):
            up = uploading.begin(tip_id=done.tip.pk, name=SECRETS["name"], now=NOW)
            uploading.append(file_id=up.file_id, secret=up.secret, offset=0, data=content[:100_000])
            if is_whole:
                uploading.finish(file_id=up.file_id, secret=up.secret, length=100_000, now=NOW)
            uploads.append(up.secret)
    act: dict[str, Any] = {"tip_id": done.tip.pk, "member_id": one.member.pk, "user": one.user, "now": NOW}
    opened = dialogue.open_tip(**act, pair=one.pair)
    assert opened.texts[0].text == SECRETS["text"] * 20
    assert opened.files[0].name == SECRETS["name"]
    dialogue.ask_as_member(**act, text=SECRETS["question"])
    dialogue.answer_by_receipt(receipt=done.receipt, text=SECRETS["answer"], now=NOW)
    while react_batch(NOW):
        pass
    do_due(NOW)

    stored = everything_stored()
    on_disk = b"\0".join(path.read_bytes() for path in settings.COMMONBEAT.data_dir.rglob("*") if path.is_file())
    assert desk.name_in("").encode() in stored, "the search reads what there is"
    assert on_disk
    log = caplog.text.encode()
    looked_up, receipt = receipts.look_up(done.receipt), done.receipt.encode()
    hidden = [each.encode() for each in SECRETS.values()]
    hidden += [b"turquoise-heron", receipt, receipts.show_receipt(done.receipt).encode(), looked_up]
    hidden += [receipts.source_pair(done.receipt).private, opened.key.private, one.pair.private, PASSPHRASE.encode()]
    hidden += [one.recovery.encode(), *(secret.encode() for secret in uploads)]
    hidden += [line.key for line in opened.files if line.key]
    for place, data in (("a table", stored), ("the data folder", on_disk), ("the log", log)):
        for secret in hidden:
            assert secret not in data, f"found in {place}"
    assert opened.key.private.hex() not in repr(opened)
    assert SECRETS["text"] not in repr(opened)
    assert done.receipt not in repr(done)
    assert done.receipt not in repr(prepared)


@pytest.mark.django_db
def test_the_uid_stands_in_no_journal() -> None:
    desk, _seats = desk_with()
    done = submitting.submit_text(desk_id=desk.pk, text="Hm.", now=NOW)
    entry = apps.get_model("journal", "Entry")
    kept = " ".join(str(row) for row in entry.objects.values_list())
    assert bytes(done.tip.uid).hex() not in kept
    assert repr(bytes(done.tip.uid)) not in kept
