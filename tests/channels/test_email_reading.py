"""E-mail read: whose it is, what they say, and what a machine wrote."""

from __future__ import annotations

import base64
import io
import time
import zipfile
from email.message import EmailMessage
from email.policy import SMTP
from pathlib import Path

import pytest

from commonbeat.channels.email.addresses import Purpose, address_with, read_recipient, token
from commonbeat.channels.email.html_text import text_of_html
from commonbeat.channels.email.quotes import without_history
from commonbeat.channels.email.reading import TEXT_LIMIT, read_mail
from commonbeat.config.options import Options
from commonbeat.messaging.channel import Inbound, Receipt
from commonbeat.messaging.mail import Mail
from commonbeat.messaging.sealing import seal_inbound
from tests.channels.mails import ADDRESS, PERSON, mail, reply_address, with_mail


@pytest.fixture
def options() -> Options:
    return with_mail(Options(data_dir=Path("unused"), secret_key="a key for tests only, of sufficient length"))


def read(options: Options, data: bytes, *recipients: str, envelope: str | None = PERSON) -> Mail:
    return read_mail(options, data, recipients=recipients or (ADDRESS,), envelope_sender=envelope)


def message(options: Options, data: bytes, *recipients: str, envelope: str | None = PERSON) -> Inbound:
    found = read(options, data, *recipients, envelope=envelope).message
    assert isinstance(found, Inbound)
    return found


def picture(size: int = 4_000, kind: str = "jpeg") -> EmailMessage:
    letter = EmailMessage(policy=SMTP)
    letter["From"], letter["To"], letter["Subject"] = PERSON, ADDRESS, "Dump"
    letter.set_content("See the photo.")
    letter.add_attachment(b"\xff\xd8\xff" + b"x" * size, maintype="image", subtype=kind, filename="a.jpg")
    return letter


# ------------------------------------------------------------------ addresses


def test_a_token_is_read_again_and_names_nobody(options: Options) -> None:
    address = reply_address(options)
    found = read_recipient(options, address.upper())
    assert found is not None
    assert found.purpose is Purpose.REPLY
    assert len(found.payload) == 10
    assert "arta" not in address
    assert len(address.partition("@")[0]) <= 64


def test_a_token_of_another_purpose_key_or_letter_is_wrong(options: Options) -> None:
    good = token(options, Purpose.REPLY, b"0123456789")
    other = with_mail(Options(data_dir=Path("unused"), secret_key="another key for tests, of sufficient length"))
    wrong = [
        "s" + good[1:],
        token(other, Purpose.REPLY, b"0123456789"),
        good[:-1] + ("a" if good[-1] != "a" else "b"),
        good[:5] + ("a" if good[5] != "a" else "b") + good[6:],
        good[:-8],
        "r",
        "hello",
        "ë" * 33,
    ]
    for each in wrong:
        found = read_recipient(options, f"report+{each}@town.example")
        assert found is not None
        assert found.purpose is None
        assert found.has_wrong_token


@pytest.mark.parametrize(
    "address", ["x@town.example", "report@other.example", "", "report", "@", "reports@town.example"]
)
def test_what_is_not_ours(options: Options, address: str) -> None:
    assert read_recipient(options, address) is None


# ------------------------------------------------------------------ who and what


def test_a_first_letter_is_subject_and_text(options: Options) -> None:
    found = message(options, mail("It is dark.\n", Date="Sat, 14 Mar 2026 12:00:00 +0100"))
    assert (found.sender, found.text) == (PERSON, "Lamp\nIt is dark.")
    assert not found.is_proven
    assert not found.is_automatic
    assert found.thread == "<1@people.example>"
    assert found.sent_at is not None
    assert found.sent_at.isoformat() == "2026-03-14T11:00:00+00:00"


def test_an_answer_is_its_text_alone(options: Options) -> None:
    assert message(options, mail("At the bridge.", Subject="Re: Lamp")).text == "At the bridge."
    assert message(options, mail("Lamp is dark.")).text == "Lamp is dark."
    assert message(options, mail("yes", Subject="Lamp"), reply_address(options)).text == "yes"
    assert message(options, mail("\n", Subject="STOP")).text == "STOP"


def test_a_reply_belongs_to_whoever_has_the_token(options: Options) -> None:
    assert len(read(options, mail(), reply_address(options)).conversation) == 10
    assert read(options, mail()).conversation == b""
    # Where only the head tells, as in a mailbox.
    assert read_mail(options, mail(To=reply_address(options)), recipients=()).conversation != b""
    # A mail that comes twice, to both addresses, is one message.
    both = mail(To=reply_address(options), Cc=ADDRESS)
    assert read(options, both).message.provider_id == read(options, both, reply_address(options)).message.provider_id


def test_the_same_mail_has_the_same_id_and_another_another(options: Options) -> None:
    first = message(options, mail()).provider_id
    assert message(options, b"Received: by another way\r\n" + mail()).provider_id == first
    assert message(options, mail(From="Else <else@people.example>")).provider_id != first
    assert message(options, mail(Message_ID="<2@people.example>")).provider_id != first
    without = [message(options, mail(text, Message_ID="")).provider_id for text in ("a lamp", "a lamp", "a dump")]
    assert without[0] == without[1] != without[2]


def test_plain_text_is_preferred_and_html_is_turned_into_text(options: Options) -> None:
    letter = EmailMessage(policy=SMTP)
    letter["From"], letter["To"] = PERSON, ADDRESS
    letter.set_content(
        "<p>Dump &amp; smoke</p><script>alert(1)</script><img src='https://x.example/t.gif'>", subtype="html"
    )
    assert message(options, letter.as_bytes()).text == "Dump & smoke"
    letter.clear_content()
    letter.set_content("plain")
    letter.add_alternative("<p>html</p>", subtype="html")
    assert message(options, letter.as_bytes()).text == "plain"


@pytest.mark.parametrize(
    ("charset", "body"),
    [
        ("utf-8", "ë ç".encode()),
        ("iso-8859-1", "ë ç".encode("latin-1")),
        ("utf-8", "ë ç".encode("windows-1252")),
        ("no-such-charset", "ë ç".encode()),
        ("hex", "ë ç".encode()),
        ("", "ë ç".encode()),
    ],
)
def test_a_wrong_charset_is_tolerated(options: Options, charset: str, body: bytes) -> None:
    kind = f"Content-Type: text/plain; charset={charset}\r\n".encode() if charset else b""
    data = b"From: a@b.example\r\n" + kind + b"Content-Transfer-Encoding: 8bit\r\n\r\n" + body + b"\r\n"
    assert message(options, data).text == "ë ç"


def test_a_header_that_is_encoded_wrongly_is_read_as_it_came(options: Options) -> None:
    data = b"From: a@b.example\r\nSubject: =?utf-8?b?\0\0s=?=\r\nContent-Type: text/plain\r\n\r\nThe lamp is dark.\r\n"
    assert message(options, data).text.endswith("The lamp is dark.")


def test_pictures_are_taken_three_at_most_and_nothing_else(options: Options) -> None:
    letter = picture()
    for number in range(3):
        letter.add_attachment(b"\xff\xd8\xff" + bytes([number]) * 4_000, maintype="image", subtype="png", filename="b")
    bomb = io.BytesIO()
    with zipfile.ZipFile(bomb, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("zeros", b"\x00" * 5_000_000)
    letter.add_attachment(bomb.getvalue(), maintype="application", subtype="zip", filename="c.zip")
    letter.add_attachment(b"x", maintype="video", subtype="mp4", filename="d.mp4")
    letter.add_attachment("text", subtype="plain", filename="e.txt")
    found = read(options, letter.as_bytes())
    assert isinstance(found.message, Inbound)
    assert len(found.pictures) == 3
    assert found.message.attachments == ("photo", "file", "video", "file")
    assert found.message.text == "Dump\nSee the photo."


# ------------------------------------------------------------------ history and signature


@pytest.mark.parametrize(
    ("text", "own"),
    [
        ("yes\n\nOn Tue, 3 Mar 2026 at 10:00, Town <report@town.example> wrote:\n> ~~~ Write above. ~~~\n> hi", "yes"),
        ("yes\n\nAm 3.3.2026 schrieb Town\n<report@town.example>:\n\n> ~~~ Write above. ~~~\n>\n> hi", "yes"),
        ("yes\n\nFrom: Town\nSent: Tuesday\nTo: Arta\nSubject: Lamp\n\n~~~ Write above. ~~~\nhi", "yes"),
        ("yes\n\n-----Original Message-----\nFrom: T\nSent: x\nTo: y\n\n~~~ Write above. ~~~\nhi", "yes"),
        ("yes\n\nOn Tuesday Arta <a@b.example> wrote:\n> hi\n> ho\n", "yes"),
        ("STOP\n-- \nArta\nStreet 1", "STOP"),
        ("STOP\n\nSent from my iPhone", "STOP"),
        # Not certain: all of it stays.
        ("They wrote to me:\n> pay or else", "They wrote to me:\n> pay or else"),
        ("> which lamp?\nthe left\n> since when?\nMonday", "> which lamp?\nthe left\n> since when?\nMonday"),
        ("~~~ not a mark", "~~~ not a mark"),
        ("> ~~~ Write above. ~~~\n> hi\n\nbelow", "> ~~~ Write above. ~~~\n> hi\n\nbelow"),
        # Ours alone.
        ("\nOn Tue, 3 Mar 2026, Town <report@town.example> wrote:\n> ~~~ Write above. ~~~\n>\n> hi\n", ""),
        ("-- \nonly a signature", "-- \nonly a signature"),
        ("Dump:\n- tyres\n- glass", "Dump:\n- tyres\n- glass"),
    ],
)
def test_history_is_cut_where_it_is_certain(text: str, own: str) -> None:
    assert without_history(text) == own
    assert without_history(text.replace("\n", "\r\n")) == own


def test_html_is_text_in_lines() -> None:
    html = (
        "<html><head><style>a{}</style><title>t</title></head><body><!--[if mso]><xml>q</xml><![endif]-->"
        "<div>one<br>two</div><p>1 < 2 &amp; 3</p><blockquote>old</blockquote><![endif]></body></html>"
    )
    assert text_of_html(html) == "one\ntwo\n\n1 < 2 & 3\n\n> old"


@pytest.mark.parametrize("piece", ["<!", "<a", "<a b=", "<!--", "<a b='", "<![", "</", "<?", "<script>", "<div>", "&#"])
def test_hostile_html_takes_no_time(piece: str) -> None:
    started = time.process_time()
    text_of_html(piece * 100_000)
    assert time.process_time() - started < 2.0


# ------------------------------------------------------------------ machines


@pytest.mark.parametrize(
    "heads",
    [
        {"Auto_Submitted": "auto-replied"},
        {"Auto_Submitted": "auto-generated (vacation)"},
        {"Precedence": "bulk"},
        {"X_Auto_Response_Suppress": "All"},
        {"List_Id": "<list.example>"},
        {"List_Unsubscribe": "<mailto:x@y.example>"},
        {"Return_Path": "<>"},
        {"From": "MAILER-DAEMON@people.example"},
        {"From": "no-reply@shop.example"},
        {"From": ADDRESS},
        {"Subject": "Automatic reply: Look out for a white van"},
        {"Subject": "Përgjigje automatike: Lamp"},
    ],
)
def test_a_machine_is_recognised(options: Options, heads: dict[str, str]) -> None:
    assert message(options, mail(**heads)).is_automatic


def test_a_person_may_write_of_offices(options: Options) -> None:
    assert not message(options, mail(Subject="Out of office chairs lie at the river")).is_automatic
    assert not message(options, mail(Subject="Automatic replies of the town hall")).is_automatic


def test_which_of_our_mails_is_answered(options: Options) -> None:
    ours, theirs = f"<{token(options, Purpose.THREAD, b'0123456789')}@town.example>", "<2@people.example>"
    wanted = b"0123456789".hex()
    for heads, answers in (
        ({"In_Reply_To": ours}, wanted),
        ({"References": f"{theirs} {ours}"}, wanted),
        ({"In_Reply_To": ours, "References": f"{ours} {theirs}"}, wanted),
        ({"In_Reply_To": theirs, "References": f"{theirs} {ours}"}, ""),
        ({"References": f"{ours} {theirs}"}, ""),
        ({"In_Reply_To": ours.replace("town", "other")}, ""),
        ({"In_Reply_To": f"<{token(options, Purpose.BOUNCE, b'0123456789')}@town.example>"}, ""),
        ({"In_Reply_To": "nothing"}, ""),
        ({}, ""),
    ):
        assert message(options, mail(**heads)).answers == answers, heads


def test_a_subject_that_somebody_wrote_is_kept_and_ours_is_not(options: Options) -> None:
    quoted = "\nOn Tue, 3 Mar 2026, Town <report@town.example> wrote:\n> ~~~ Write above. ~~~\n>\n> A dog\n> is lost\n"
    to = reply_address(options)
    for subject, text in (
        ("Re: Your message to Commonbeat", ""),
        ("Re: A dog is lost", ""),
        ("Re: It sits at the mill", "It sits at the mill"),
    ):
        assert message(options, mail(quoted, Subject=subject), to).text == text, subject


def test_the_null_sender_and_our_own_mail_are_automatic(options: Options) -> None:
    assert message(options, mail(), envelope="").is_automatic
    own = f"<{token(options, Purpose.THREAD, b'0123456789')}@town.example>"
    assert message(options, mail(Message_ID=own)).is_automatic
    assert not message(options, mail(Message_ID="<made-up@town.example>")).is_automatic
    assert not message(options, mail(Auto_Submitted="no")).is_automatic


def bounce(action: str, status: str = "5.1.1", sender: str = "MAILER-DAEMON@mx.example") -> bytes:
    return (
        f"From: {sender}\r\nTo: x\r\nMIME-Version: 1.0\r\n"
        'Content-Type: multipart/report; report-type=delivery-status; boundary="b"\r\n\r\n'
        "--b\r\nContent-Type: text/plain\r\n\r\nsorry, arta@people.example\r\n"
        "--b\r\nContent-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; mx\r\n\r\n"
        f"Final-Recipient: rfc822; arta@people.example\r\nAction: {action}\r\nStatus: {status}\r\n\r\n--b--\r\n"
    ).encode()


def test_returned_mail_is_a_receipt(options: Options) -> None:
    to = address_with(options, Purpose.BOUNCE, b"0123456789")
    found = read(options, bounce("failed"), to, envelope="").message
    assert found == Receipt(
        provider_id="30313233343536373839:failed", about="30313233343536373839", outcome="failed", error="bounce 5.1.1"
    )
    delivered = read(options, bounce("delivered", "2.0.0"), to, envelope="").message
    assert isinstance(delivered, Receipt)
    assert delivered.outcome == "delivered"


def test_what_else_comes_to_the_return_address_is_kept_and_says_nothing(options: Options) -> None:
    to = address_with(options, Purpose.BOUNCE, b"0123456789")
    for data in (bounce("delayed", "4.4.1"), mail("I am away", Auto_Submitted="auto-replied"), mail("hello")):
        found = message(options, data, to, envelope="")
        assert found.is_automatic
    prose = read(options, mail("This is qmail. Sorry.", From="MAILER-DAEMON@mx.example"), to, envelope="").message
    assert isinstance(prose, Receipt)
    # Without our token nobody can make a mail of ours fail.
    assert isinstance(read(options, bounce("failed"), ADDRESS, envelope="").message, Inbound)


def test_unsubscribing_is_stop_whatever_the_program_writes(options: Options) -> None:
    to = address_with(options, Purpose.STOP, b"0123456789")
    found = read(options, mail("This message was generated by your mail program.", Precedence="bulk"), to)
    assert isinstance(found.message, Inbound)
    assert (found.message.text, found.message.is_automatic, found.conversation) == ("STOP", False, b"0123456789")


# ------------------------------------------------------------------ whatever comes


def nested(depth: int) -> bytes:
    heads = "".join(f'--b{n}\r\nContent-Type: multipart/mixed; boundary="b{n + 1}"\r\n\r\n' for n in range(depth))
    return (
        f'From: a@b.example\r\nSubject: deep\r\nContent-Type: multipart/mixed; boundary="b0"\r\n\r\n{heads}'
        f"--b{depth}\r\nContent-Type: text/plain\r\n\r\nhello\r\n"
    ).encode()


HOSTILE = {
    "nothing": b"",
    "no head": b"\r\n\r\nhello",
    "bytes": bytes(range(256)) * 40,
    "nul": mail("a\x00b", Subject="x").replace(b"Lamp", b"La\x00mp"),
    "nested": nested(1_000),
    "no end": nested(3),
    "bad base64": b"From: a@b.example\r\nContent-Transfer-Encoding: base64\r\n\r\n!!!a",
    "bad encoded word": b"From: =?utf-8?b?!!!?= <a@b.example>\r\nSubject: =?x?q?=ZZ?=\r\nDate: 99 Foo\r\n\r\nhello",
    "many from": b"From: " + b"a@b.example, " * 50_000 + b"\r\n\r\nhello",
    "many headers": b"X: y\r\n" * 100_000 + b"\r\nhello",
    "address": b"From: <<<>>>((((@,;:\r\nTo: @@@\r\n\r\nhello",
    "charset": b"From: a@b.example\r\nContent-Type: text/plain; charset*=x'y'%ff; charset=\"\xff\"\r\n\r\nhello",
    # Half an emoji, which no database takes; and a codec that fails where the library does not expect it.
    "escapes": b"From: a@b.example\r\nContent-Type: text/plain; charset=unicode-escape\r\n\r\nhello \\ud800",
    "utf-7": b"From: a@b.example\r\nContent-Type: text/plain; charset=utf-7\r\n\r\nhello +2AA- x",
    "idna": b"From: a@b.example\r\nContent-Type: text/plain; charset=idna\r\n\r\nxn--a\x80 hello",
    "boundary": b"From: a@b.example\r\nContent-Type: multipart/mixed\r\n\r\n--\r\nhello",
    "delivery status": bounce("failed").replace(b"message/delivery-status", b"message/rfc822"),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_whatever_comes_is_read(options: Options, name: str) -> None:
    for to in (ADDRESS, reply_address(options), address_with(options, Purpose.BOUNCE, b"0123456789")):
        found = read(options, HOSTILE[name], to, envelope=None).message
        if isinstance(found, Inbound):
            assert "@" in found.sender
            assert seal_inbound(options.secret, found)
            assert "\x00" not in found.text
            assert "\n" not in found.thread + found.sender


def test_ten_megabytes_are_read_within_seconds(options: Options) -> None:
    started = time.process_time()
    found = message(options, mail("word " * 2_000_000))
    assert len(found.text) <= TEXT_LIMIT
    letter = picture()
    letter.add_attachment(b"\xff\xd8\xff" + b"x" * 10_000_000, maintype="image", subtype="jpeg", filename="b")
    assert len(read(options, letter.as_bytes()).pictures) == 2
    assert time.process_time() - started < 8.0


def test_a_head_cannot_be_injected(options: Options) -> None:
    data = b"From: a@b.example\r\nMessage-ID: <x\r\n Bcc: v@w.example>\r\nSubject: =?utf-8?q?a=0D=0ABcc:_v?=\r\n\r\nhi"
    found = message(options, data)
    assert found.thread == ""
    assert found.text == "a Bcc: v\nhi"


def test_a_picture_in_letters_is_no_text(options: Options) -> None:
    body = base64.encodebytes(b"\x89PNG" + b"y" * 5_000).decode()
    data = (
        'From: a@b.example\r\nContent-Type: multipart/mixed; boundary="b"\r\n\r\n'
        f"--b\r\nContent-Type: image/png\r\nContent-Transfer-Encoding: base64\r\n\r\n{body}\r\n--b--\r\n"
    ).encode()
    found = read(options, data)
    assert isinstance(found.message, Inbound)
    assert found.message.text == ""
    assert found.pictures[0].startswith(b"\x89PNG")
