"""Settings: read from one file and the environment, and refused with a sentence."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from commonbeat.config.options import Options, OptionsError, prepare_data_dir, read_options


def read(tmp_path: Path, file: str = "", **names: str) -> Options:
    (tmp_path / "commonbeat.toml").write_text(file, "utf-8")
    return read_options({"COMMONBEAT_DATA_DIR": str(tmp_path), **{f"COMMONBEAT_{k}": v for k, v in names.items()}})


def problems(tmp_path: Path, file: str = "", **names: str) -> list[str]:
    with pytest.raises(OptionsError) as caught:
        read(tmp_path, file, **names)
    return caught.value.problems


def test_nothing_needs_to_be_set(tmp_path: Path) -> None:
    options = read(tmp_path)
    assert options.port == 8000
    assert options.database_path == tmp_path / "commonbeat.sqlite3"
    assert options.site_url == "http://127.0.0.1:8000"


def test_the_file_is_read_and_the_environment_wins(tmp_path: Path) -> None:
    options = read(tmp_path, 'site_name = "Old Town"\nport = 8100\nlanguages = ["sq", "en"]\n', PORT="8200", DEMO="yes")
    assert (options.site_name, options.port, options.languages) == ("Old Town", 8200, ("sq", "en"))
    assert options.demo is True


def test_the_address_follows_the_port_until_it_is_set(tmp_path: Path) -> None:
    assert read(tmp_path, PORT="8200", HOST="0.0.0.0").site_url == "http://127.0.0.1:8200"
    assert read(tmp_path, HOST="::1").site_url == "http://[::1]:8000"
    assert read(tmp_path, PORT="8200", SITE_URL="https://beat.example").site_url == "https://beat.example"


def test_the_open_data_have_a_licence_and_another_one_by_name_and_address(tmp_path: Path) -> None:
    assert read(tmp_path).licence.url == "https://creativecommons.org/licenses/by/4.0/"
    assert read(tmp_path, DATA_LICENCE="CC0-1.0").licence.title == "Creative Commons Zero 1.0"
    other = read(tmp_path, DATA_LICENCE="Licence of the town", DATA_LICENCE_URL="https://town.example/licence").licence
    assert other == ("Licence of the town", "Licence of the town", "https://town.example/licence")


def test_a_secret_may_stand_in_a_file_of_its_own(tmp_path: Path) -> None:
    secret = tmp_path / "kannel"
    secret.write_text("word\n")
    assert read(tmp_path, KANNEL_PASSWORD_FILE=str(secret)).kannel_password == "word"
    assert "cannot be read" in problems(tmp_path, KANNEL_PASSWORD_FILE=str(tmp_path / "absent"))[0]


@pytest.mark.parametrize(
    ("name", "value", "part"),
    [
        ("PROT", "8000", "COMMONBEAT_PROT is not a setting"),
        ("PORT", "eighty", "write a whole number"),
        ("PORT", "70000", "from 1 to 65535"),
        ("DEMO", "perhaps", "write yes or no"),
        ("MAP_LATITUDE", "north", "write a number"),
        ("MAP_LATITUDE", "98", "degrees"),
        ("DATA_LICENCE", "OGL-UK-3.0", "COMMONBEAT_DATA_LICENCE_URL"),
        ("DATA_LICENCE_URL", "javascript:alert(1)", "begins with https://"),
        ("LANGUAGES", "en,tlh", "tlh is not among them"),
        ("LANGUAGES", "", "nothing is not among them"),
        ("REGION", "kosovo", "two capital letters"),
        ("TIME_ZONE", "Europe/Nowhere", "write a name such as"),
        ("DATABASE_URL", "mysql://db", "must begin with postgresql://"),
        ("SITE_URL", "beat.example", "must begin with http"),
        ("THREADS", "0", "from 1 to 64"),
    ],
)
def test_what_cannot_be_used_is_said_in_a_sentence(tmp_path: Path, name: str, value: str, part: str) -> None:
    assert any(part in problem for problem in problems(tmp_path, **{name: value}))


def test_every_problem_is_said_at_once(tmp_path: Path) -> None:
    assert len(problems(tmp_path, 'colour = "red"\n', PORT="x", DEMO="x", TEST="x")) == 4


def test_a_file_that_is_not_toml_is_refused(tmp_path: Path) -> None:
    assert "not valid TOML" in problems(tmp_path, "port 8000")[0]
    with pytest.raises(OptionsError, match="does not exist"):
        read_options({"COMMONBEAT_DATA_DIR": str(tmp_path), "COMMONBEAT_CONFIG": str(tmp_path / "absent.toml")})


def test_variables_of_the_test_suite_are_no_settings(tmp_path: Path) -> None:
    assert read(tmp_path, TEST_DATABASE_URL="x", SHARED_DATA="y").port == 8000


def test_reading_settings_writes_nothing(tmp_path: Path) -> None:
    folder = tmp_path / "new"
    read_options({"COMMONBEAT_DATA_DIR": str(folder)})
    assert not folder.exists()


def test_the_secret_key_is_made_once_and_kept_closed(tmp_path: Path) -> None:
    environ = {"COMMONBEAT_DATA_DIR": str(tmp_path / "data")}
    first = read_options(environ)
    prepare_data_dir(first)
    kept = tmp_path / "data" / "secret_key"
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600
    assert len(first.secret_key) >= 20
    assert read_options(environ).secret_key == first.secret_key == kept.read_text()


def test_a_folder_that_cannot_be_written_is_refused(tmp_path: Path) -> None:
    in_the_way = tmp_path / "file"
    in_the_way.write_text("")
    options = read_options({"COMMONBEAT_DATA_DIR": str(in_the_way / "data")})
    with pytest.raises(OptionsError, match="cannot be written"):
        prepare_data_dir(options)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere; not in CI")
def test_a_read_only_folder_is_refused(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    with pytest.raises(OptionsError, match="COMMONBEAT_DATA_DIR"):
        prepare_data_dir(read_options({"COMMONBEAT_DATA_DIR": str(tmp_path)}))
