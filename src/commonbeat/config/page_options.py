"""What the pages of channels may set, put over what the file and the environment leave open."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Collection, Mapping
from typing import Any, NamedTuple

from commonbeat.config.gateway_options import GatewayOptions
from commonbeat.config.options import PREFIX, Options, convert, problems_of

# A page sets what belongs to a channel, never what belongs to the site (its key, its database, the demo), nor ports of
# this computer, nor what tests need.
OF_CHANNELS = frozenset(field.name for field in dataclasses.fields(GatewayOptions)) - {
    "mail_lmtp_host", "mail_lmtp_port", "push_loopback",
}  # fmt: skip
MOST_LETTERS = 2_000
_NAMED = re.compile(PREFIX + r"([A-Z0-9_]+)")
_DEFAULTS: dict[str, Any] = {field.name: field.default for field in dataclasses.fields(Options)}


class Merged(NamedTuple):
    """Options with what was stored, and why some of it was left out: setting → sentence."""

    options: Options
    faults: Mapping[str, str]


def fixed_names(site: Options, given: Collection[str]) -> frozenset[str]:
    """Name the settings that a page cannot change, because the file or the environment has them."""
    # What differs from what it is unless set was set, whoever made these options.
    return frozenset(given) | {name for name in OF_CHANNELS if getattr(site, name) != _DEFAULTS[name]}


def merged(site: Options, texts: Mapping[str, str]) -> Merged:
    """Put stored texts over the options of a site; what cannot be used is left out, and the rest is used."""
    faults: dict[str, str] = {}
    values = _read(texts, faults)
    was_wrong = set(problems_of(site)) if values else set()
    while values:
        options = dataclasses.replace(site, **values)
        problems = [one for one in problems_of(options) if one not in was_wrong]
        if not problems:
            return Merged(options, faults)
        for problem in problems:
            for name in _to_blame(problem, values):
                faults[name] = problem
        values = {name: value for name, value in values.items() if name not in faults}
    return Merged(site, faults)


def problems_with(site: Options, known: Mapping[str, str], new: Mapping[str, str]) -> dict[str, str]:
    """Say what is wrong with new texts beside those known, setting → sentence; "" is for what names none of them."""
    found: dict[str, str] = {}
    for name, text in new.items():
        if len(text) > MOST_LETTERS or not text.isprintable():
            found[name] = f"{PREFIX}{name.upper()} must be one line of at most {MOST_LETTERS} letters."
    _read({name: text for name, text in new.items() if name not in found}, found)
    if found:
        return found
    before = merged(site, known)
    usable = {name: text for name, text in known.items() if name not in before.faults} | dict(new)
    was_wrong = set(problems_of(before.options))
    for problem in problems_of(dataclasses.replace(site, **_read(usable, {}))):
        if problem not in was_wrong:
            for name in named_in(problem, new) or named_in(problem, OF_CHANNELS) or [""]:
                found.setdefault(name, problem)
    return found


def named_in(sentence: str, names: Collection[str]) -> list[str]:
    """Find which settings a sentence names, among some."""
    return [name.lower() for name in _NAMED.findall(sentence) if name.lower() in names]


def _to_blame(problem: str, names: Collection[str]) -> list[str]:
    # What it names; or what is of the same provider as that; or all, so that asking again ends.
    named = named_in(problem, names)
    if not named:
        providers = {name.partition("_")[0] for name in named_in(problem, OF_CHANNELS)}
        named = [name for name in names if name.partition("_")[0] in providers]
    return named or list(names)


def _read(texts: Mapping[str, str], faults: dict[str, str]) -> dict[str, Any]:
    values: dict[str, Any] = {}
    for name, text in texts.items():
        if name not in OF_CHANNELS or not text:
            continue
        problems: list[str] = []
        value = convert(name, text, problems)
        if problems:
            faults[name] = problems[0]
        else:
            values[name] = value
    return values
