"""What is fuzzed: each takes any bytes, and may end with the errors that its parser promises, and no others."""

from __future__ import annotations

import contextlib
import io
import tempfile
from collections.abc import Callable, Iterable
from pathlib import Path

from django.core.exceptions import SuspiciousOperation
from django.http import QueryDict
from django.http.multipartparser import MultiPartParserError
from django.test import RequestFactory
from nacl.bindings import (
    crypto_secretstream_xchacha20poly1305_init_push,
    crypto_secretstream_xchacha20poly1305_push,
    crypto_secretstream_xchacha20poly1305_state,
)

from commonbeat.alerts.cap import CapError
from commonbeat.alerts.cap_reading import read
from commonbeat.alerts.feed_reading import read_feed
from commonbeat.channels.email.addresses import Purpose as MailPurpose
from commonbeat.channels.email.addresses import address_with
from commonbeat.channels.email.reading import read_mail
from commonbeat.cli.imports.features import open_features
from commonbeat.cli.imports.records import FileNotReadable, Record
from commonbeat.cli.imports.tables import open_table
from commonbeat.config.options import Options
from commonbeat.intake.commands import parse_command
from commonbeat.intake.dialogue import step
from commonbeat.intake.state import Asks, Heard, State, dump_state, finish, load_state
from commonbeat.media.images import NotAPicture, PictureTooLarge, is_known, make_public_copies
from commonbeat.tips import files, members, padding, receipts, texts, tipkeys
from commonbeat.tips.envelope import Label, Purpose, seal
from commonbeat.tips.errors import Misspelt, Unopenable
from commonbeat.tips.keys import key_id, pair_from_seed
from commonbeat.web.public.tip_upload import AnswerFiles, read_answer
from tests.channels.mails import ADDRESS, PERSON, with_mail
from tests.intake.fake_world import FakeWorld
from tests.make import NOW

LANGUAGES = ("en", "sq", "ar")
ASKS = tuple(Asks)
TIP, MEMBER, KEY = b"t" * 16, b"m" * 16, b"k" * 32
PAIR = pair_from_seed(bytes(32))
FILE_NUMBER = 0
OPTIONS = with_mail(Options(data_dir=Path("unused"), secret_key="a key for tests only, of sufficient length"))
MAIL_TO = (
    ADDRESS,
    *(address_with(OPTIONS, purpose, bytes(10)) for purpose in (MailPurpose.REPLY, MailPurpose.BOUNCE)),
)


def sms(data: bytes) -> None:
    """A text message: the first byte is the question that it answers, the rest what was written."""
    text = data[1:].decode("utf-8", "replace")
    parse_command(text, LANGUAGES)
    state = State(asks=ASKS[data[0] % len(ASKS)]) if data else State()
    turn = step(state, Heard(text), FakeWorld(), NOW)
    finish(turn, report_id=3, reference="KX7M-4QXP-2R")
    assert load_state(dump_state(turn.state)) == turn.state


def cap(data: bytes) -> None:
    """A warning, or a feed of warnings, from a neighbour's server."""
    with contextlib.suppress(CapError):
        read(data)
    with contextlib.suppress(CapError):
        read_feed(data, "https://weather.example/feed")


def mail(data: bytes) -> None:
    """An e-mail; the first byte says to whom: the site, an answer to it, or the place of returned mail."""
    to = MAIL_TO[data[0] % len(MAIL_TO)] if data else ADDRESS
    read_mail(OPTIONS, data[1:], recipients=(to,), envelope_sender=PERSON if len(data) % 2 else "")


def table(data: bytes) -> None:
    """A table to import."""
    _import("table.csv", data, lambda file: open_table(file).records())


def geojson(data: bytes) -> None:
    """A list of features to import."""
    _import("data.json", data, lambda file: open_features(file).records())


def receipt(data: bytes) -> None:
    """A receipt or a printed key as somebody types it."""
    typed = data.decode("utf-8", "replace")
    for reads in (receipts.read_receipt, members.read_recovery_key):
        with contextlib.suppress(Misspelt):
            reads(typed)
    receipts.is_word_of("bado" * 8, typed)


def boxes(data: bytes) -> None:
    """What a stranger seals rightly around wrong bytes, and bytes that are not sealed at all."""
    for purpose, opens in (
        (Purpose.TEXT_TO_DESK, lambda box: texts.open_to_desk(box, tip=TIP, number=0, tip_key=PAIR)),
        (Purpose.FILE_KEY, lambda box: files.open_file_key(box, tip=TIP, number=0, tip_key=PAIR)),
    ):
        for body in (data, data + b"\x80" + bytes(max(0, 511 - len(data)))):
            with contextlib.suppress(Unopenable):
                opens(seal(Label(purpose, TIP, key_id(PAIR.public)), body, PAIR.public))
        with contextlib.suppress(Unopenable):
            opens(data)
    with contextlib.suppress(Unopenable):
        box = seal(Label(Purpose.TIP_KEY_FOR_MEMBER, TIP, MEMBER), data, PAIR.public)
        tipkeys.open_as_member(box, tip=TIP, member=MEMBER, own=PAIR, tip_public=PAIR.public)
    with contextlib.suppress(Unopenable):
        members.open_by_recovery(data, member=MEMBER, recovery="bado" * 12, public=PAIR.public)
    with contextlib.suppress(Unopenable):
        padding.unpad(data)


def sealed_file(data: bytes) -> None:
    """A sealed file of chunks with any insides: lengths and tags by the first bytes, as a hostile browser could."""
    state = crypto_secretstream_xchacha20poly1305_state()
    parts = [crypto_secretstream_xchacha20poly1305_init_push(state, KEY)]
    bound: bytes | None = b"CBtf\x01" + FILE_NUMBER.to_bytes(4, "big") + TIP
    at = 0
    while at + 3 <= len(data) and len(parts) < 8:
        length, tag = int.from_bytes(data[at : at + 2], "big"), data[at + 2] % 5
        inside = data[at + 3 : at + 3 + min(length, 64)]
        # Bytes of filling follow, so that whole chunks can be reached by few bytes of input.
        plain = inside + bytes(max(0, length - len(inside)))
        parts.append(crypto_secretstream_xchacha20poly1305_push(state, plain, bound, min(tag, 3)))
        bound, at = None, at + 3 + len(inside)
    for whole in (b"".join(parts), data):
        with contextlib.suppress(Unopenable):
            length = sum(map(len, files.opened_blocks(io.BytesIO(whole), KEY, tip=TIP, number=FILE_NUMBER)))
            assert files.sealed_length(length) == len(whole)


def multipart(data: bytes) -> None:
    """A form with files, as the pages of sealed dialogues read it."""
    request = RequestFactory().generic("POST", "/", data, "multipart/form-data; boundary=b")
    begun: list[tuple[QueryDict, str]] = []
    handler = AnswerFiles(request, begins=lambda fields, name: begun.append((fields, name)))
    # Django answers both with a page and 400.
    with contextlib.suppress(MultiPartParserError, SuspiciousOperation):
        read_answer(request, handler)


def picture(data: bytes) -> None:
    """A picture: only what begins like one is given to the process that decodes."""
    if is_known(data):
        with contextlib.suppress(NotAPicture, PictureTooLarge):
            copies = make_public_copies(data)
            assert copies.full.startswith(b"\xff\xd8")


def _import(name: str, data: bytes, opens: Callable[[Path], Iterable[Record]]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / name
        file.write_bytes(data)
        with contextlib.suppress(FileNotReadable):
            assert all(bool(record.problem) or record.raw is not None for record in opens(file))


TARGETS: dict[str, Callable[[bytes], None]] = {
    each.__name__: each for each in (sms, mail, cap, table, geojson, receipt, boxes, sealed_file, multipart, picture)
}
