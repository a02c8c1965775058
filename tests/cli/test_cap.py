"""`commonbeat cap verify`."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner

from commonbeat.alerts.cap import element_of
from commonbeat.alerts.cap_signing import sign, site_key
from commonbeat.cli.cap import cap_group
from tests.alerts.cap_messages import SENT, message


def test_a_message_is_verified_with_our_own_or_another_certificate(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COMMONBEAT_DATA_DIR", str(tmp_path))
    file = tmp_path / "alert.xml"
    file.write_bytes(b"<alert/>")
    answer = CliRunner().invoke(cap_group, ["verify", str(file)])
    assert answer.exit_code == 1 and "no certificate" in answer.output
    key = site_key(tmp_path / "keys", name="town.example", now=SENT)
    file.write_bytes(sign(element_of(message()), key))
    answer = CliRunner().invoke(cap_group, ["verify", str(file)])
    assert answer.exit_code == 0 and "Signed. Alert w-1 of weather.example" in answer.output
    pem = tmp_path / "other.pem"
    pem.write_bytes(site_key(tmp_path / "other", name="x", now=SENT).certificate)
    answer = CliRunner().invoke(cap_group, ["verify", str(file), "--certificate", str(pem)])
    assert answer.exit_code == 1 and "wrong signature" in answer.output
    file.write_bytes(b"\x00")
    assert CliRunner().invoke(cap_group, ["verify", str(file)]).exit_code == 1
