"""Pictures as files and rows: nothing in the clear, and nothing left over."""

from __future__ import annotations

import dataclasses
import io
import os
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from PIL import Image

from commonbeat.foundation import clock
from commonbeat.media import actions, decoding, store
from commonbeat.media.images import NotAPicture
from commonbeat.media.models import Photo
from commonbeat.media.strays import folders, strays
from tests import make

pytestmark = pytest.mark.django_db
DAY = timedelta(hours=25)


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Give a data folder that holds this test's files only."""
    monkeypatch.setattr(settings, "COMMONBEAT", dataclasses.replace(settings.COMMONBEAT, data_dir=tmp_path))
    return tmp_path


def a_picture() -> bytes:
    buffer = io.BytesIO()
    Image.effect_noise((80, 60), 90).convert("RGB").save(buffer, "JPEG")
    return buffer.getvalue()


def files_under(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


def test_nothing_that_was_uploaded_lies_in_the_clear(folder: Path) -> None:
    photo = actions.keep_photo(data=a_picture(), now=clock.now())
    files = files_under(folder)
    assert len(files) == 3
    for file in files:
        with pytest.raises(OSError, match="cannot identify"):
            Image.open(file)
    copy = store.read_public(photo.public_token, data_dir=folder, key=actions.picture_key())
    assert Image.open(io.BytesIO(copy)).size == (80, 60)


@pytest.mark.parametrize(
    "data", [a_picture()[:900], b"\x89PNG\r\n\x1a\nno", b"RIFF\0\0\0\0WEBP", b"\0\0\0\x18ftypheicno"]
)
def test_what_cannot_be_read_leaves_nothing(data: bytes, folder: Path) -> None:
    with pytest.raises(NotAPicture):
        actions.keep_photo(data=data, now=clock.now())
    assert files_under(folder) == []
    assert not Photo.objects.exists()


def test_a_decoder_that_breaks_down_leaves_nothing(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(decoding, "_PROGRAM", "raise SystemExit(1)")
    decoding.stop()
    with pytest.raises(decoding.DecoderUnavailable):
        actions.keep_photo(data=a_picture(), now=clock.now())
    assert files_under(folder) == []
    assert not Photo.objects.exists()


def test_a_crash_between_files_and_row_leaves_nothing_for_long(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def crash(**_fields: Any) -> None:
        raise KeyboardInterrupt

    kept = actions.keep_photo(data=a_picture(), now=clock.now())
    Photo.objects.update(draft_key="")
    with monkeypatch.context() as patch:
        patch.setattr(Photo.objects, "create", crash)
        with pytest.raises(KeyboardInterrupt):
            actions.keep_photo(data=a_picture(), now=clock.now())
    assert len(files_under(folder)) == 6
    (folder / "media" / store.COPIES / "AA").mkdir(exist_ok=True)
    (folder / "media" / store.COPIES / "AA" / ".0123456789abcdef.part").write_bytes(b"cut off")
    actions.purge_drafts(now=clock.now())
    assert len(files_under(folder)) == 7, "files of a moment ago may still get their row"
    assert len(strays(folders(data_dir=folder), data_dir=folder, now=clock.now() + DAY)) == 4
    for _run in range(2):
        actions.purge_drafts(now=clock.now() + DAY)
    assert len(files_under(folder)) == 3
    assert store.read_original(kept.original_token, data_dir=folder, key=actions.picture_key())
    assert strays(folders(data_dir=folder), data_dir=folder, now=clock.now() + DAY) == []


def test_a_purge_that_crashes_is_done_again(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    actions.keep_photo(data=a_picture(), now=clock.now())

    def crash(*_given: object, **_named: object) -> None:
        raise OSError(5, "the disk is ill")

    with monkeypatch.context() as patch:
        patch.setattr(store, "delete", crash)
        with pytest.raises(OSError, match="ill"):
            actions.purge_drafts(now=clock.now() + DAY)
    assert Photo.objects.count() == 1
    assert actions.purge_drafts(now=clock.now() + DAY) == 1
    assert files_under(folder) == []


def test_a_sweep_looks_at_a_few_folders_at_a_time(folder: Path) -> None:
    for number in range(20):
        file = store.paths(f"{number:02d}{'x' * 20}", data_dir=folder).original
        file.parent.mkdir(parents=True)
        file.write_bytes(b"x")
        os.utime(file, (0, 0))
    left = []
    for _run in range(3):
        actions.purge_drafts(now=make.NOW)
        left.append(len(files_under(folder)))
    assert left == [12, 4, 0]


def test_the_doctor_counts_what_is_left_over(folder: Path) -> None:
    from commonbeat.cli.doctor import check_pictures

    options = dataclasses.replace(settings.COMMONBEAT, database_url="postgres://checked.by.another.test")
    photo = actions.keep_photo(data=a_picture(), now=clock.now())
    for file in files_under(folder):
        os.utime(file, (0, 0))
    assert [line[0] for line in check_pictures(options)] == ["✓"]
    photo.delete()
    (line,) = check_pictures(options)
    assert line.startswith("3 picture files belong to no report")
