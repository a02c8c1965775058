"""Bring the translations up to date: read the sources, update each .po, compile each .mo.

Only what residents read is translated: public pages, account pages, and text messages. `make translations` runs this;
Babel does the work, for a fresh machine has no msgfmt.
"""

from __future__ import annotations

import io
import sys
from collections.abc import Iterator
from pathlib import Path

from babel.messages.catalog import Catalog, Message
from babel.messages.extract import DEFAULT_KEYWORDS, extract
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po

SOURCE = Path(__file__).resolve().parent.parent / "src" / "commonbeat"
LOCALE = SOURCE / "locale"
LANGUAGES = ("sq", "ar")
# Pages of staff and the command line speak English.
NOT_PUBLIC = ("cli/", "web/desk/", "web/administration/", "web/oversight/")
NOT_PUBLIC_TEMPLATES = ("desk/", "administration/", "oversight/")
KEYWORDS = {
    **DEFAULT_KEYWORDS,
    "gettext_lazy": None,
    "ngettext_lazy": (1, 2),
    "pgettext_lazy": ((1, "c"), 2),
    "gettext_noop": None,
}
TRANSLATORS = ["Translators:"]


def public_sources() -> Iterator[tuple[Path, str]]:
    """Give the files with public texts, each with the kind of its language."""
    for path in sorted(SOURCE.rglob("*.py")):
        if not path.relative_to(SOURCE).as_posix().startswith(NOT_PUBLIC) and "migrations" not in path.parts:
            yield path, "python"
    templates = SOURCE / "web" / "templates"
    for path in sorted(templates.rglob("*.*")):
        name = path.relative_to(templates).as_posix()
        if path.suffix in {".html", ".txt", ".xml", ".js"} and not name.startswith(NOT_PUBLIC_TEMPLATES):
            yield path, "jinja2"
    for path in sorted((SOURCE / "web" / "account_templates").rglob("*.html")):
        yield path, "django"


def public_texts() -> Catalog:
    """Extract what is to be translated."""
    catalog = Catalog(project="Commonbeat", charset="utf-8", fuzzy=False)
    for path, kind in public_sources():
        name = path.relative_to(SOURCE).as_posix()
        for _line, text, comments, context in _extract(path, kind):
            catalog.add(text, None, [(name, 1)], auto_comments=comments, context=context)
    return catalog


def _extract(path: Path, kind: str) -> Iterator[tuple[int, str | tuple[str, ...], list[str], str | None]]:
    content = path.read_bytes()
    options: dict[str, str] = {}
    if kind == "jinja2":
        options = {"extensions": "jinja2.ext.i18n", "trim_blocks": "true", "lstrip_blocks": "true", "silent": "false"}
    elif kind == "django":
        from django.utils.translation.template import templatize

        # Django turns its own dialect into calls of gettext among X's, which read as Python tokens.
        content, kind = templatize(content.decode("utf-8"), origin=path.name).encode("utf-8"), "python"
    yield from extract(kind, io.BytesIO(content), KEYWORDS, TRANSLATORS, options, strip_comment_tags=True)


def read_catalog(language: str) -> Catalog:
    """Read a language's .po; an empty one when there is none yet."""
    file = po_file(language)
    if not file.exists():
        return Catalog(locale=language, project="Commonbeat", fuzzy=False)
    with file.open("rb") as handle:
        return read_po(handle, locale=language)


def po_file(language: str) -> Path:
    """Name a language's .po."""
    return LOCALE / language / "LC_MESSAGES" / "django.po"


def untranslated(catalog: Catalog, texts: Catalog) -> list[str]:
    """Give the texts that a catalog does not translate completely."""
    missing = []
    for message in texts:
        if not message.id:
            continue
        found = catalog.get(message.id, message.context)
        if found is None or found.fuzzy or not _is_complete(found, catalog.num_plurals):
            missing.append(message.id if isinstance(message.id, str) else message.id[0])
    return missing


def _is_complete(message: Message, plurals: int) -> bool:
    if isinstance(message.id, str):
        return bool(message.string)
    forms = message.string if isinstance(message.string, tuple | list) else (message.string,)
    return len(forms) == plurals and all(forms)


def compiled(catalog: Catalog) -> bytes:
    """Compile a catalog to the bytes of a .mo."""
    buffer = io.BytesIO()
    write_mo(buffer, catalog)
    return buffer.getvalue()


def update(language: str, texts: Catalog) -> Catalog:
    """Take new texts into a language's .po, drop what is no longer used, and compile it."""
    catalog = read_catalog(language)
    created = catalog.creation_date
    catalog.update(texts, no_fuzzy_matching=True)
    catalog.obsolete.clear()
    catalog.creation_date = created
    file = po_file(language)
    file.parent.mkdir(parents=True, exist_ok=True)
    with file.open("wb") as handle:
        write_po(handle, catalog, width=116, include_lineno=False, sort_by_file=True)
    file.with_suffix(".mo").write_bytes(compiled(read_catalog(language)))
    return catalog


def main() -> None:
    """Update every language and say what is missing."""
    texts = public_texts()
    lacking = 0
    for language in LANGUAGES:
        missing = untranslated(update(language, texts), texts)
        lacking += len(missing)
        print(f"{language}: {len(texts) - len(missing)} of {len(texts)} texts are translated.")
        for text in missing[:20]:
            print(f"  missing: {text!r}")
    sys.exit(1 if lacking else 0)


if __name__ == "__main__":
    main()
