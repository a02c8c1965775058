"""Files of strangers, as they are given out: under a name that leads nowhere."""

from __future__ import annotations

import unicodedata

from django.utils.http import content_disposition_header


def attachment(name: str, *, number: int) -> str:
    """Give the header Content-Disposition with which a stranger's file is stored and not shown."""
    return content_disposition_header(True, safe_name(name, number=number)) or "attachment"


def safe_name(name: str, *, number: int) -> str:
    """Give a stranger's file name without what leads elsewhere or reads differently from what it is."""
    plain = "".join("_" if unicodedata.category(one)[0] in "CZ" and one != " " else one for one in name)
    plain = "".join("_" if one in '/\\:*?"<>|' else one for one in plain).strip(" .")
    # The end says what it is, and stays.
    return (plain if len(plain) <= 120 else plain[:80] + "_" + plain[-39:]) or f"file-{number + 1}"
