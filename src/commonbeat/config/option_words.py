"""What is said of settings: which are secret, what each does, how a value is written."""

from __future__ import annotations

import ast
import dataclasses
import inspect
import itertools
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from types import MappingProxyType

from commonbeat.config.options import PREFIX, Options

_SECRET_WORDS = frozenset({"secret", "password", "key", "token"})
# The one list of what is never shown. A database address may carry its password.
SECRETS = frozenset(
    field.name for field in dataclasses.fields(Options) if _SECRET_WORDS & set(field.name.split("_"))
) | {"database_url"}

_WORDS = {
    "api": "API", "from": "sender", "hook": "webhook", "id": "ID", "imap": "IMAP", "latin1": "Latin-1",
    "smtp": "SMTP", "sms": "SMS", "tls": "TLS", "url": "address", "username": "user name", "ussd": "USSD",
}  # fmt: skip
_NAMED = re.compile(PREFIX + r"([A-Z0-9]+_[A-Z0-9_]*[A-Z0-9])")


@cache
def option_meanings() -> MappingProxyType[str, str]:
    """Read the sentence that stands below each setting in the source."""
    tables = [table for table in Options.__mro__ if dataclasses.is_dataclass(table)]
    return MappingProxyType({name: meaning for table in tables for name, meaning in _meanings_in(table)})


def is_hidden(name: str, text: str) -> bool:
    """Tell whether a value is not to be shown: a secret, or an address that carries a password or a key."""
    parts = text.partition("://")[2]
    return name in SECRETS or "@" in parts.partition("/")[0] or "?" in parts


def label_of(name: str) -> str:
    """Name a setting on the page of its channel: its own words without the provider's."""
    words = [_WORDS.get(word, word) for word in name.split("_")[1:]]
    label = " ".join(words)
    return label[:1].upper() + label[1:]


def in_labels(sentence: str) -> str:
    """Put the labels of settings for their names into a sentence that says what is wrong with them."""
    return _NAMED.sub(lambda found: f"“{label_of(found[1].lower())}”", sentence)


def written(value: object) -> str:
    """Write a value as the settings file and the environment have it."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, tuple):
        return ",".join(map(str, value))
    if isinstance(value, Path):
        return value.as_posix()
    return str(value)


def _meanings_in(table: type) -> Iterator[tuple[str, str]]:
    body = ast.parse(inspect.getsource(table)).body[0]
    assert isinstance(body, ast.ClassDef)
    for field, text in itertools.pairwise(body.body):
        if isinstance(field, ast.AnnAssign) and isinstance(field.target, ast.Name) and isinstance(text, ast.Expr):
            assert isinstance(text.value, ast.Constant), f"{field.target.id} has no sentence"
            yield field.target.id, str(text.value.value)
