"""The names under which files of strangers are given out."""

from __future__ import annotations

import pytest

from commonbeat.web.downloads import attachment, safe_name


@pytest.mark.parametrize(
    ("name", "safe"),
    [
        ("a.pdf", "a.pdf"),
        ("../../etc/passwd", "_.._etc_passwd"),
        ("evil\u202egpj.exe", "evil_gpj.exe"),
        ('a"b;\r\nc', "a_b;__c"),
        ("", "file-3"),
        ("...", "file-3"),
        ("x" * 300 + ".jpg", "x" * 80 + "_" + "x" * 35 + ".jpg"),
        ("صورة.jpg", "صورة.jpg"),
    ],
)
def test_names_of_files_lead_nowhere(name: str, safe: str) -> None:
    assert safe_name(name, number=2) == safe


@pytest.mark.parametrize(
    ("name", "header"),
    [
        ("a.pdf", 'attachment; filename="a.pdf"'),
        ("Dëshmi e Çelës.pdf", "attachment; filename*=utf-8''D%C3%ABshmi%20e%20%C3%87el%C3%ABs.pdf"),
        ("صورة.jpg", "attachment; filename*=utf-8''%D8%B5%D9%88%D8%B1%D8%A9.jpg"),
        ("", 'attachment; filename="file-3"'),
    ],
)
def test_a_name_in_any_script_reaches_the_browser(name: str, header: str) -> None:
    assert attachment(name, number=2) == header
