"""A real Postfix on loopback, with folders of its own: mail in by LMTP, mail out, and what cannot be delivered."""

from __future__ import annotations

import dataclasses
import os
import pwd
import shutil
import smtplib
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from email.message import EmailMessage
from pathlib import Path

import pytest
from aiosmtpd.controller import Controller
from django.conf import settings as site

from commonbeat.alerts.models import Sighting
from commonbeat.channels.email.addresses import read_token
from commonbeat.foundation import clock
from commonbeat.messaging import sealing
from commonbeat.messaging.actions import contact_for, record_outcomes, understand_batch
from commonbeat.messaging.actions.outbox import lease_batch
from commonbeat.messaging.channel import Failed, Outbound, Receipt, Sent, channels
from commonbeat.messaging.channel import Inbound as Message
from commonbeat.messaging.models import Inbound
from commonbeat.messaging.models import Outbound as Queued
from commonbeat.people.models import User
from commonbeat.reactions.inbound import handle
from commonbeat.reports.models import Report
from commonbeat.worker.mail import mail_intake
from commonbeat.worker.mail_lmtp import LmtpListener
from tests import make
from tests.alerts.going_out import alert_out, draft_of, fan_out, subscriber
from tests.channels.mails import ADDRESS, PERSON, mail, with_mail
from tests.channels.test_email_sending import Server
from tests.durability.site import free_port
from tests.intake.look_outs import make_town

POSTFIX = shutil.which("postfix", path="/usr/sbin:/usr/bin") or ""
MISSING = (
    "Postfix is absent (Debian: apt install postfix)"
    if not POSTFIX
    else "Postfix can be started by root only"
    if os.geteuid() != 0
    else ""
)
pytestmark = [
    pytest.mark.postfix,
    pytest.mark.slow,
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(bool(MISSING), reason=MISSING),
]

MAIN = """
compatibility_level = 3.6
queue_directory = {folder}/queue
data_directory = {folder}/data
maillog_file = {folder}/log
maillog_file_prefixes = {folder}
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
myhostname = mx.town.example
mydestination = town.example
alias_maps = inline:{{ {{ nobody-any-more = nobody@town.example }} }}
alias_database =
recipient_delimiter = +
# As in docs/channels/email.md; and one that our listener does not know.
transport_maps = inline:{{ {{ report@town.example = lmtp:inet:127.0.0.1:{lmtp} }}
  {{ nobody@town.example = lmtp:inet:127.0.0.1:{lmtp} }}
  {{ arta@people.example = smtp:[127.0.0.1]:{person} }} }}
local_recipient_maps = $alias_maps inline:{{ {{ report = x }} {{ nobody = x }} }}
default_transport = error:5.1.2 no such host
smtpd_relay_restrictions = permit_mynetworks, reject
mynetworks = 127.0.0.0/8
smtp_host_lookup = native
message_size_limit = 26214400
minimal_backoff_time = 1s
maximal_backoff_time = 1s
queue_run_delay = 1s
"""
MASTER = """
127.0.0.1:{smtp} inet n - n - - smtpd
pickup unix n - n 60 1 pickup
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
verify unix - - n - 1 verify
flush unix n - n 1000? 0 flush
proxymap unix - - n - - proxymap
smtp unix - - n - - smtp
error unix - - n - - error
retry unix - - n - - error
lmtp unix - - n - - lmtp
anvil unix - - n - 1 anvil
scache unix - - n - 1 scache
postlog unix-dgram n - n - 1 postlogd
tlsmgr unix - - n 1000? 1 tlsmgr
"""


def wait_for(what: Callable[[], object], seconds: float = 20.0) -> None:
    until = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < until, "Postfix did not do it in time"
        time.sleep(0.05)


@dataclasses.dataclass
class Postfix:
    port: int
    listener: LmtpListener
    # Where the mail of the person is taken.
    person_port: int

    def deliver(self, data: bytes, to: str = ADDRESS) -> None:
        with smtplib.SMTP("127.0.0.1", self.port, local_hostname="people.example", timeout=10) as server:
            server.sendmail(PERSON, [to], data)


@pytest.fixture
def postfix(settings) -> Iterator[Postfix]:
    # Not the test's own folder: Postfix's programs run as another user, who must get there.
    folder = Path(tempfile.mkdtemp(prefix="commonbeat-postfix-"))
    folder.chmod(0o755)
    ports = {"lmtp": free_port(), "smtp": free_port(), "person": free_port()}
    for name in ("etc", "queue", "data"):
        (folder / name).mkdir()
    os.chown(folder / "data", pwd.getpwnam("postfix").pw_uid, -1)
    (folder / "etc/main.cf").write_text(MAIN.format(folder=folder, **ports))
    (folder / "etc/master.cf").write_text(MASTER.format(**ports))
    settings.COMMONBEAT = with_mail(
        settings.COMMONBEAT,
        mail_lmtp_port=ports["lmtp"],
        mail_smtp_host="127.0.0.1",
        mail_smtp_port=ports["smtp"],
        mail_smtp_security="none",
    )
    intake = mail_intake(settings.COMMONBEAT, on_stored=lambda: None)
    assert intake is not None
    listener = LmtpListener(settings.COMMONBEAT, intake)
    control = [POSTFIX, "-c", str(folder / "etc")]
    started = subprocess.run([*control, "start"], capture_output=True, timeout=60, check=False)
    try:
        assert started.returncode == 0, started.stderr
        listener.start()
        assert listener.is_listening.wait(5)
        wait_for(lambda: _answers(ports["smtp"]))
        yield Postfix(ports["smtp"], listener, ports["person"])
    finally:
        subprocess.run([*control, "stop"], capture_output=True, timeout=60, check=False)
        listener.stop()
        shutil.rmtree(folder, ignore_errors=True)


def _answers(port: int) -> bool:
    try:
        with smtplib.SMTP("127.0.0.1", port, local_hostname="x.example", timeout=2):
            return True
    except (OSError, smtplib.SMTPException):
        return False


def stored() -> list[Message | Receipt]:
    rows = Inbound.objects.order_by("id")
    return [sealing.open_inbound(site.COMMONBEAT.secret, row.body_sealed) for row in rows]


def test_mail_comes_in_once(postfix: Postfix) -> None:
    for _ in range(3):
        postfix.deliver(mail("Është errët te ura.", Subject="Llamba"))
    postfix.deliver(mail("Another.", Message_ID="<2@people.example>"))
    wait_for(lambda: Inbound.objects.count() == 2)
    texts = [one.text for one in stored() if isinstance(one, Message)]
    assert sorted(texts) == ["Lamp\nAnother.", "Llamba\nËshtë errët te ura."]


def test_mail_that_could_not_be_stored_comes_again(postfix: Postfix) -> None:
    postfix.listener.stop()
    postfix.deliver(mail())
    again = LmtpListener(site.COMMONBEAT, postfix.listener._intake)
    again.start()
    wait_for(lambda: Inbound.objects.count() == 1)
    again.stop()


def test_what_the_server_refuses_at_once_is_for_good(postfix: Postfix) -> None:
    message = Outbound(recipient="nobody@elsewhere.example", text="hello", idempotency_key="in:7:0")
    assert channels()["email"].send(message) == Failed("smtp 550", permanent=True)


def test_mail_that_cannot_be_delivered_comes_back_as_a_receipt(postfix: Postfix) -> None:
    # Postfix takes it, hands it to our listener, hears that nobody of that name lives here, and returns it.
    message = Outbound(recipient="nobody@town.example", text="hello", idempotency_key="in:8:0")
    sent = channels()["email"].send(message)
    assert isinstance(sent, Sent)
    wait_for(lambda: Inbound.objects.count() == 1)
    (receipt,) = stored()
    assert isinstance(receipt, Receipt)
    assert (receipt.about, receipt.outcome, receipt.error) == (sent.provider_id, "failed", "bounce 5.1.1")


def _id_of(letter: EmailMessage) -> str:
    found = read_token(site.COMMONBEAT, letter["message-id"][1:].partition("@")[0])
    return found.payload.hex() if found is not None else ""


def test_the_answer_to_an_alerts_letter_comes_back_as_a_sighting_of_it(
    postfix: Postfix, unit: object, officer: User, monkeypatch
) -> None:
    monkeypatch.setattr(clock, "now", lambda: make.NOW)
    make_town()
    mailbox = Server()
    controller = Controller(
        mailbox, hostname="127.0.0.1", port=postfix.person_port, server_hostname="mx.people.example"
    )
    controller.start()
    try:
        person = contact_for(kind="email", address=PERSON, channel="email", language="en", now=make.NOW)
        subscriber(contact=person)
        for _ in range(2):
            alert = alert_out(officer, draft=draft_of(kind="look_out"))
            fan_out(alert)
        for one in lease_batch(channel="email", limit=9, now=make.NOW):
            record_outcomes([(one.id, channels()["email"].send(one.message))], now=make.NOW)
        wait_for(lambda: len(mailbox.taken) == 2)
    finally:
        controller.stop()
    # The second alert is meant; Postfix may have brought them in any order.
    gone = {row.idempotency_key: row.provider_id for row in Queued.objects.all()}
    wanted = gone[f"alert:{alert.pk}:{person.pk}"]
    (letter,) = (one for _from, _to, one in mailbox.taken if _id_of(one) == wanted)
    heads = {"Subject": f"Re: {letter['subject']}", "In_Reply_To": letter["message-id"], "To": letter["reply-to"]}
    quoted = "".join(f"> {line}\n" for line in letter.get_content().splitlines())
    said = f"A white van with two men\n\nOn Tue, 3 Mar 2026, Town <{ADDRESS}> wrote:\n{quoted}"
    postfix.deliver(mail("I am away", **{**heads, "Auto_Submitted": "auto-replied", "Message_ID": "<away@x.example>"}))
    postfix.deliver(mail(said, **heads), to=letter["reply-to"])
    wait_for(lambda: Inbound.objects.count() == 2)
    understand_batch(handle, make.NOW)
    report = Report.objects.get()
    assert (report.text, report.contact_confirmed) == ("A white van with two men", True)
    assert (Sighting.objects.get().alert_id, Sighting.objects.get().report_id) == (alert.pk, report.pk)
