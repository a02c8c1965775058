"""What does not fit into memory lies on the disk, and nobody can read it there."""

from __future__ import annotations

import secrets
from pathlib import Path
from typing import Any

import pytest

from commonbeat.config import spool
from commonbeat.config.spool import SealedSpool

SAID = b"behind the mill, every Thursday\n"


def test_it_gives_back_what_it_took(tmp_path: Path) -> None:
    for size in (10, 1_000, 200_000):
        data = secrets.token_bytes(size)
        with SealedSpool(1_000, str(tmp_path)) as held:
            for at in range(0, size, 700):
                held.write(data[at : at + 700])
            held.seek(0)
            assert b"".join(iter(lambda held=held: held.read(333), b"")) == data
            held.seek(0)
            assert held.read() == data
            held.seek(0)
            assert held.readline() + held.read() == data


def test_what_is_on_the_disk_cannot_be_read_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    files: list[Any] = []

    def named(dir: str) -> Any:
        files.append(Path(dir, "spool").open("w+b"))  # noqa: SIM115  # closed by the spool
        return files[0]

    monkeypatch.setattr(spool, "TemporaryFile", named)
    with SealedSpool(100, str(tmp_path)) as held:
        held.write(SAID)
        assert files == []
        held.writelines([SAID] * 9)
        files[0].flush()
        lies = (tmp_path / "spool").read_bytes()
        assert len(lies) == 10 * len(SAID) and SAID[:8] not in lies
        held.seek(0)
        assert held.readline() == SAID and held.read() == 9 * SAID
