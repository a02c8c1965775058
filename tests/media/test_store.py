import os
from pathlib import Path

import pytest

from commonbeat.foundation.crypto import SealError
from commonbeat.foundation.ids import new_token
from commonbeat.media import store

KEY = b"k" * 32


def files_under(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


def test_an_original_is_sealed_and_comes_back(tmp_path: Path) -> None:
    token = store.keep_original(b"SECRET pixels", data_dir=tmp_path, key=KEY)
    (file,) = files_under(tmp_path)
    assert file == store.paths(token, data_dir=tmp_path).original
    assert b"SECRET" not in file.read_bytes()
    assert file.stat().st_mode & 0o077 == 0
    assert file.is_relative_to(tmp_path / "media" / "originals")
    assert store.read_original(token, data_dir=tmp_path, key=KEY) == b"SECRET pixels"
    with pytest.raises(SealError):
        store.read_original(token, data_dir=tmp_path, key=b"o" * 32)


def test_names_do_not_come_from_the_content(tmp_path: Path) -> None:
    tokens = {store.keep_original(b"same", data_dir=tmp_path, key=KEY) for _ in range(5)}
    assert len(tokens) == 5


def test_public_copies_come_back(tmp_path: Path) -> None:
    token = new_token()
    store.write_public(token, full=b"big", thumb=b"small", data_dir=tmp_path, key=KEY)
    assert store.read_public(token, data_dir=tmp_path, key=KEY) == b"big"
    assert store.read_public(token, variant="thumb", data_dir=tmp_path, key=KEY) == b"small"
    for path in files_under(tmp_path):
        assert path.is_relative_to(tmp_path / "media" / "copies")
        assert b"big" not in path.read_bytes() and b"small" not in path.read_bytes()
        assert path.stat().st_mode & 0o077 == 0
    with pytest.raises(SealError):
        store.read_public(token, data_dir=tmp_path, key=b"o" * 32)
    with pytest.raises(ValueError, match="variant"):
        store.read_public(token, variant="../../x", data_dir=tmp_path, key=KEY)


def test_delete_removes_everything_and_may_repeat(tmp_path: Path) -> None:
    original = store.keep_original(b"x", data_dir=tmp_path, key=KEY)
    public = new_token()
    store.write_public(public, full=b"x", thumb=b"x", data_dir=tmp_path, key=KEY)
    for token in (original, public, original):
        store.delete(token, data_dir=tmp_path)
    assert files_under(tmp_path) == []
    with pytest.raises(store.NoSuchPicture):
        store.read_original(original, data_dir=tmp_path, key=KEY)
    with pytest.raises(store.NoSuchPicture):
        store.read_public(public, data_dir=tmp_path, key=KEY)


@pytest.mark.parametrize(
    "token", ["", "x", "../../../etc/passwd", "a" * 21, "a" * 23, "a" * 21 + "/", "a" * 21 + "\n", "é" * 22]
)
def test_only_tokens_become_paths(token: str, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="token"):
        store.paths(token, data_dir=tmp_path)


@pytest.mark.parametrize("step", ["fsync", "replace"])
def test_a_failed_write_leaves_nothing(step: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise OSError(28, "no space left")

    owner: object = os if step == "fsync" else Path
    monkeypatch.setattr(owner, step, fail)
    with pytest.raises(OSError, match="no space"):
        store.keep_original(b"x", data_dir=tmp_path, key=KEY)
    assert files_under(tmp_path) == []


def test_a_file_appears_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[str] = []
    real_fsync, real_replace = os.fsync, Path.replace

    def fsync(descriptor: int) -> None:
        seen.append("fsync")
        real_fsync(descriptor)

    def replace(self: Path, target: Path) -> Path:
        assert self.parent == target.parent
        assert not target.exists()
        seen.append("rename")
        return real_replace(self, target)

    monkeypatch.setattr(os, "fsync", fsync)
    monkeypatch.setattr(Path, "replace", replace)
    store.keep_original(b"x", data_dir=tmp_path, key=KEY)
    assert seen == ["fsync", "rename", "fsync"]
