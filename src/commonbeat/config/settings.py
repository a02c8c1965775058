"""Put the house together for Django; what a deployment may change is in options.py."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from commonbeat.config.options import KNOWN_LANGUAGES, given_names, read_options

COMMONBEAT = read_options()
# What the file and the environment set; the pages of channels may set none of these.
COMMONBEAT_GIVEN = given_names()
PACKAGE = Path(__file__).resolve().parent.parent

SECRET_KEY = COMMONBEAT.secret_key
DEBUG = False
ALLOWED_HOSTS = [urlsplit(COMMONBEAT.site_url).hostname or "127.0.0.1", "127.0.0.1", "localhost", "[::1]"]
ALLOWED_HOSTS += [h for h in COMMONBEAT.allowed_hosts if h not in ALLOWED_HOSTS]
HTTPS = COMMONBEAT.site_url.startswith("https://")

INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django_htmx",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "commonbeat.people",
    "commonbeat.places",
    "commonbeat.journal",
    "commonbeat.topics",
    "commonbeat.media",
    "commonbeat.messaging",
    "commonbeat.reports",
    "commonbeat.maps",
    "commonbeat.alerts",
    "commonbeat.tips",
    "commonbeat.intake",
    "commonbeat.web",
]

MIDDLEWARE = [
    "commonbeat.web.compression.Compression",
    "commonbeat.web.headers.SecurityHeaders",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "commonbeat.web.language.LanguageMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "allauth.account.middleware.AccountMiddleware",
]

ROOT_URLCONF = "commonbeat.config.urls"
TEMPLATES: list[dict[str, Any]] = [
    {
        "BACKEND": "django.template.backends.jinja2.Jinja2",
        "DIRS": [PACKAGE / "web" / "templates"],
        "APP_DIRS": False,
        "OPTIONS": {
            "environment": "commonbeat.web.jinja.environment",
            "context_processors": ["commonbeat.web.jinja.page_context"],
        },
    },
    {
        # Only allauth's own pages speak Django's dialect.
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [PACKAGE / "web" / "account_templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "commonbeat.web.jinja.page_context",
            ]
        },
    },
]

DATABASES: dict[str, dict[str, Any]]
if COMMONBEAT.database_url:
    _url = urlsplit(COMMONBEAT.database_url)
    DATABASES = {
        "default": {
            "ENGINE": "django.db.backends.postgresql",
            "NAME": unquote(_url.path.lstrip("/")),
            "USER": unquote(_url.username or ""),
            "PASSWORD": unquote(_url.password or ""),
            "HOST": _url.hostname or "",
            "PORT": str(_url.port or ""),
            "CONN_MAX_AGE": 600,
            "CONN_HEALTH_CHECKS": True,
        }
    }
else:
    DATABASES = {
        "default": {
            "ENGINE": "django.db.backends.sqlite3",
            "NAME": COMMONBEAT.database_path,
            "CONN_MAX_AGE": None,
            "OPTIONS": {
                # A deferred read-then-write fails 99 % BUSY under two writers (FACTS.md), so always IMMEDIATE.
                "transaction_mode": "IMMEDIATE",
                "timeout": 10,
                "init_command": (
                    "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA foreign_keys=ON; "
                    "PRAGMA cache_size=-8000; PRAGMA temp_store=MEMORY;"
                ),
            },
        }
    }

CACHES = {
    # Shared by every process, so that slowing down guesses cannot be dodged by hitting another one.
    "default": {
        "BACKEND": "django.core.cache.backends.db.DatabaseCache",
        "LOCATION": "cache",
        # allauth counts failed log-ins under the caller's address, which must not stand in a table.
        "KEY_FUNCTION": "commonbeat.web.cache_keys.hashed_key",
    },
}

AUTH_USER_MODEL = "people.User"
AUTHENTICATION_BACKENDS = ["allauth.account.auth_backends.AuthenticationBackend"]
PASSWORD_HASHERS = ["django.contrib.auth.hashers.Argon2PasswordHasher"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 10}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
# No account has an e-mail address; whatever tries to send anyway goes nowhere, rather than to a mail server nearby.
EMAIL_BACKEND = "django.core.mail.backends.dummy.EmailBackend"
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "desk:home"
ACCOUNT_LOGOUT_REDIRECT_URL = "public:home"
ACCOUNT_ADAPTER = "commonbeat.web.accounts.AccountAdapter"
ACCOUNT_LOGIN_METHODS = {"username"}
ACCOUNT_SIGNUP_FIELDS = ["username*", "password1*", "password2*"]
ACCOUNT_EMAIL_VERIFICATION = "none"
ACCOUNT_PREVENT_ENUMERATION = True
ACCOUNT_RATE_LIMITS = {"login_failed": "20/m/ip,5/5m/key", "login": "60/m/ip"}
ACCOUNT_REAUTHENTICATION_TIMEOUT = 900
ALLAUTH_TRUSTED_PROXY_COUNT = COMMONBEAT.trusted_proxies
MFA_ADAPTER = "commonbeat.web.second_factor.SecondFactorAdapter"
MFA_SUPPORTED_TYPES = ["totp", "webauthn", "recovery_codes"]
MFA_PASSKEY_LOGIN_ENABLED = True
MFA_TOTP_ISSUER = COMMONBEAT.site_name
# Old phones keep poor time: the code before and the code after the current one pass too.
MFA_TOTP_TOLERANCE = 1
# Browsers allow passkeys on plain http for localhost alone, which is where a trial site runs.
MFA_WEBAUTHN_ALLOW_INSECURE_ORIGIN = not HTTPS

LANGUAGE_CODE = COMMONBEAT.languages[0]
LANGUAGES = [(code, KNOWN_LANGUAGES[code]) for code in COMMONBEAT.languages]
LANGUAGE_COOKIE_NAME = "language"
LOCALE_PATHS = [PACKAGE / "locale"]
USE_I18N = True
USE_TZ = True
TIME_ZONE = COMMONBEAT.time_zone

# Collected when a site starts (cli/site.py) and served by config/assets.py; tests take them from the source tree.
STATIC_URL = "/static/"
STATIC_ROOT = COMMONBEAT.data_dir / "static"
STATICFILES_DIRS = [PACKAGE / "web" / "static"]
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "commonbeat.config.static_files.HashedStaticFiles"},
}
DATA_UPLOAD_MAX_MEMORY_SIZE = 1_000_000
FILE_UPLOAD_MAX_MEMORY_SIZE = 1_000_000
DATA_UPLOAD_MAX_NUMBER_FIELDS = 300
PHOTO_LIMIT_BYTES = 15_000_000
# Not Django's own, which leaves what is larger in /tmp for everybody, and for ever when the process is killed.
FILE_UPLOAD_HANDLERS = [
    "django.core.files.uploadhandler.MemoryFileUploadHandler",
    "commonbeat.config.uploads.NamelessFileUploadHandler",
]
# Made and emptied at the start, readable by the owner alone (config/options.py).
FILE_UPLOAD_TEMP_DIR = COMMONBEAT.temporary_dir
# Django would give collected files and pictures to everybody on the computer, whatever the umask.
FILE_UPLOAD_PERMISSIONS = 0o600

SESSION_ENGINE = "commonbeat.web.sessions"
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_SECURE = HTTPS
SESSION_COOKIE_AGE = 12 * 3600
CSRF_COOKIE_SECURE = HTTPS
CSRF_COOKIE_HTTPONLY = True
CSRF_FAILURE_VIEW = "commonbeat.web.errors.csrf_failed"
CSRF_TRUSTED_ORIGINS = [COMMONBEAT.site_url]
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
if HTTPS and COMMONBEAT.trusted_proxies:
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")

# One folder and one line per provider.
CHANNELS = [
    "commonbeat.channels.kannel_sms",
    "commonbeat.channels.smsgate_sms",
    "commonbeat.channels.smssync_sms",
    "commonbeat.channels.twilio_sms",
    "commonbeat.channels.vonage_sms",
    "commonbeat.channels.africastalking_sms",
    "commonbeat.channels.webhook_sms",
    "commonbeat.channels.smpp_sms",
    "commonbeat.channels.telegram",
    "commonbeat.channels.whatsapp",
    "commonbeat.channels.africastalking_ussd",
    "commonbeat.channels.demo_sms",
    "commonbeat.channels.email",
    "commonbeat.channels.webpush",
]

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"without words": {"()": "commonbeat.config.logs.WithoutWords"}},
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "without words"}},
    "root": {"handlers": ["stderr"], "level": "WARNING"},
    "loggers": {
        # Of a failed request the page's name is written, not its address: some addresses hold a secret.
        "django.request": {"level": "ERROR"},
        "commonbeat": {"level": "INFO"},
    },
}
SILENCED_SYSTEM_CHECKS: list[str] = []
