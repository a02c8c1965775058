"""The site's time zone, by which days are counted."""

from __future__ import annotations

from zoneinfo import ZoneInfo

from django.conf import settings


def site_zone() -> ZoneInfo:
    """Give the time zone of the site."""
    return ZoneInfo(settings.TIME_ZONE)
