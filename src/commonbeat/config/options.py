"""The settings of a site: one typed table, read from one file and the environment."""

from __future__ import annotations

import contextlib
import dataclasses
import os
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple
from zoneinfo import ZoneInfo, available_timezones

from commonbeat.config.cap_options import cap_problems
from commonbeat.config.chat_options import chat_problems
from commonbeat.config.gateway_options import GatewayOptions, gateway_problems
from commonbeat.config.mail_options import mail_problems
from commonbeat.config.sending_options import sending_problems
from commonbeat.config.trust_options import DEFAULT_LIMITS, trust_problems
from commonbeat.foundation.ids import new_token

PREFIX = "COMMONBEAT_"
# Read by the test suite and the benches, never by a site.
NOT_OF_A_SITE = ("COMMONBEAT_CONFIG", "COMMONBEAT_SHARED_DATA", "COMMONBEAT_TEST_")
KNOWN_LANGUAGES = {"en": "English", "sq": "Shqip", "ar": "العربية"}
KNOWN_LICENCES = {
    "CC-BY-4.0": ("Creative Commons Attribution 4.0", "https://creativecommons.org/licenses/by/4.0/"),
    "CC-BY-SA-4.0": ("Creative Commons Attribution-ShareAlike 4.0", "https://creativecommons.org/licenses/by-sa/4.0/"),
    "CC0-1.0": ("Creative Commons Zero 1.0", "https://creativecommons.org/publicdomain/zero/1.0/"),
    "ODbL-1.0": ("Open Database License 1.0", "https://opendatacommons.org/licenses/odbl/1-0/"),
    "ODC-By-1.0": ("Open Data Commons Attribution License 1.0", "https://opendatacommons.org/licenses/by/1-0/"),
    "PDDL-1.0": ("Open Data Commons Public Domain Dedication 1.0", "https://opendatacommons.org/licenses/pddl/1-0/"),
}


class OptionsError(ValueError):
    """Carry one sentence per setting that cannot be used."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems


class Licence(NamedTuple):
    """What others may do with the open data; the name is a code such as SPDX has."""

    name: str
    title: str
    url: str


@dataclasses.dataclass(frozen=True, slots=True)
class Options(GatewayOptions):
    """Hold every setting of a site; docs/settings.md is made from this table."""

    data_dir: Path = Path("data")
    """Folder that holds everything a running site owns."""
    secret_key: str = ""
    """Key of sessions and of everything encrypted at rest; made on first run and kept in the data folder."""
    site_name: str = "Commonbeat"
    """Name of the place, shown on every page."""
    site_url: str = "http://127.0.0.1:8000"
    """Address that people open, without a slash at the end; unless set, made of host and port."""
    host: str = "127.0.0.1"
    """Address to listen on."""
    port: int = 8000
    """Port to listen on."""
    allowed_hosts: tuple[str, ...] = ()
    """Further host names that may be asked for, separated by commas."""
    trusted_proxies: int = 0
    """Number of proxies in front whose X-Forwarded-For is believed."""
    database_url: str = ""
    """postgresql://user:password@host:port/name; empty means SQLite in the data folder."""
    region: str = "XK"
    """Two-letter region whose phone numbers are written without a country code."""
    languages: tuple[str, ...] = ("en", "sq", "ar")
    """Languages of the site, separated by commas, the main one first."""
    time_zone: str = "Europe/Belgrade"
    """Time zone in which times are shown."""
    threads: int = 8
    """Threads that make pages, at most."""
    demo: bool = False
    """Show the demo town's helpers: sign-in codes and a telephone on a page. Never on a real site."""
    require_mfa: bool = True
    """Staff must have a second factor."""
    raw_retention_days: int = 30
    """Days after which the raw text of gateway messages is deleted."""
    report_retention_days: int = 730
    """Days after its last change for which a closed or published report is kept; then only its public copy stays."""
    contact_retention_days: int = 730
    """Days after the last message for which a contact is kept, and the record that a message came or went."""
    claim_minutes: int = 20
    """Minutes after which a claimed report is free again."""
    exit_url: str = "https://www.wikipedia.org/"
    """Where "exit this page" leads."""
    emergency_number: str = "112"
    """Number shown to people in danger."""
    map_latitude: float = 42.38
    """Where maps open."""
    map_longitude: float = 20.43
    """Where maps open."""
    map_zoom: int = 13
    """Zoom at which maps open."""
    sms_number: str = ""
    """Number to which people text, as printed on posters."""
    sms_channel: str = "demo_sms"
    """Channel that sends texts to people who left a number: kannel_sms, smsgate_sms or demo_sms."""
    send_rates: tuple[str, ...] = ()
    """Messages a second by channel, where a contract allows another pace than the channel's own: kannel_sms=50."""
    send_prices: tuple[str, ...] = ()
    """Price of one SMS part by channel, for those that do not tell theirs: kannel_sms=0.045, smsgate_sms=0.02."""
    send_fallbacks: tuple[str, ...] = ()
    """Channel that takes over while the gateway of another does not answer: kannel_sms=smsgate_sms."""
    currency: str = "EUR"
    """Currency of prices and spending limits, in three letters."""
    daily_limit: float = 0.0
    """What messages may cost in a day; bulk stops at 80 % of it, replies at all of it. 0 is no limit."""
    monthly_limit: float = 0.0
    """What messages may cost in a calendar month, in the same way."""
    quiet_hours: str = "21:00-08:00"
    """Hours of the site's time zone in which no bulk message is sent; replies always are. Empty: none."""
    alerts_sender: str = ""
    """Sender of our alerts in CAP, such as alerts@example.org; unless set, the host of the site's address."""
    alert_sources_private: bool = False
    """Alert sources may lie in private networks and on this computer. Off, so that no feed can make us ask there."""
    partners_loopback: bool = False
    """Partners' servers on this computer may be called with alerts; for tests and trials, never on a real site."""
    alerts_per_day: int = 5
    """Alerts that one person gets in a day at most; those that are immediate and severe come beyond it."""
    message_limits: tuple[str, ...] = DEFAULT_LIMITS
    """Messages in ten minutes and in 24 hours that a sender of each trust level may send; more waits for a person."""
    data_licence: str = "CC-BY-4.0"
    """Licence of the open data: CC-BY-4.0, CC-BY-SA-4.0, CC0-1.0, ODbL-1.0, ODC-By-1.0, PDDL-1.0, or another's name."""
    data_licence_url: str = ""
    """Where the licence of the open data can be read; needed only for another licence than those."""

    @property
    def database_path(self) -> Path:
        """Name the SQLite file."""
        return self.data_dir / "commonbeat.sqlite3"

    @property
    def temporary_dir(self) -> Path:
        """Name the folder for what is too large for memory while a request is being answered."""
        return self.data_dir / "tmp"

    @property
    def licence(self) -> Licence:
        """Give the licence of the open data."""
        title, url = KNOWN_LICENCES.get(self.data_licence, (self.data_licence, ""))
        return Licence(self.data_licence, title, self.data_licence_url or url)

    @property
    def secret(self) -> bytes:
        """Give the secret key as bytes, for key derivation."""
        return self.secret_key.encode()


def read_options(environ: Mapping[str, str] | None = None) -> Options:
    """Read the settings file and the environment; raise OptionsError with a sentence per problem."""
    env = dict(os.environ if environ is None else environ)
    problems: list[str] = []
    data_dir = Path(env.get(PREFIX + "DATA_DIR", "data")).absolute()
    raw = _read_raw(env, data_dir, problems)
    values = {name: convert(name, value, problems) for name, value in raw.items()}
    values["data_dir"] = data_dir
    if values.get("site_url") is None:
        values["site_url"] = _own_address(values)
    options = Options(**{k: v for k, v in values.items() if v is not None})  # type: ignore[arg-type]  # checked by convert
    options = dataclasses.replace(options, secret_key=options.secret_key or _kept_secret(data_dir) or new_token())
    problems.extend(problems_of(options))
    if problems:
        raise OptionsError(problems)
    return options


def given_names(environ: Mapping[str, str] | None = None) -> frozenset[str]:
    """Name the settings that the file or the environment sets; what is set to nothing counts as not set."""
    env = dict(os.environ if environ is None else environ)
    raw = _read_raw(env, Path(env.get(PREFIX + "DATA_DIR", "data")).absolute(), [])
    return frozenset(name for name, value in raw.items() if str(value).strip())


def _read_raw(env: Mapping[str, str], data_dir: Path, problems: list[str]) -> dict[str, object]:
    fields = {f.name for f in dataclasses.fields(Options)}
    file = Path(env.get(PREFIX + "CONFIG", str(data_dir / "commonbeat.toml")))
    raw: dict[str, object] = _read_file(file, explicit=PREFIX + "CONFIG" in env, problems=problems)
    for name in list(raw):
        if name not in fields:
            problems.append(f"{file} sets “{name}”, which is not a setting. See docs/settings.md for the names.")
            del raw[name]
    for key, value in env.items():
        if not key.startswith(PREFIX) or key.startswith(NOT_OF_A_SITE):
            continue
        name = key.removeprefix(PREFIX).lower()
        if name in fields:
            raw[name] = value
        elif name.endswith("_file") and name.removesuffix("_file") in fields:
            secret = _read_secret(key, Path(value), problems)
            if secret is not None:
                raw[name.removesuffix("_file")] = secret
        else:
            problems.append(f"{key} is not a setting. Remove it, or see docs/settings.md for the names.")
    return raw


def _own_address(values: Mapping[str, object]) -> str:
    # Links in text messages must lead to where the site really listens, until an address is set.
    host = str(values.get("host") or Options.__dataclass_fields__["host"].default)
    port = values.get("port") or Options.__dataclass_fields__["port"].default
    if host in {"0.0.0.0", "::"}:  # noqa: S104  # compared, not bound
        host = "127.0.0.1"
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def prepare_data_dir(options: Options) -> None:
    """Make the data folder, for its owner alone, and the secret key; raise OptionsError when it cannot be written."""
    try:
        for folder in (options.data_dir, options.temporary_dir):
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            # Also a folder from before, or one that a mount or an installer made.
            if folder.stat().st_mode & 0o077:
                # A mount may belong to somebody else; `commonbeat doctor` tells whoever can read along.
                with contextlib.suppress(PermissionError):
                    folder.chmod(0o700)
        probe = options.data_dir / ".writable"
        probe.write_bytes(b"")
        probe.unlink()
    except OSError as error:
        raise OptionsError(
            [
                f"The data folder {options.data_dir} cannot be written ({error.strerror}). "
                "Make it writable, or set COMMONBEAT_DATA_DIR to another folder."
            ]
        ) from None
    file = options.data_dir / "secret_key"
    if not file.exists():
        descriptor = os.open(file, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
        with os.fdopen(descriptor, "w") as handle:
            handle.write(options.secret_key)
            handle.flush()
            os.fsync(handle.fileno())


def _kept_secret(data_dir: Path) -> str:
    try:
        return (data_dir / "secret_key").read_text().strip()
    except OSError:
        return ""


def _read_file(file: Path, *, explicit: bool, problems: list[str]) -> dict[str, object]:
    try:
        return tomllib.loads(file.read_text("utf-8"))
    except (FileNotFoundError, NotADirectoryError):
        if explicit:
            problems.append(f"COMMONBEAT_CONFIG names {file}, which does not exist.")
    except (OSError, UnicodeDecodeError):
        problems.append(f"The settings file {file} cannot be read. Check who owns it.")
    except tomllib.TOMLDecodeError as error:
        problems.append(f"The settings file {file} is not valid TOML: {error}.")
    return {}


def _read_secret(key: str, path: Path, problems: list[str]) -> str | None:
    try:
        return path.read_text("utf-8").strip()
    except (OSError, UnicodeDecodeError):
        problems.append(f"{key} names {path}, which cannot be read.")
        return None


def convert(name: str, value: object, problems: list[str]) -> object:
    """Read one setting as it was written; None, and a sentence more, when it cannot be read."""
    kind = Options.__dataclass_fields__[name].type
    say = f"{PREFIX}{name.upper()}"
    text = str(value).strip()
    if kind == "bool":
        if text.lower() in {"1", "true", "yes", "on"}:
            return True
        if text.lower() in {"0", "false", "no", "off", ""}:
            return False
        problems.append(f"{say} is “{text}”; write yes or no.")
    elif kind == "int":
        try:
            return int(text)
        except ValueError:
            problems.append(f"{say} is “{text}”; write a whole number.")
    elif kind == "float":
        try:
            return float(text)
        except ValueError:
            problems.append(f"{say} is “{text}”; write a number such as 42.38.")
    elif kind == "tuple[str, ...]":
        parts = value if isinstance(value, list) else text.split(",")
        return tuple(str(p).strip() for p in parts if str(p).strip())
    elif kind == "Path":
        return Path(text)
    else:
        return text
    return None


def problems_of(options: Options) -> list[str]:
    """Say what of the settings cannot be, one sentence each; no secret is repeated."""
    problems = []
    unknown = [c for c in options.languages if c not in KNOWN_LANGUAGES]
    if unknown or not options.languages:
        problems.append(
            f"COMMONBEAT_LANGUAGES may list {', '.join(KNOWN_LANGUAGES)}; "
            f"{', '.join(unknown) or 'nothing'} is not among them."
        )
    if not 0 < options.port < 65536:
        problems.append(f"COMMONBEAT_PORT is {options.port}; write a number from 1 to 65535.")
    if not 1 <= options.threads <= 64:
        problems.append(f"COMMONBEAT_THREADS is {options.threads}; write a number from 1 to 64.")
    for name in ("raw_retention_days", "report_retention_days", "contact_retention_days"):
        if not 1 <= getattr(options, name) <= 36_500:
            problems.append(f"COMMONBEAT_{name.upper()} must be a number of days from 1 to 36500.")
    if not 1 <= options.alerts_per_day <= 100:
        problems.append(f"COMMONBEAT_ALERTS_PER_DAY is {options.alerts_per_day}; write a number from 1 to 100.")
    if len(options.region) != 2 or not options.region.isupper():
        problems.append(f"COMMONBEAT_REGION is “{options.region}”; write two capital letters such as XK.")
    if options.time_zone not in available_timezones():
        problems.append(f"COMMONBEAT_TIME_ZONE is “{options.time_zone}”; write a name such as Europe/Tirane.")
    else:
        ZoneInfo(options.time_zone)
    if options.database_url and not options.database_url.startswith(("postgresql://", "postgres://")):
        problems.append("COMMONBEAT_DATABASE_URL must begin with postgresql:// (or be empty for SQLite).")
    if not options.site_url.startswith(("http://", "https://")):
        problems.append(f"COMMONBEAT_SITE_URL is “{options.site_url}”; it must begin with http:// or https://.")
    problems.extend(gateway_problems(options))
    problems.extend(sending_problems(options))
    problems.extend(trust_problems(options))
    problems.extend(cap_problems(options))
    problems.extend(chat_problems(options))
    problems.extend(mail_problems(options))
    if not options.data_licence.isprintable() or not 1 <= len(options.data_licence) <= 100:
        problems.append("COMMONBEAT_DATA_LICENCE must be the name of a licence, such as CC-BY-4.0.")
    elif not options.licence.url:
        problems.append(
            f"COMMONBEAT_DATA_LICENCE is “{options.data_licence}”; set COMMONBEAT_DATA_LICENCE_URL to where it can be"
            f" read, or choose {', '.join(KNOWN_LICENCES)}."
        )
    elif not options.licence.url.startswith(("https://", "http://")) or not options.licence.url.isascii():
        problems.append("COMMONBEAT_DATA_LICENCE_URL must be an address that begins with https://.")
    if not (-90 <= options.map_latitude <= 90 and -180 <= options.map_longitude <= 180):
        problems.append("COMMONBEAT_MAP_LATITUDE and _LONGITUDE must be degrees on the globe.")
    return problems
