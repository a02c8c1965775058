"""Parts of an SMS, against the published tables: 3GPP TS 23.038, 6.2.1 and 6.2.1.1, and TS 23.040 for the lengths."""

from __future__ import annotations

import pytest

from commonbeat.foundation.text import segments, to_gsm7

# Code points in the order of the table, sixteen to a row; 0x1B is the escape to the second table.
BASIC = """
0040 00A3 0024 00A5 00E8 00E9 00F9 00EC 00F2 00C7 000A 00D8 00F8 000D 00C5 00E5
0394 005F 03A6 0393 039B 03A9 03A0 03A8 03A3 0398 039E ---- 00C6 00E6 00DF 00C9
0020 0021 0022 0023 00A4 0025 0026 0027 0028 0029 002A 002B 002C 002D 002E 002F
0030 0031 0032 0033 0034 0035 0036 0037 0038 0039 003A 003B 003C 003D 003E 003F
00A1 0041 0042 0043 0044 0045 0046 0047 0048 0049 004A 004B 004C 004D 004E 004F
0050 0051 0052 0053 0054 0055 0056 0057 0058 0059 005A 00C4 00D6 00D1 00DC 00A7
00BF 0061 0062 0063 0064 0065 0066 0067 0068 0069 006A 006B 006C 006D 006E 006F
0070 0071 0072 0073 0074 0075 0076 0077 0078 0079 007A 00E4 00F6 00F1 00FC 00E0
""".split()
EXTENSION = "000C 005E 007B 007D 005C 005B 007E 005D 007C 20AC".split()
ONE = {chr(int(code, 16)) for code in BASIC if code != "----"}
TWO = {chr(int(code, 16)) for code in EXTENSION}


def test_the_tables_are_whole() -> None:
    assert (len(BASIC), len(ONE), len(TWO)) == (128, 127, 10)


def test_each_letter_travels_as_the_tables_say() -> None:
    wrong = []
    for code in [*range(0x2500), *range(0xFB00, 0xFFFE)]:
        letter = chr(code)
        size = segments(letter)
        expected = ("GSM-7", 1) if letter in ONE else ("GSM-7", 2) if letter in TWO else ("UCS-2", 1)
        if (size.encoding, size.units) != expected:
            wrong.append(hex(code))
    assert wrong == []


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("a" * 160, 1), ("a" * 161, 2), ("a" * 306, 2), ("a" * 307, 3), ("€" * 80, 1), ("€" * 81, 2),
        # 153 is odd: an escape pair is not parted, so a place is lost in each part.
        ("€" * 152, 2), ("€" * 153, 3),
        ("ë" * 70, 1), ("ë" * 71, 2), ("ë" * 134, 2), ("ë" * 135, 3),
        # An emoji is two units, and 67 is odd.
        ("😀" * 35, 1), ("😀" * 36, 2), ("😀" * 66, 2), ("😀" * 67, 3),
    ],
)  # fmt: skip
def test_lengths(text: str, parts: int) -> None:
    assert segments(text).parts == parts


@pytest.mark.parametrize("mark", ["’", "‘", "“", "”", "–", "…", "\u00a0", "\u202f", "\u00ad", "\u200b"])
def test_typography_does_not_double_the_price(mark: str) -> None:
    text = "a" * 100 + mark
    assert segments(text).parts == 2
    assert segments(to_gsm7(text)).parts == 1
