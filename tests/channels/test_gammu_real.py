"""A real gammu-smsd with its dummy modem: texts in and out in both alphabets and in parts, on loopback."""

from __future__ import annotations

import dataclasses
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from commonbeat.messaging.channel import Inbound, Outbound, Sent, channels
from tests.channels.gammu_bridge import KEY, Bridge, Site, wait_for
from tests.durability.site import free_port

SMSD = shutil.which("gammu-smsd") or "/usr/bin/gammu-smsd"
pytestmark = [
    pytest.mark.gammu,
    pytest.mark.slow,
    pytest.mark.skipif(not Path(SMSD).exists(), reason="gammu-smsd is absent (Debian: apt install gammu-smsd)"),
]
NUMBER = "+38344123456"


@dataclasses.dataclass
class Modem:
    """A running gammu-smsd whose modem is a folder."""

    bridge: Bridge
    site: Site
    came: int = 0

    def arrives(self, *parts: str, number: str = NUMBER, reference: int = 0x24) -> None:
        """Let a text arrive at the modem, in these parts."""
        for at, part in enumerate(parts, start=1):
            header = f"UDH = 050003{reference:02X}{len(parts):02X}{at:02X}\n" if len(parts) > 1 else ""
            octets = part.encode("utf-16-be").hex().upper()
            text = "\n".join(
                f"Text{first // 200:02d} = {octets[first : first + 200]}" for first in range(0, len(octets), 200)
            )
            self.came += 1
            waiting = self.bridge.folder / f"waiting-{self.came}"
            waiting.write_text(
                f'[SMSBackup000]\nPDU = Deliver\nDateTime = 20260314T120000Z\nState = UnRead\nNumber = "{number}"\n'
                f'Name = ""\n{header}{text}\nCoding = Unicode_No_Compression\nFolder = 1\n'
                f"Length = {len(octets) // 4}\nClass = -1\nReplySMSC = False\nRejectDuplicates = False\n"
                "ReplaceMessage = 0\nMessageReference = 0\n"
            )
            waiting.rename(self.bridge.folder / f"phone/sms/1/{self.came}")

    def log(self) -> str:
        """Give what gammu-smsd wrote of its work."""
        return (self.bridge.folder / "smsd.log").read_text("utf-8", "replace")


@pytest.fixture
def modem(tmp_path: Path, settings) -> Iterator[Modem]:
    site, bridge = Site(), Bridge(tmp_path, free_port())
    bridge.prepare(site.port)
    rc = tmp_path / "smsdrc"
    # What a modem is given stands nowhere but in the log.
    rc.write_text(rc.read_text().replace("debuglevel = 0", f"debuglevel = 255\nlogfile = {tmp_path}/smsd.log"))
    settings.COMMONBEAT = dataclasses.replace(
        settings.COMMONBEAT, webhook_key=KEY, webhook_send_url=f"http://127.0.0.1:{bridge.port}/"
    )
    bridge.start()
    with (tmp_path / "smsd.out").open("wb") as out:
        smsd = subprocess.Popen([SMSD, "-c", str(rc)], stdout=out, stderr=out)
    try:
        yield Modem(bridge, site)
    finally:
        smsd.terminate()
        try:
            smsd.wait(10)
        except subprocess.TimeoutExpired:
            smsd.kill()
            smsd.wait()
        bridge.stop()
        site.close()


def test_texts_come_in_whole_in_any_script(modem: Modem) -> None:
    long = ("Hedhurina pas shkollës, " * 4)[:67], ("te ura e vjetër. " * 4)[:67], "نفايات 🙂"
    modem.arrives("Zjarr te ura, 100% e vërtetë\nرقم 🙂")
    modem.arrives(*long, number="+38344999888")
    modem.arrives("1", number="1550")
    wait_for(lambda: len(modem.site.parsed) == 3)
    got = {(one.sender, one.text) for one in modem.site.parsed if isinstance(one, Inbound)}
    assert got == {
        (NUMBER, "Zjarr te ura, 100% e vërtetë\nرقم 🙂"),
        ("+38344999888", "".join(long)),
        ("1550", "1"),
    }
    # Neither the modem nor gammu-smsd nor the bridge keeps a copy.
    wait_for(lambda: not modem.bridge.names("state/in"))
    assert modem.bridge.names("inbox") == modem.bridge.names("phone/sms/1") == []


def test_a_text_that_came_while_the_site_was_down_comes_later(modem: Modem) -> None:
    modem.bridge.stop()
    modem.arrives("Light broken")
    wait_for(lambda: modem.bridge.names("state/in"))
    modem.bridge.start()
    (message,) = wait_for(lambda: modem.site.parsed)
    assert isinstance(message, Inbound) and message.text == "Light broken"


def test_texts_go_out_in_the_alphabet_and_the_parts_that_they_need(modem: Modem) -> None:
    channel = channels()["webhook_sms"]
    plain = Outbound(recipient=NUMBER, text="Your reference is KX7M-4QXP-2R. @ {x} €", idempotency_key="in:1:0")
    arabic = Outbound(recipient="+38344999888", text="رقم البلاغ 🙂 " * 12, idempotency_key="in:2:0")
    assert isinstance(channel.send(plain), Sent)
    assert isinstance(channel.send(arabic), Sent)
    assert isinstance(channel.send(plain), Sent)
    wait_for(lambda: len(modem.bridge.names("state/done")) == 2)
    log = modem.log()
    sent = [line.rpartition(" Transmitted ")[2] for line in log.splitlines() if " Transmitted " in line]
    assert sorted("(total: 1)" in one or "(total: 3)" in one or "(part: " in one for one in sent) == [True] * 4
    assert sum(f"to {NUMBER}" in one for one in sent) == 1
    # 7 bits for the one, three parts of 67 in UCS-2 for the other.
    assert log.count("7 bit SMS, length") == 1
    assert log.count("Unicode SMS, length 67") == 2
    assert modem.bridge.names("outbox") == modem.bridge.names("sent") == []
