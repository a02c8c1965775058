"""Where the search begins: small inputs that reach into each parser."""

from __future__ import annotations

import io

from PIL import Image

from commonbeat.alerts.cap import write
from tests.alerts.cap_messages import message


def _picture(kind: str) -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (16, 12), (200, 30, 30)).save(out, kind)
    return out.getvalue()


_PART = b'--b\r\nContent-Disposition: form-data; name="%s"%s\r\n\r\n%s\r\n'

SEEDS: dict[str, tuple[bytes, ...]] = {
    "sms": (b"\x00dump near Old Bridge", b"\x012", b"\x03STOP ALERTS", "\x05نفايات".encode(), b"\x02KX7M-4QXP-2R"),
    "cap": (
        write(message()),
        b'<feed xmlns="http://www.w3.org/2005/Atom"><entry><link href="/a.xml"/></entry></feed>',
        b'<rss version="2.0"><channel><item><link>https://weather.example/a</link></item></channel></rss>',
    ),
    "mail": (
        b"\x00From: a@example.org\r\nSubject: =?utf-8?b?\0\0s=?=\r\n\r\nA base64 that is none.\r\n",
        b"\x00From: a@example.org\r\nTo: b@example.org\r\nSubject: =?utf-8?b?w6s=?=\r\n\r\nDump near the river.\r\n",
        b'\x01From: a@example.org\r\nContent-Type: multipart/mixed; boundary="b"\r\n\r\n--b\r\n'
        b"Content-Type: text/html\r\n\r\n<p>Yes<blockquote>No</blockquote>\r\n--b\r\n"
        b"Content-Type: image/jpeg\r\nContent-Transfer-Encoding: base64\r\n"
        b"\r\n/9j/\r\n--b--\r\n",
        b'\x02Content-Type: multipart/report; report-type=delivery-status; boundary="b"\r\n\r\n--b\r\n'
        b"Content-Type: message/delivery-status\r\n\r\nFinal-Recipient: rfc822; a@example.org\r\n"
        b"Status: 5.1.1\r\n--b--\r\n",
    ),
    "table": (b"a,b\n1,2\n", b'sep=;\na;"b\n;c"\n', "\ufeffa\tb\nç\të\n".encode("utf-16")),
    "geojson": (
        b'{"type":"FeatureCollection","crs":{"properties":{"name":"EPSG:4326"}},"features":[{"type":"Feature","id":1,'
        b'"geometry":{"type":"Point","coordinates":[20.4,42.3]},"properties":{"a":[1,{"b":null}]}}]}',
        b'[{"a":1},2]',
        b'{"a":1}\n{"a":2}\n',
        b"var data = [{}];",
    ),
    "receipt": (b"bado-fiku-lura-moto-huho-zuzu-baba-nita", "BADO F1KU ﬁku".encode()),
    "boxes": (b"", b"k" * 32 + b"name.jpg", b"a" * 511 + b"\x80", b"CBmk\x01\x02" + bytes(72)),
    "sealed_file": (
        b"\x10\x04\x03\x00\x00\x00\x03abc",
        b"\xff\xff\x00\x00\x00\xff\xfb" + b"\x10\x04\x03\x00\x00\x00\x01x",
    ),
    "multipart": (
        _PART % (b"passed", b"", b"x") + _PART % (b"files", b'; filename="a.jpg"', b"\xff\xd8\xff") + b"--b--\r\n",
        _PART % (b"files", b"; filename*=utf-8''%e2%80%ae.exe", b"x") + b"--b--\r\n",
        b'--b\r\nContent-Disposition: form-data; name="text"\r\nContent-Transfer-Encoding: base64\r\n\r\nAAA\r\n--b--',
    ),
    "picture": (_picture("JPEG"), _picture("PNG"), _picture("WEBP")),
}
