"""The overseer sees how far the log is, takes it away and countersigns it; nobody else may."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner
from django.conf import settings
from django.core.files.uploadedfile import SimpleUploadedFile
from django.http import StreamingHttpResponse
from django.test import Client
from django.urls import reverse

from commonbeat.cli.verify import verify_group
from commonbeat.foundation import clock
from commonbeat.journal.actions.log import sequence
from commonbeat.journal.models import Checkpoint, Countersigner, Entry
from commonbeat.journal.site_key import blinding_key
from commonbeat.people.models import Role
from tests.journal.log_site import MINUTE, OVERSEER, SITE, entries
from tests.journal.log_site import logged as _logged
from tests.make import make_user, signed_in

pytestmark = pytest.mark.django_db
PAGE = reverse("oversight:log")


@pytest.fixture(autouse=True)
def _own_key(monkeypatch: pytest.MonkeyPatch) -> None:
    # The page uses the site's own key.
    monkeypatch.setattr("tests.journal.log_site.BLINDING", blinding_key(settings.COMMONBEAT.secret))


def logged(count: int) -> Checkpoint:
    return _logged(count, now=clock.now())


def countersigned_text(row: Checkpoint) -> str:
    text = row.note.partition("\n\n")[0] + "\n"
    return f"{text}\n{OVERSEER.line(text, at=1_700_000_000)}"


def test_nobody_else_may_read_or_change_anything(unit: object, client: Client) -> None:
    logged(5)
    for role in (Role.RESIDENT, Role.OFFICER, Role.SUPERVISOR, Role.MODERATOR, Role.ADMINISTRATOR, Role.TRANSLATOR):
        browser = signed_in(make_user(role=role, second_factor=True))
        for name in ("log", "log_export", "log_proof"):
            assert browser.get(reverse(f"oversight:{name}")).status_code == 403
        for name in ("log_key", "log_key_retire", "log_countersign"):
            answer = browser.post(reverse(f"oversight:{name}"), {"key": OVERSEER.verifier.text})
            assert answer.status_code == 403
    assert not Countersigner.objects.exists()


def test_the_page_tells_how_far_it_is(overseer_client: Client) -> None:
    answer = overseer_client.get(PAGE)
    assert answer.status_code == 200 and b"none yet" in answer.content
    assert overseer_client.get(reverse("oversight:log_export")).status_code == 400
    logged(5)
    text = overseer_client.get(PAGE).content.decode()
    assert "5 entries" in text and "nothing yet" in text and "stands still" not in text


def test_the_page_says_when_the_log_stands_still(overseer_client: Client) -> None:
    now = clock.now()
    _logged(5, now=now - 11 * MINUTE)
    assert b"stands still" not in overseer_client.get(PAGE).content
    entries(1, now=now)
    assert b"stands still" not in overseer_client.get(PAGE).content
    sequence(blinding=bytes(32))
    assert b"stands still" in overseer_client.get(PAGE).content


def test_entries_that_wait_for_their_place_too_long_are_told(overseer_client: Client) -> None:
    logged(5)
    entries(1, now=clock.now() - 11 * MINUTE)
    assert b"stands still" in overseer_client.get(PAGE).content


def test_the_exported_log_verifies_and_the_export_is_in_the_journal(overseer_client: Client, tmp_path: Path) -> None:
    logged(300)
    answer = overseer_client.get(reverse("oversight:log_export"))
    assert isinstance(answer, StreamingHttpResponse) and "attachment" in answer.headers["Content-Disposition"]
    file = tmp_path / "log.txt"
    file.write_bytes(b"".join(answer.streaming_content))
    found = CliRunner().invoke(verify_group, ["log", str(file), "--key", SITE.verifier.text])
    assert found.exit_code == 0 and "300 entries" in found.output
    assert Entry.objects.filter(kind="oversight.log_exported", subject_id=300).count() == 1


def test_one_entry_is_proved(overseer_client: Client, tmp_path: Path) -> None:
    logged(300)
    number = int(Entry.objects.order_by("id")[258].pk)
    answer = overseer_client.get(reverse("oversight:log_proof"), {"entry": str(number)})
    file = tmp_path / "proof"
    file.write_bytes(answer.content)
    found = CliRunner().invoke(verify_group, ["inclusion", str(file), "--key", SITE.verifier.text])
    assert found.exit_code == 0 and f"[{number}," in found.output
    assert Entry.objects.filter(kind="oversight.entry_proved", subject_id=number).exists()
    for wrong in ("", "x", "-1", "0", str(10**12), "9" * 30):
        answer = overseer_client.get(reverse("oversight:log_proof"), {"entry": wrong})
        assert answer.status_code == 400 and b"error-summary" in answer.content


def test_a_key_is_registered_and_retired(overseer_client: Client) -> None:
    answer = overseer_client.post(reverse("oversight:log_key"), {"key": OVERSEER.text})
    assert (
        answer.status_code == 400 and b"private key" in answer.content and OVERSEER.text.encode() not in answer.content
    )
    assert (
        overseer_client.post(reverse("oversight:log_key"), {"key": f" {OVERSEER.verifier.text}\n"}).status_code == 302
    )
    answer = overseer_client.get(PAGE)
    assert b"oversight.example" in answer.content and b"Retire" in answer.content
    row = Countersigner.objects.get()
    for number in (str(row.pk), str(row.pk), "x", str(10**30), "99"):
        answer = overseer_client.post(reverse("oversight:log_key_retire"), {"countersigner": number})
        assert answer.status_code == 302
    row.refresh_from_db()
    assert row.retired_at is not None
    kinds = list(Entry.objects.filter(kind__startswith="oversight.").values_list("kind", flat=True))
    assert sorted(kinds) == ["oversight.key_added", "oversight.key_retired"]


@pytest.mark.parametrize("is_file", [False, True])
def test_a_countersignature_is_pasted_or_sent_as_a_file(overseer_client: Client, is_file: bool) -> None:
    row = logged(5)
    overseer_client.post(reverse("oversight:log_key"), {"key": OVERSEER.verifier.text})
    text = countersigned_text(row)
    form: dict[str, object] = {"note": text.replace("\n", "\r\n").strip()}
    if is_file:
        form = {"note": "", "file": SimpleUploadedFile("note.txt", text.encode())}
    assert overseer_client.post(reverse("oversight:log_countersign"), form).status_code == 302
    row.refresh_from_db()
    assert row.countersignatures.startswith("— oversight.example ")
    assert b"5 entries, oversight.example" in overseer_client.get(PAGE).content


@pytest.mark.parametrize("note", ["", "hello", "\x00", "x" * 30_000, "a\n\n— b c\n"])
def test_what_is_no_countersignature_is_told(overseer_client: Client, note: str) -> None:
    logged(5)
    answer = overseer_client.post(reverse("oversight:log_countersign"), {"note": note})
    assert answer.status_code == 400 and b"error-summary" in answer.content
    upload = SimpleUploadedFile("x", b"\xff\xfe" + note.encode())
    assert overseer_client.post(reverse("oversight:log_countersign"), {"file": upload}).status_code == 400
