"""The Jinja2 environment of the pages, and what every page knows."""

from __future__ import annotations

from collections.abc import Callable, Iterable, MutableMapping
from datetime import date, datetime
from functools import cache, lru_cache
from typing import Any

from babel.dates import format_date, format_datetime, format_time, format_timedelta, get_datetime_format
from babel.lists import format_list
from babel.numbers import format_decimal
from django.conf import settings
from django.contrib.messages import get_messages
from django.http import HttpRequest
from django.template import engines
from django.templatetags.static import static
from django.urls import reverse
from django.utils import timezone, translation
from django.utils.translation import gettext, ngettext
from jinja2 import Environment
from markupsafe import Markup

from commonbeat.foundation import clock
from commonbeat.foundation.ids import format_reference
from commonbeat.topics.definition import text_in
from commonbeat.web.language import direction_of


class PageEnvironment(Environment):
    """Jinja2 with one table of globals: its chain of tables cost a tenth of a page."""

    def make_globals(self, d: MutableMapping[str, Any] | None) -> MutableMapping[str, Any]:
        """Give every template the globals of the environment; templates with their own are not known here."""
        assert not d, "no template has globals of its own"
        return self.globals


def environment(**options: Any) -> Environment:
    """Make the environment: autoescape, gettext, and the filters of this site."""
    options.setdefault("extensions", []).append("jinja2.ext.i18n")
    env = PageEnvironment(trim_blocks=True, lstrip_blocks=True, **options)  # Django passes autoescape=True
    env.install_gettext_callables(gettext, ngettext, newstyle=True)  # type: ignore[attr-defined]  # added by the extension
    env.globals.update(
        gettext=_said,
        _=_said,
        icon=_Kept(env, "components/icons.html", "icon", 400),
        symbols=_Kept(env, "components/icons.html", "symbols", 100),
        nav_links=_Kept(env, "components/links.html", "links", 200),
        public_footer=_Kept(env, "components/footer.html", "footer", 20),
        feed_links=_Kept(env, "components/feeds.html", "feeds", 100),
        filter_form=_Kept(env, "components/filters.html", "filters", 200),
        static=_static,
        url=_url,
        site_name=settings.COMMONBEAT.site_name,
        is_demo=settings.COMMONBEAT.demo,
        options=settings.COMMONBEAT,
        may=_may,
        alerts_waiting=_alerts_waiting,
        senders_waiting=_senders_waiting,
        tips_waiting=_tips_waiting,
    )
    env.filters.update(
        date=local_date,
        datetime=local_datetime,
        time_ago=time_ago,
        number=local_number,
        join_list=join_list,
        reference=format_reference,
        in_language=lambda texts: text_in(texts, translation.get_language()),
    )
    return env


def page_context(request: HttpRequest) -> dict[str, Any]:
    """Give every page its language, direction and viewer."""
    language = translation.get_language()
    user = getattr(request, "user", None)
    return {
        "language": language,
        "direction": direction_of(language),
        "languages": settings.LANGUAGES,
        "messages": get_messages(request),
        "viewer": user if user is not None and user.is_authenticated else None,
        "site_name": settings.COMMONBEAT.site_name,
        "is_demo": settings.COMMONBEAT.demo,
        "emergency_number": settings.COMMONBEAT.emergency_number,
        "exit_url": settings.COMMONBEAT.exit_url,
    }


def _said(text: str, /, **variables: Any) -> Markup:
    """Say a text in the page's language; as in Jinja2's own, the text is trusted and the variables are escaped."""
    language = translation.get_language()
    return _pattern(language, text) % variables if variables else _plain(language, text)


# A page says some sixty texts, and looking them up anew took a tenth of its time. A translation never changes.
@lru_cache(maxsize=4096)
def _plain(language: str | None, text: str) -> Markup:
    return _pattern(language, text) % {}


@lru_cache(maxsize=4096)
def _pattern(language: str | None, text: str) -> Markup:
    return Markup(gettext(text))  # noqa: S704  # of the templates and their translations


class _Kept:
    """A macro that keeps what it wrote for the same arguments in the same language.

    For what most pages share, and macros that read nothing but their arguments, which can be hashed: half of a list's
    time went into writing the same icons, links, forms and rows again. The arguments are the key, so nothing old is
    shown.
    """

    def __init__(self, env: Environment, template: str, name: str, size: int) -> None:
        @lru_cache(maxsize=size)
        def written(language: str | None, args: tuple[Any, ...]) -> Markup:
            macro: Callable[..., Markup] = getattr(env.get_template(template).module, name)
            return macro(*args)

        self._written = written

    def __call__(self, *args: Any) -> Markup:
        """Write it once."""
        key = tuple([tuple(arg) if type(arg) is list else arg for arg in args])
        return self._written(translation.get_language(), key)


@cache
def macro(template: str, name: str) -> Callable[..., Markup]:
    """Give a macro of the pages' templates."""
    engine: Any = engines["jinja2"]
    environment: Environment = engine.env
    found: Callable[..., Markup] = getattr(environment.get_template(template).module, name)
    return found


# A page names some twenty addresses and files; looking each up anew took a tenth of the page's time.
@lru_cache(maxsize=2000, typed=True)
def _url(name: str, **kwargs: Any) -> str:
    return reverse(name, kwargs=kwargs)


@lru_cache(maxsize=200)
def _static(path: str) -> str:
    return static(path)


def _may(user: Any, name: str) -> bool:
    from commonbeat.people.permissions import Permission, may  # models are not loaded when this module is

    return may(user, Permission[name])


def _alerts_waiting(user: Any) -> int:
    from commonbeat.alerts.desk_queries import waiting_for  # as above

    return waiting_for(user).count()


def _senders_waiting(user: Any) -> int:
    from commonbeat.reports.queries.contacts import senders_waiting  # as above

    return senders_waiting(user)


def _tips_waiting(user: Any) -> int | None:
    from commonbeat.web.desk.tips_count import tips_waiting  # as above

    return tips_waiting(user)


def local_date(value: date | datetime | None, form: str = "long") -> str:
    """Format a date in the page's language."""
    if value is None:
        return ""
    if isinstance(value, datetime):
        value = timezone.localtime(value).date()
    return format_date(value, form, locale=translation.get_language())


def local_datetime(value: datetime | None, form: str = "medium") -> str:
    """Format a moment in the site's time zone and the page's language, without seconds, which nobody reads."""
    if value is None:
        return ""
    if form == "medium":
        locale, at = translation.get_language(), timezone.localtime(value)
        pattern = str(get_datetime_format("medium", locale=locale)).replace("'", "")
        return pattern.format(format_time(at, "short", locale=locale), format_date(at, "medium", locale=locale))
    return format_datetime(
        timezone.localtime(value),
        form,
        locale=translation.get_language(),
    )


def time_ago(value: datetime | None) -> str:
    """Say how long ago a moment was, such as "3 hours ago"."""
    if value is None:
        return ""
    return format_timedelta(value - clock.now(), add_direction=True, locale=translation.get_language())


def local_number(value: float | int) -> str:
    """Format a number in the page's language."""
    return format_decimal(value, locale=translation.get_language())


def join_list(items: Iterable[object]) -> str:
    """Put a list into one sentence, with the commas and the "and" of the page's language."""
    return format_list([str(item) for item in items], locale=translation.get_language())
