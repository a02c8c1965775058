"""What every test stands on: a data folder of its own, the personas, and a say in what may be skipped."""

from __future__ import annotations

import atexit
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

# Before Django loads: no test reads or writes a real site, whatever the shell has set.
for _name in [key for key in os.environ if key.startswith("COMMONBEAT_")]:
    if not _name.startswith("COMMONBEAT_TEST_") and _name != "COMMONBEAT_SHARED_DATA":
        del os.environ[_name]
_DATA_DIR = tempfile.mkdtemp(prefix="commonbeat-test-")
atexit.register(shutil.rmtree, _DATA_DIR, ignore_errors=True)
(Path(_DATA_DIR) / "static").mkdir()
os.environ["COMMONBEAT_DATA_DIR"] = _DATA_DIR
os.environ["COMMONBEAT_SECRET_KEY"] = "a key for tests only, of sufficient length"
if os.environ.get("COMMONBEAT_TEST_DATABASE_URL"):
    os.environ["COMMONBEAT_DATABASE_URL"] = os.environ["COMMONBEAT_TEST_DATABASE_URL"]
os.environ["DJANGO_SETTINGS_MODULE"] = "commonbeat.config.settings"
# A browser test runs Playwright's event loop in the thread that also talks to the database.
os.environ.setdefault("DJANGO_ALLOW_ASYNC_UNSAFE", "true")

import django  # noqa: E402
import hypothesis  # noqa: E402
import pytest  # noqa: E402
from django.conf import settings  # noqa: E402
from django.test import Client  # noqa: E402

settings.CACHES = {"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}}
settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
django.setup()

from commonbeat.people.models import Role, Unit, User  # noqa: E402
from tests import make  # noqa: E402

hypothesis.settings.register_profile("dev", deadline=None, max_examples=50)
hypothesis.settings.register_profile("ci", deadline=None, max_examples=200, print_blob=True, derandomize=True)
hypothesis.settings.load_profile("ci" if os.environ.get("CI") else "dev")

REPOSITORY = Path(__file__).resolve().parent.parent


def pytest_configure(config: pytest.Config) -> None:
    """Let the processes of pytest-xdist begin as this one did.

    With the settings named, pytest-django reads them before this file gives a process its own folder; all would share
    the first one's, and delete each other's files.
    """
    if getattr(config.option, "numprocesses", None):
        del os.environ["DJANGO_SETTINGS_MODULE"]


# ------------------------------------------------------------------ what may be skipped


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> Iterator[None]:
    """Turn the skip of a test into a failure where everything must be present."""
    outcome = yield
    report = outcome.get_result()
    if report.skipped and not hasattr(report, "wasxfail"):
        _refuse_skip(report)


@pytest.hookimpl(hookwrapper=True)
def pytest_make_collect_report(collector: pytest.Collector) -> Iterator[None]:
    """Turn the skip of a whole file into a failure where everything must be present."""
    outcome = yield
    report = outcome.get_result()
    if report.skipped:
        _refuse_skip(report)


def _refuse_skip(report: pytest.TestReport | pytest.CollectReport) -> None:
    reason = str(report.longrepr[2] if isinstance(report.longrepr, tuple) else report.longrepr)
    # “not in CI” in the reason excuses a test that cannot run there.
    if os.environ.get("COMMONBEAT_TEST_NO_SKIP") and "not in CI" not in reason:
        report.outcome = "failed"
        report.longrepr = f"{report.nodeid} may not be skipped here. {reason}"


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Name the folder of real data, beside the repository; skip when it is absent."""
    named = os.environ.get("COMMONBEAT_SHARED_DATA")
    candidates = [Path(named)] if named else [REPOSITORY / "../shared/data", REPOSITORY / "../../shared/data"]
    for folder in candidates:
        if folder.is_dir():
            return folder.resolve()
    pytest.skip("the folder of real data is absent (set COMMONBEAT_SHARED_DATA)")


@pytest.fixture(autouse=True)
def _fresh_cache() -> None:
    from django.core.cache import cache

    from commonbeat.alerts import index
    from commonbeat.messaging import in_force

    # Rate limits count in the cache; a test must not inherit another's guesses.
    cache.clear()
    # Subscriptions are kept in memory, and a test's are taken back with its transaction.
    index.forget()
    in_force.forget()


@pytest.fixture(autouse=True)
def _language_of_the_test() -> Iterator[None]:
    from django.utils import translation

    with translation.override("en"):
        yield


# ------------------------------------------------------------------ the personas


@pytest.fixture
def unit(db: None) -> Unit:
    """Give the unit of the officer, which is also the fallback desk."""
    return make.make_unit(name="Northern quarter", is_fallback=True)


@pytest.fixture
def far_unit(db: None, unit: Unit) -> Unit:
    """Give another unit, whose desk nobody of the first may see."""
    return make.make_unit(name="Far quarter")


@pytest.fixture
def resident(db: None) -> User:
    """Give somebody with an account and no role."""
    return make.make_user("resident", role=Role.RESIDENT)


@pytest.fixture
def neighbour(db: None) -> User:
    """Give another resident."""
    return make.make_user("neighbour", role=Role.RESIDENT)


@pytest.fixture
def outsider(db: None) -> User:
    """Give an account that may see nothing that is not public."""
    return make.make_user("outsider", role=Role.RESIDENT)


@pytest.fixture
def officer(unit: Unit) -> User:
    """Give the officer of the first unit."""
    return make.make_user("officer", role=Role.OFFICER, unit=unit)


@pytest.fixture
def second_officer(unit: Unit) -> User:
    """Give a colleague in the same unit."""
    return make.make_user("second-officer", role=Role.OFFICER, unit=unit)


@pytest.fixture
def far_officer(far_unit: Unit) -> User:
    """Give an officer of another unit."""
    return make.make_user("far-officer", role=Role.OFFICER, unit=far_unit)


@pytest.fixture
def supervisor(unit: Unit) -> User:
    """Give the supervisor, who sees every desk."""
    return make.make_user("supervisor", role=Role.SUPERVISOR, unit=unit)


@pytest.fixture
def moderator(db: None) -> User:
    """Give the moderator, who sees held texts and no desk."""
    return make.make_user("moderator", role=Role.MODERATOR)


@pytest.fixture
def overseer(db: None) -> User:
    """Give the overseer, who reads the journal."""
    return make.make_user("overseer", role=Role.OVERSEER)


@pytest.fixture
def administrator(db: None) -> User:
    """Give the administrator."""
    return make.make_user("administrator", role=Role.ADMINISTRATOR)


@pytest.fixture
def translator(db: None) -> User:
    """Give the volunteer, who reads three languages and sees masked texts only."""
    return make.make_user("translator", role=Role.TRANSLATOR, languages_read=["en", "sq", "ar"])


@pytest.fixture
def translator_client(translator: User) -> Client:
    """Give a browser in which the volunteer is signed in with a second factor."""
    return make.signed_in(translator)


@pytest.fixture
def resident_client(resident: User) -> Client:
    """Give a browser in which the resident is signed in."""
    return make.signed_in(resident)


@pytest.fixture
def outsider_client(outsider: User) -> Client:
    """Give a browser in which the outsider is signed in."""
    return make.signed_in(outsider)


@pytest.fixture
def officer_client(officer: User) -> Client:
    """Give a browser in which the officer is signed in with a second factor."""
    return make.signed_in(officer)


@pytest.fixture
def second_officer_client(second_officer: User) -> Client:
    """Give a browser in which the colleague is signed in with a second factor."""
    return make.signed_in(second_officer)


@pytest.fixture
def far_officer_client(far_officer: User) -> Client:
    """Give a browser in which the other unit's officer is signed in with a second factor."""
    return make.signed_in(far_officer)


@pytest.fixture
def supervisor_client(supervisor: User) -> Client:
    """Give a browser in which the supervisor is signed in with a second factor."""
    return make.signed_in(supervisor)


@pytest.fixture
def moderator_client(moderator: User) -> Client:
    """Give a browser in which the moderator is signed in with a second factor."""
    return make.signed_in(moderator)


@pytest.fixture
def overseer_client(overseer: User) -> Client:
    """Give a browser in which the overseer is signed in with a second factor."""
    return make.signed_in(overseer)


@pytest.fixture
def administrator_client(administrator: User) -> Client:
    """Give a browser in which the administrator is signed in with a second factor."""
    return make.signed_in(administrator)
