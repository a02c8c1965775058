"""What an administrator sets on the page of a channel."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime

from django.conf import settings
from django.db import transaction

from commonbeat.config.option_words import SECRETS, written
from commonbeat.config.options import Options
from commonbeat.config.page_options import OF_CHANNELS, problems_with
from commonbeat.journal.actions import append
from commonbeat.messaging import events
from commonbeat.messaging.actions.health import hasten
from commonbeat.messaging.channel import Setup, channels, setup_of
from commonbeat.messaging.in_force import names_of_machine, opened, tied_to_machine
from commonbeat.messaging.models import ChannelSetting, Health
from commonbeat.messaging.sealing import seal_setting


class ChannelSettingsError(ValueError):
    """Carry a sentence for each setting that cannot be so; "" stands for the whole form. Never a value."""

    def __init__(self, problems: Mapping[str, str]) -> None:
        super().__init__(", ".join(problems))
        self.problems = dict(problems)


def settable(setup: Setup) -> tuple[str, ...]:
    """List the settings that the page of a channel may set, whether or not the machine has set them already."""
    return tuple(name for name in setup.names if name in OF_CHANNELS)


def change_channel_settings(*, channel: str, texts: Mapping[str, str], actor_id: int, now: datetime) -> tuple[str, ...]:
    """Store settings of a channel as they were written, "" to clear; give the names of those that changed.

    What is not named stays. All or nothing: ChannelSettingsError says what is wrong.
    """
    setup = setup_of(channels()[channel])
    texts = {name: text.strip() for name, text in texts.items()}
    _refuse_not_ours(setup, texts)
    site = settings.COMMONBEAT
    with transaction.atomic():
        rows = {row.name: row for row in ChannelSetting.objects.select_for_update().order_by("name")}
        fixed = names_of_machine()
        known, unreadable = opened(
            {name: bytes(row.value_sealed) for name, row in rows.items() if row.value_sealed and name not in fixed}
        )
        new = {name: text for name, text in texts.items() if text != known.get(name, "") or name in unreadable}
        if not new:
            return ()
        problems = problems_with(site, known, new) or _secrets_to_repeat(
            site, setup, known, texts, held=known.keys() | unreadable
        )
        if problems:
            raise ChannelSettingsError(problems)
        stored = []
        for name, text in new.items():
            sealed = seal_setting(site.secret, name, text) if text else b""
            row, _is_new = ChannelSetting.objects.update_or_create(
                name=name, defaults={"value_sealed": sealed, "changed_at": now, "changed_by_id": actor_id}
            )
            stored.append(row.pk)
        _ask_again(channel, now)
        data = {"channel": channel, "settings": ", ".join(new)}
        append(kind=events.CHANNEL_CHANGED, subject_id=stored[0], now=now, actor_id=actor_id, data=data)
    return tuple(new)


def _refuse_not_ours(setup: Setup, texts: Mapping[str, str]) -> None:
    allowed, machine, tied = settable(setup), names_of_machine(), tied_to_machine(setup)
    problems = {}
    for name in texts:
        if name not in allowed:
            problems[""] = "This form sets something that is no setting of the channel. Nothing was changed."
        elif name in machine or name in tied:
            problems[name] = "This is set by the environment, and cannot be changed here."
    if problems:
        raise ChannelSettingsError(problems)


def _secrets_to_repeat(
    site: Options, setup: Setup, known: Mapping[str, str], texts: Mapping[str, str], *, held: Collection[str]
) -> dict[str, str]:
    """Ask for each stored secret again where it would go to another address."""
    moved = any(_in_force(site, name, texts) != _in_force(site, name, known) for name in setup.goes_to if name in texts)
    if not moved:
        return {}
    return {
        name: "Write it again: the address for which it is meant has changed."
        for name in settable(setup)
        if name in SECRETS and name in held and name not in texts
    }


def _in_force(site: Options, name: str, texts: Mapping[str, str]) -> str:
    return texts.get(name) or written(getattr(site, name))


def _ask_again(channel: str, now: datetime) -> None:
    # What waits because the gateway did not answer need not wait out its minute.
    if Health.objects.filter(channel=channel, failures__gt=0).exists():
        Health.objects.filter(channel=channel, ask_again_at__gt=now).update(ask_again_at=now)
        hasten(channel=channel, now=now, only_free=False)
