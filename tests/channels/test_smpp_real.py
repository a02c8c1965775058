"""A message centre of another make (npm's smpp) on loopback: both directions, receipts, pieces, a broken line."""

from __future__ import annotations

import json
import os
import queue
import shutil
import subprocess
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings as site

from commonbeat.channels.smpp_sms import SmppSms
from commonbeat.messaging.channel import Inbound, Outbound, Receipt, Sent
from tests.channels.npm import npm_installs
from tests.durability.site import free_port

NODE = shutil.which("node") or ""
NPM = shutil.which("npm") or ""
VERSION = "0.5.1"
MESSAGE = Outbound(recipient="+38344123456", text="Your reference is KX7M-4QXP-2R.", idempotency_key="in:7:0")

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not (NODE and NPM), reason="node and npm are absent (Debian: apt install nodejs npm)"),
]


@pytest.fixture(scope="session")
def library(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Fetch the message centre's library into a temporary folder, or take one that is there."""
    named = os.environ.get("COMMONBEAT_TEST_SMPP_LIBRARY")
    if named:
        return Path(named)
    folder = tmp_path_factory.mktemp("smpp")
    command = [NPM, "install", "--silent", "--no-audit", "--no-fund", "--ignore-scripts", f"smpp@{VERSION}"]
    if not npm_installs(command, folder):
        where = "set COMMONBEAT_TEST_SMPP_LIBRARY to its folder"
        pytest.skip(f"npm could not fetch smpp@{VERSION} ({where}); not in CI without npm's registry")
    return folder / "node_modules" / "smpp"


class Centre:
    """Run the message centre, and talk to it by lines of JSON."""

    def __init__(self, library: Path) -> None:
        self.port = free_port()
        script = Path(__file__).with_name("smpp_centre.js")
        self.process = subprocess.Popen(
            [NODE, str(script), str(self.port), str(library)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self._news: queue.Queue[dict[str, Any]] = queue.Queue()
        threading.Thread(target=self._read, daemon=True).start()
        assert self.hear("ready")

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self._news.put(json.loads(line))

    def order(self, **what: Any) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(json.dumps(what) + "\n")
        self.process.stdin.flush()

    def hear(self, key: str) -> dict[str, Any]:
        until = time.monotonic() + 10
        while True:
            news = self._news.get(timeout=max(0.01, until - time.monotonic()))
            if key in news:
                return news

    def close(self) -> None:
        self.process.kill()
        self.process.wait()


@pytest.fixture
def centre(library: Path) -> Iterator[Centre]:
    running = Centre(library)
    yield running
    running.close()


class Worker:
    """Keep the line open as the worker does, and keep what arrives."""

    def __init__(self, port: int, **more: Any) -> None:
        options = replace(
            site.COMMONBEAT,
            smpp_host="127.0.0.1",
            smpp_port=port,
            smpp_system_id="commonbeat",
            smpp_password="word",
            smpp_from="1550",
            **more,
        )
        self.channel = SmppSms(lambda: options)
        self.stored: queue.Queue[Inbound | Receipt] = queue.Queue()
        self.is_away = False
        self.channel.keep_open(self._receive)

    def _receive(self, messages) -> None:
        if self.is_away:
            raise OSError("the database is away")
        for message in messages:
            self.stored.put(message)

    def next(self) -> Inbound | Receipt:
        return self.stored.get(timeout=10)


@pytest.fixture
def worker(centre: Centre) -> Iterator[Worker]:
    running = Worker(centre.port)
    assert centre.hear("bind")["bind"]
    yield running
    running.channel.close()


def test_a_message_goes_out_and_its_receipt_comes_back(centre: Centre, worker: Worker) -> None:
    sent = worker.channel.send(MESSAGE)
    assert isinstance(sent, Sent)
    arrived = centre.hear("submit")
    assert (arrived["to"], arrived["text"], arrived["coding"]) == ("38344123456", MESSAGE.text, 0)
    assert sent.provider_id == arrived["submit"]
    # The centre answered in hexadecimal and reports in decimal, as many do.
    number = int(arrived["submit"], 16)
    centre.order(receipt=True, text=f"id:{number} sub:001 dlvrd:001 submit date:2603141200 stat:DELIVRD err:000 text:x")
    assert centre.hear("acknowledged")["acknowledged"] == 0
    receipt = worker.next()
    assert isinstance(receipt, Receipt)
    assert (receipt.about, receipt.outcome) == (sent.provider_id, "delivered")


def test_every_alphabet_and_length_arrives_as_written(centre: Centre, worker: Worker) -> None:
    for text, coding, parts in (
        ("[Rr. e Urës] 5€ {~}", None, 1),
        ("zjarr te ura [1] ", 0, 1),
        ("رقم البلاغ 🔥", 8, 1),
        ("x" * 161, 0, 2),
        ("ë" + "🔥" * 40, 8, 2),
    ):
        sent = worker.channel.send(replace(MESSAGE, text=text))
        assert isinstance(sent, Sent)
        arrived = [centre.hear("submit") for _ in range(parts)]
        assert "".join(one["text"] for one in arrived) == text
        assert coding is None or {one["coding"] for one in arrived} == {coding}
        assert all(one["udh"] == (parts > 1) for one in arrived)
        assert len(sent.part_ids) == (parts if parts > 1 else 0)


def test_what_a_person_writes_is_stored_before_it_is_acknowledged(centre: Centre, worker: Worker) -> None:
    worker.is_away = True
    centre.order(text="zjarr")
    assert centre.hear("acknowledged")["acknowledged"] != 0
    worker.is_away = False
    centre.order(text="zjarr")
    assert centre.hear("acknowledged")["acknowledged"] == 0
    message = worker.next()
    assert isinstance(message, Inbound)
    assert (message.sender, message.text) == ("+38344123456", "zjarr")
    # The same words once more are another message: people do answer “1” twice.
    centre.order(text="zjarr")
    again = worker.next()
    assert again.provider_id != message.provider_id


def test_pieces_say_which_they_are(centre: Centre, worker: Worker) -> None:
    centre.order(text="shkolla", udh="050003070202")
    message = worker.next()
    assert isinstance(message, Inbound)
    assert message.piece is not None
    assert (message.piece.reference, message.piece.number, message.piece.total) == ("7", 2, 2)


def test_after_a_broken_line_it_binds_again_and_knows_what_it_may_hear_twice(centre: Centre, worker: Worker) -> None:
    centre.order(text="zjarr")
    first = worker.next()
    centre.order(hangup=True)
    assert centre.hear("bind")["bind"]
    # The centre may not have heard the acknowledgement.
    centre.order(text="zjarr")
    assert worker.next().provider_id == first.provider_id
    assert isinstance(worker.channel.send(MESSAGE), Sent)


def test_the_line_is_closed_politely(centre: Centre) -> None:
    worker = Worker(centre.port)
    assert centre.hear("bind")["bind"]
    worker.channel.close()
    assert centre.hear("unbind")
