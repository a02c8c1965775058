"""What the site's settings let its channels do: pace, price, who takes over, and how much money is left."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db.models import Q, Sum

from commonbeat.messaging.channel import Channel, Limits, Price, channels
from commonbeat.messaging.models import ContactKind, Spending
from commonbeat.messaging.rules import BULK_SHARE, MANY, REPLIES_SHARE, VITAL_SHARE, is_quiet, pairs


@dataclass(frozen=True, slots=True)
class Allowance:
    """How many millionths of the currency each kind of message may still cost; None is no limit."""

    bulk: float | None = None
    replies: float | None = None
    vital: float | None = None

    def after(self, micros: int) -> Allowance:
        """Give what is left beside what is on its way and not booked yet."""
        left = (None if room is None else room - micros for room in (self.bulk, self.replies, self.vital))
        return Allowance(*left)

    def room(self, *, priority: int, is_vital: bool) -> float | None:
        """Give what is left for one message."""
        if is_vital:
            return self.vital
        return self.bulk if priority >= MANY else self.replies


def rate_of(channel: Channel) -> float:
    """Give the messages a second of a channel: the site's setting, else the channel's own."""
    return float(pairs(settings.COMMONBEAT.send_rates).get(channel.code, channel.limits.per_second))


def price_micros(code: str) -> int | None:
    """Give the price of one part by a channel in millionths, as the site's setting says."""
    price = pairs(settings.COMMONBEAT.send_prices).get(code)
    return None if price is None else round(float(price) * 1_000_000)


def cost_of(code: str, parts: int, price: Price | None) -> int | None:
    """Give what a message costs in the site's currency; None when nobody says.

    A provider's own figure counts where it is in the site's currency; else the setting does, for rates of exchange
    are nobody's guess here.
    """
    if price is not None and price.currency == settings.COMMONBEAT.currency:
        return price.micros
    each = price_micros(code)
    return None if each is None else each * parts


def fallback_of(code: str) -> str | None:
    """Give the channel that takes over from another, when both write to the same kind of address."""
    other = pairs(settings.COMMONBEAT.send_fallbacks).get(code)
    known = channels()
    if other is None or other not in known or code not in known:
        return None
    return other if known[other].limits.address_kind == known[code].limits.address_kind else None


def default_channel(kind: str) -> str:
    """Give the channel for a contact that has not written to us: the site's for telephones, else one that fits."""
    if kind != ContactKind.PHONE:
        for code, channel in channels().items():
            if channel.limits.address_kind == kind:
                return code
    return str(settings.COMMONBEAT.sms_channel)


def limits_of(code: str) -> Limits | None:
    """Give what a channel can carry; None when this site does not know it any more."""
    channel = channels().get(code)
    return channel.limits if channel is not None else None


def day_of(now: datetime) -> date:
    """Give the day of a moment in the site's time zone."""
    return now.astimezone(ZoneInfo(settings.COMMONBEAT.time_zone)).date()


def is_night(now: datetime) -> bool:
    """Tell whether bulk waits for the morning."""
    local = now.astimezone(ZoneInfo(settings.COMMONBEAT.time_zone))
    return is_quiet(settings.COMMONBEAT.quiet_hours, local.time())


def allowance(now: datetime) -> Allowance:
    """Work out what may still be spent today and this month."""
    options = settings.COMMONBEAT
    limits = (options.daily_limit, options.monthly_limit)
    if not any(limits):
        return Allowance()
    rooms = [(limit * 1_000_000, spent) for limit, spent in zip(limits, spent_micros(now), strict=True) if limit]
    bulk, replies, vital = (
        min(limit * share - spent for limit, spent in rooms) for share in (BULK_SHARE, REPLIES_SHARE, VITAL_SHARE)
    )
    return Allowance(bulk, replies, vital)


def spent_micros(now: datetime) -> tuple[int, int]:
    """Add up what messages have cost today and this month."""
    today = day_of(now)
    of_month = Spending.objects.filter(currency=settings.COMMONBEAT.currency, day__gte=today.replace(day=1))
    sums = of_month.aggregate(today=Sum("cost_micros", filter=Q(day=today)), month=Sum("cost_micros"))
    return sums["today"] or 0, sums["month"] or 0
