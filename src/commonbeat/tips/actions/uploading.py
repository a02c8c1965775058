"""Take files in pieces that may break off and go on; what touches the disk is sealed.

The server's sealer waits between two pieces sealed under a secret that only the uploader has. Bytes are written first
and counted afterwards, so that a crash leaves sealed bytes behind the end. What a browser sealed is written over. What
the server seals may go on there with the same bytes only: other ones would be sealed with the same state a second time,
and whoever had both could compare them.
"""

from __future__ import annotations

import base64
import binascii
import secrets
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction

from commonbeat.foundation import crypto
from commonbeat.foundation.ids import new_token
from commonbeat.tips import rules, store
from commonbeat.tips.errors import DialogueOver, TipError, TooLarge, TooMany, Unopenable, WrongOffset
from commonbeat.tips.files import FileSealer, is_sealed_length, new_file_key, seal_file_key, sealed_length
from commonbeat.tips.keys import KEY_BYTES, derive
from commonbeat.tips.models import FileState, SealedWhere, Tip, TipFile, TipState
from commonbeat.tips.queries import today
from commonbeat.tips.sealing import Prepared, SealedFile

_FOR_SEALER = "commonbeat tip v1 upload"
_FOR_HASH = "commonbeat tip v1 upload id"
_LONGEST_NAME = 200
# A box of a file's key: 512 bytes and what sealing adds, or 2,048.
_KEY_BOXES = (603, 2_139)


@dataclass(frozen=True, slots=True)
class Upload:
    """A file that is being uploaded, and the secret without which it does not go on."""

    file_id: int
    secret: str = field(repr=False)


def begin(*, tip_id: int, name: str, now: datetime) -> Upload:
    """Begin a file that the server seals as it comes; DialogueOver, TooMany."""
    key, secret, token = new_file_key(), secrets.token_bytes(KEY_BYTES), new_token()
    tip, number = _of_tip(tip_id)
    sealer = FileSealer(key, tip=bytes(tip.uid), number=number)
    box = seal_file_key(key, name[:_LONGEST_NAME], tip=bytes(tip.uid), number=number, tip_public=bytes(tip.public))
    stored = store.write_at(token, 0, [sealer.header], data_dir=settings.COMMONBEAT.data_dir)
    return _begin(
        TipFile(
            tip=tip,
            number=number,
            key_box=box,
            token=token,
            sealed_where=SealedWhere.SERVER,
            stored=stored,
            sealer=_frozen(sealer, secret),
            day=today(now),
        ),
        secret,
    )


def begin_sealed(*, tip_id: int, number: int, key_box: bytes, now: datetime) -> Upload:
    """Begin a file that a browser seals, as file `number` of the tip; TipError when that is not the next one."""
    if len(key_box) not in _KEY_BOXES:
        raise TipError("This was not sealed as it must be.")
    tip, following = _of_tip(tip_id)
    if number != following:
        raise TipError(f"The next file has the number {following}.")
    secret, token = secrets.token_bytes(KEY_BYTES), new_token()
    store.write_at(token, 0, [], data_dir=settings.COMMONBEAT.data_dir)
    file = TipFile(
        tip=tip, number=number, key_box=key_box, token=token, sealed_where=SealedWhere.BROWSER, day=today(now)
    )
    return _begin(file, secret)


def offset_of(*, file_id: int, secret: str) -> int:
    """Tell how many bytes of the uploader's count have arrived; Unopenable with a wrong secret."""
    return _own(file_id, secret)[0].received


def append(*, file_id: int, secret: str, offset: int, data: bytes) -> int:
    """Take the next piece and give where the one after it begins; WrongOffset, TooLarge, BrokenOff, Unopenable."""
    file, raw = _own(file_id, secret)
    if file.state != FileState.UPLOADING or offset != file.received:
        raise WrongOffset(file.received)
    if len(data) > rules.MOST_PIECE_BYTES or file.received + len(data) > _most(file):
        raise TooLarge
    data_dir = settings.COMMONBEAT.data_dir
    if file.sealed_where == SealedWhere.BROWSER:
        stored, frozen = store.write_at(file.token, file.stored, [data], data_dir=data_dir), b""
    else:
        sealer = _thawed(file, raw)
        stored = store.write_at(file.token, file.stored, sealer.add(data), data_dir=data_dir, only_same=True)
        frozen = _frozen(sealer, raw)
    return _count(file, received=file.received + len(data), stored=stored, sealer=frozen)


def finish(*, file_id: int, secret: str, length: int, now: datetime) -> TipFile:
    """Say that all `length` bytes have been sent; WrongOffset when not, BrokenOff. Twice is as once."""
    file, raw = _own(file_id, secret)
    if length != file.received:
        raise WrongOffset(file.received)
    if file.state == FileState.WHOLE:
        return file
    data_dir, stored = settings.COMMONBEAT.data_dir, file.stored
    if file.sealed_where == SealedWhere.SERVER:
        stored = store.write_at(file.token, stored, _thawed(file, raw).finish(), data_dir=data_dir, only_same=True)
    elif not is_sealed_length(stored):
        raise TipError("This was not sealed as it must be.")
    store.cut(file.token, stored, data_dir=data_dir)
    with transaction.atomic():
        found = TipFile.objects.filter(pk=file.pk, received=file.received, state=FileState.UPLOADING)
        if found.update(state=FileState.WHOLE, stored=stored, sealer=b""):
            _answered(file.tip_id, now)
    return _own(file_id, secret)[0]


class SealingWriter:
    """Seal a file of a dialogue that is only prepared, as a form is read: write, then finish or give up."""

    def __init__(self, prepared: Prepared, *, number: int = 0) -> None:
        self._prepared, self._number, self._token = prepared, number, new_token()
        self._key, self._stored, self._received = new_file_key(), 0, 0
        self._sealer = FileSealer(self._key, tip=prepared.tip, number=number)
        self._put([self._sealer.header])

    def write(self, data: bytes) -> None:
        """Take the next piece; TooLarge when the file is."""
        self._received += len(data)
        if self._received > rules.MOST_FILE_BYTES:
            self.give_up()
            raise TooLarge
        chunks = self._sealer.add(data)
        if chunks:
            self._put(chunks)

    def finish(self, name: str) -> SealedFile:
        """Write the rest; what comes back goes to submit_text."""
        self._put(self._sealer.finish())
        store.cut(self._token, self._stored, data_dir=settings.COMMONBEAT.data_dir)
        box = seal_file_key(
            self._key,
            name[:_LONGEST_NAME],
            tip=self._prepared.tip,
            number=self._number,
            tip_public=self._prepared.public,
        )
        return SealedFile(self._number, self._token, box, self._received, self._stored)

    def give_up(self) -> None:
        """Remove what was written; whoever forgets it leaves a stray, which goes after two days."""
        store.delete(self._token, data_dir=settings.COMMONBEAT.data_dir)

    def _put(self, chunks: list[bytes] | Iterator[bytes]) -> None:
        self._stored = store.write_at(self._token, self._stored, chunks, data_dir=settings.COMMONBEAT.data_dir)


def _of_tip(tip_id: int) -> tuple[Tip, int]:
    tip = Tip.objects.filter(pk=tip_id).first()
    if tip is None:
        raise Unopenable
    if tip.is_over:
        raise DialogueOver
    if tip.files >= rules.MOST_FILES:
        raise TooMany
    return tip, tip.files


def _begin(file: TipFile, secret: bytes) -> Upload:
    file.secret_hash = derive(_FOR_HASH, secret)
    with transaction.atomic():
        # Of two at once one has the number, and the other begins again.
        if not Tip.objects.filter(pk=file.tip_id, files=file.number).update(files=file.number + 1):
            store.delete(file.token, data_dir=settings.COMMONBEAT.data_dir)
            raise TipError(f"The next file has the number {file.number + 1}.")
        file.save()
    return Upload(file.pk, base64.urlsafe_b64encode(secret).decode("ascii"))


def _own(file_id: int, secret: str) -> tuple[TipFile, bytes]:
    try:
        raw = base64.b64decode(secret.encode("ascii", "replace"), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        raise Unopenable from None
    file = TipFile.objects.select_related("tip").filter(pk=file_id).first()
    if file is None or not secrets.compare_digest(bytes(file.secret_hash), derive(_FOR_HASH, raw)):
        raise Unopenable
    if file.tip.is_over:
        raise DialogueOver
    return file, raw


def _answered(tip_id: int, now: datetime) -> None:
    """Let a file count as a text of the source does: the desk has something to answer, and the end is put off."""
    tip = Tip.objects.select_for_update(of=("self",)).select_related("desk").get(pk=tip_id)
    if tip.is_over:
        raise DialogueOver
    tip.state, tip.news_for_desk, tip.is_announced, tip.same_as = TipState.OPEN, True, False, None
    tip.active_day = today(now)
    tip.expires_day = tip.active_day + timedelta(days=tip.desk.expires_after_days)
    tip.save(update_fields=["state", "news_for_desk", "is_announced", "same_as", "active_day", "expires_day"])


def _most(file: TipFile) -> int:
    return rules.MOST_FILE_BYTES if file.sealed_where == SealedWhere.SERVER else sealed_length(rules.MOST_FILE_BYTES)


def _count(file: TipFile, *, received: int, stored: int, sealer: bytes) -> int:
    found = TipFile.objects.filter(pk=file.pk, received=file.received, state=FileState.UPLOADING)
    with transaction.atomic():
        if found.update(received=received, stored=stored, sealer=sealer):
            return received
    now_there = TipFile.objects.filter(pk=file.pk).values_list("received", flat=True).first()
    raise WrongOffset(now_there or 0)


def _frozen(sealer: FileSealer, secret: bytes) -> bytes:
    return crypto.seal(derive(_FOR_SEALER, secret), sealer.freeze())


def _thawed(file: TipFile, secret: bytes) -> FileSealer:
    frozen = crypto.unseal(derive(_FOR_SEALER, secret), bytes(file.sealer))
    return FileSealer.thaw(frozen, tip=bytes(file.tip.uid), number=file.number)
