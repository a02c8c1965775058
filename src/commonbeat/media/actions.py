"""Keep a picture: the original and its clean copies, all sealed."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from pathlib import Path

from django.conf import settings
from django.db import transaction

from commonbeat.foundation.crypto import derive
from commonbeat.foundation.ids import new_token
from commonbeat.journal.actions import move_cursor
from commonbeat.journal.queries import cursor_position
from commonbeat.media import store
from commonbeat.media.images import make_public_copies
from commonbeat.media.models import Photo
from commonbeat.media.strays import folders, strays

DRAFT_HOURS = 24
# Of at most 4,096 folders, each is looked at every nine hours; at a million pictures, 8 hold some 6,000 files.
SWEEP_CURSOR, SWEEP_FOLDERS = "media.sweep", 8


def picture_key() -> bytes:
    """Derive the key that seals pictures."""
    return derive(settings.COMMONBEAT.secret, "pictures")


def keep_photo(*, data: bytes, now: datetime) -> Photo:
    """Keep an uploaded picture as a draft; NotAPicture or PictureTooLarge when it is none.

    The clean copies are made first, so that what is no picture leaves nothing behind.
    """
    data_dir: Path = settings.COMMONBEAT.data_dir
    copies = make_public_copies(data)
    original = store.keep_original(data, data_dir=data_dir, key=picture_key())
    # A name of its own: whoever sees the public picture learns no name of the original.
    public = new_token()
    store.write_public(public, full=copies.full, thumb=copies.thumb, data_dir=data_dir, key=picture_key())
    # A crash before this row leaves files that no row names; purge_drafts finds them.
    return Photo.objects.create(
        original_token=original,
        public_token=public,
        sha256=bytes.fromhex(copies.sha256),
        phash=copies.phash,
        width=copies.width,
        height=copies.height,
        created_at=now,
        draft_key=new_token(),
    )


def purge_drafts(*, now: datetime, limit: int = 100) -> int:
    """Delete pictures that no report took up within a day, and files that no row names; gives the number of pictures.

    Bounded work per call: `limit` pictures and a few folders.
    """
    data_dir: Path = settings.COMMONBEAT.data_dir
    old = Photo.objects.filter(created_at__lt=now - timedelta(hours=DRAFT_HOURS)).exclude(draft_key="")[:limit]
    count = 0
    for photo in old:
        # Files and row in one transaction: after a crash the row is still there, and the next run does it again. A
        # report that takes the picture up at this moment empties its key, and then nothing is deleted.
        with transaction.atomic():
            draft = Photo.objects.select_for_update().filter(pk=photo.pk, draft_key=photo.draft_key).first()
            if draft is None:
                continue
            draft.delete()
            for token in (photo.original_token, photo.public_token):
                store.delete(token, data_dir=data_dir)
        count += 1
    _sweep(data_dir, now)
    return count


def release_photos(*, photo_ids: Iterable[int]) -> str:
    """Make pictures belong to nothing, inside the caller's transaction; give the key for delete_released.

    A crash before that leaves drafts, which purge_drafts deletes within a day.
    """
    key = new_token()
    Photo.objects.filter(pk__in=list(photo_ids)).update(draft_key=key, is_public=False)
    return key


def delete_released(*, key: str) -> int:
    """Delete the pictures that were released under a key, with their files; gives their number."""
    data_dir: Path = settings.COMMONBEAT.data_dir
    found = list(Photo.objects.filter(draft_key=key)) if key else []
    for photo in found:
        # Files first: after a crash the row is still there, and purge_drafts does it again.
        for token in (photo.original_token, photo.public_token):
            store.delete(token, data_dir=data_dir)
    Photo.objects.filter(pk__in=[photo.pk for photo in found]).delete()
    return len(found)


def forget_originals(*, photo_ids: Iterable[int]) -> list[str]:
    """Keep only the clean copies of pictures, inside the caller's transaction; give the names for delete_files.

    A crash before that leaves files that no row names, which purge_drafts sweeps away.
    """
    gone = []
    for photo in Photo.objects.select_for_update().filter(pk__in=list(photo_ids)):
        gone.append(photo.original_token)
        # A name under which there is no file; what the original was cannot be compared either.
        photo.original_token, photo.sha256 = new_token(), b""
        photo.save(update_fields=["original_token", "sha256"])
    return gone


def delete_files(*, tokens: Iterable[str]) -> None:
    """Delete the files of names that no row holds any more."""
    for token in tokens:
        store.delete(token, data_dir=settings.COMMONBEAT.data_dir)


def _sweep(data_dir: Path, now: datetime) -> None:
    """Delete the strays of the next few folders; the cursor says after which one."""
    names = folders(data_dir=data_dir)
    start = cursor_position(SWEEP_CURSOR)
    if start >= len(names):
        start = 0
    for path in strays(names[start : start + SWEEP_FOLDERS], data_dir=data_dir, now=now):
        path.unlink(missing_ok=True)
    after = start + SWEEP_FOLDERS
    move_cursor(name=SWEEP_CURSOR, to=after if after < len(names) else 0)
