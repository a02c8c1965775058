"""Django's own check of a deployment, with the settings of a real site behind HTTPS."""

from __future__ import annotations

import os
import re
import secrets
import subprocess
import sys
from pathlib import Path

# The site's own middleware (web/headers.py) sends what these two of Django's would, and tests/web/test_headers.py holds
# it to each header. HTTPS, its redirect and Strict-Transport-Security belong to the proxy (deploy/).
EXPECTED = {"security.W001", "security.W002"}
REPOSITORY = Path(__file__).resolve().parents[2]


def checked(data_dir: Path, **environment: str) -> set[str]:
    """Run the check in a process of its own; give what it names."""
    (data_dir / "tmp").mkdir(exist_ok=True)
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("COMMONBEAT_", "DJANGO_"))}
    told = {"COMMONBEAT_DATA_DIR": str(data_dir), "DJANGO_SETTINGS_MODULE": "commonbeat.config.settings", **environment}
    done = subprocess.run(
        [sys.executable, "-m", "django", "check", "--deploy", "--fail-level", "ERROR"],
        env=kept | told, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return set(re.findall(r"\(([a-z_]+\.[A-Z][0-9]+)\)", done.stdout + done.stderr))


def test_a_real_site_is_set_as_django_advises(tmp_path: Path) -> None:
    found = checked(
        tmp_path,
        COMMONBEAT_SITE_URL="https://beat.example",
        COMMONBEAT_TRUSTED_PROXIES="1",
        COMMONBEAT_SECRET_KEY=secrets.token_urlsafe(48),
    )
    assert found == EXPECTED


def test_the_proxies_send_what_the_site_leaves_to_them() -> None:
    for name in ("nginx.conf", "Caddyfile"):
        text = (REPOSITORY / "deploy" / name).read_text("utf-8")
        assert "Strict-Transport-Security" in text, name


def test_without_https_the_check_says_so(tmp_path: Path) -> None:
    found = checked(
        tmp_path, COMMONBEAT_SITE_URL="http://127.0.0.1:8000", COMMONBEAT_SECRET_KEY=secrets.token_urlsafe(48)
    )
    assert found > EXPECTED
