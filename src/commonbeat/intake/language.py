"""Tell the language of a message, where it can be told."""

from __future__ import annotations

import re
import tempfile
from collections.abc import Sequence
from functools import lru_cache
from mmap import ACCESS_READ, mmap
from pathlib import Path
from typing import TYPE_CHECKING, Any

from django.conf import settings

if TYPE_CHECKING:
    from array import array

    from py3langid.langid import LanguageIdentifier

# Fewer say too little: one word, "OK Prizren", a name.
LEAST_LETTERS, LEAST_WORDS = 12, 2
# Between three languages; below this it is a coin's toss ("garbage te shkolla" reaches 0.99).
LEAST_CERTAINTY = 0.8
# To change what is remembered takes more than to guess for the first time.
SURE_LETTERS, SURE_WORDS, SURE_CERTAINTY = 20, 4, 0.98
_LETTERS = re.compile(r"[^\W\d_]+")
# Scripts by which languages are told apart, and who writes in them. Latin tells nothing.
_SCRIPTS = (
    ("\u0600-\u06ff\u0750-\u077f\u08a0-\u08ff\ufb50-\ufdff\ufe70-\ufefc", ("ar", "fa", "ur", "ps", "ckb")),
    ("\u0400-\u052f", ("ru", "uk", "bg", "mk", "sr", "be", "kk", "ky")),
    ("\u0370-\u03ff\u1f00-\u1fff", ("el",)),
    ("\u0590-\u05ff", ("he", "yi")),
    ("\u0530-\u058f", ("hy",)),
    ("\u10a0-\u10ff", ("ka",)),
    ("\u0900-\u097f", ("hi", "mr", "ne")),
    ("\u0980-\u09ff", ("bn",)),
    ("\u1200-\u139f", ("am", "ti")),
)


def recognise(text: str, languages: tuple[str, ...]) -> str | None:
    """Recognise one of some languages in a text of at least two words and twelve letters; else None."""
    words = _LETTERS.findall(text[:1_000])
    if len(words) < LEAST_WORDS or sum(map(len, words)) < LEAST_LETTERS:
        return None
    script = by_script(text, languages)
    if script is not None:
        return script
    # The model was trained on text in lower case, and would guess from the letters of a place name in capitals.
    found, certainty = _identifier(languages).classify(" ".join(words).lower())
    return str(found) if found in languages and float(certainty) >= LEAST_CERTAINTY else None


def recognise_surely(text: str, languages: tuple[str, ...]) -> str | None:
    """Recognise one of some languages in a text of at least four words or twenty letters, where it is sure."""
    words = _LETTERS.findall(text[:1_000])
    if len(words) < SURE_WORDS and sum(map(len, words)) < SURE_LETTERS:
        return None
    script = by_script(text, languages)
    if script is not None or len(languages) < 2:
        return script
    found, certainty = _identifier(languages).classify(" ".join(words).lower())
    return str(found) if found in languages and float(certainty) >= SURE_CERTAINTY else None


def by_script(text: str, languages: tuple[str, ...]) -> str | None:
    """Give the language on which most letters of a text decide by their script alone; None where several share it."""
    letters = "".join(_LETTERS.findall(text[:1_000]))
    for script, language in _scripts_of(languages):
        if letters and 2 * len(script.findall(letters)) > len(letters):
            return language
    return None


def of_script_alone(text: str, languages: tuple[str, ...]) -> str | None:
    """Give the language on which every letter of a text decides by its script alone."""
    letters = "".join(_LETTERS.findall(text[:1_000]))
    for script, language in _scripts_of(languages):
        if letters and len(script.findall(letters)) == len(letters):
            return language
    return None


@lru_cache(maxsize=8)
def _scripts_of(languages: tuple[str, ...]) -> tuple[tuple[re.Pattern[str], str], ...]:
    """List the scripts that one of some languages has to itself."""
    found = [(letters, [code for code in languages if code in users]) for letters, users in _SCRIPTS]
    return tuple((re.compile(f"[{letters}]"), users[0]) for letters, users in found if len(users) == 1)


def warm(languages: tuple[str, ...]) -> None:
    """Load the model (half a second of work), so that no message waits for it."""
    _identifier(languages)


@lru_cache(maxsize=2)
def _identifier(languages: tuple[str, ...]) -> LanguageIdentifier:
    from py3langid.langid import MODEL_FILE, LanguageIdentifier

    full = LanguageIdentifier.from_model_file(MODEL_FILE)
    full.set_languages(list(languages))
    # A second one from the narrowed tables: the first keeps those of all its languages, 24 MB more.
    return LanguageIdentifier(
        full.nb_ptc,
        full.nb_pc,
        full.nb_classes,
        _kept_in_a_file(full.tk_nextmove),
        full.tk_output,
        norm_probs=True,
        tk_row=full.tk_row,
    )


def _kept_in_a_file(table: array[int]) -> Sequence[int]:
    """Give a table that lies in a file without a name: of its 42 MB a message reads some hundred kB."""
    folder = Path(settings.FILE_UPLOAD_TEMP_DIR)
    with tempfile.TemporaryFile(dir=folder if folder.is_dir() else None) as file:
        table.tofile(file)
        file.flush()
        numbers: Any = memoryview(mmap(file.fileno(), 0, access=ACCESS_READ))
        found: Sequence[int] = numbers.cast(table.typecode)
        return found
