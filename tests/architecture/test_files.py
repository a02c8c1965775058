"""Names and sizes of files, and what pages may load."""

from __future__ import annotations

import hashlib
import re

from tests.architecture.source import REPOSITORY, SOURCE, VENDOR, name_of, source_files

LONGEST = 400
EMPTY_NAMES = frozenset({"utils", "util", "helpers", "helper", "common", "misc", "services", "service", "tools"})
# Links that a person follows are fine; what a page loads by itself is not. Namespaces are names, not addresses.
LOADED = re.compile(
    r"""(?:(?:src|srcset|action|poster|data)=["']?|<link[^>]+href=["']|url\(["']?|@import\s+["']?|"""
    r"""fetch\(["'`]|import\(?["'`\s]|from\s+["'])\s*(?:https?:)?//[a-z0-9]""",
    re.IGNORECASE,
)
INLINE = re.compile(r"<[^>]*\s(?:style|on[a-z]+)=[\"']|<style\b|<script(?![^>]*\bsrc=)(?![^>]*application/json)")
PHYSICAL = re.compile(
    r"(?<![\w-])(?:margin|padding|border)-(?:left|right)\b|(?<![\w-])(?:left|right)\s*:|"
    r"text-align:\s*(?:left|right)|float:\s*(?:left|right)"
)


def test_no_file_is_too_long() -> None:
    files = [*source_files(".py", ".js", ".html"), *sorted((REPOSITORY / "tests").rglob("*.py"))]
    long = {name_of(p): n for p in files if (n := p.read_text("utf-8").count("\n")) > LONGEST}
    assert long == {}, "split these by noun"


def test_files_are_named_after_a_thing() -> None:
    nameless = [name_of(p) for p in SOURCE.rglob("*") if p.stem in EMPTY_NAMES and VENDOR not in p.parents]
    assert nameless == []


def test_pages_load_nothing_from_elsewhere() -> None:
    found = [
        f"{name_of(path)}: {match.group()}"
        for path in source_files(".html", ".css", ".js")
        for match in LOADED.finditer(path.read_text("utf-8"))
    ]
    assert found == []


def test_loading_from_elsewhere_is_recognised() -> None:
    assert LOADED.search('<img src="https://example.org/a.png">')
    assert LOADED.search("@import '//example.org/a.css'")
    assert LOADED.search('import x from "https://example.org/a.js"')
    assert not LOADED.search('<a href="https://example.org/">')
    assert not LOADED.search('<svg xmlns="http://www.w3.org/2000/svg">')


def test_templates_keep_to_the_content_security_policy() -> None:
    found = [
        f"{name_of(path)}: {match.group()[:60]}"
        for path in source_files(".html")
        for match in INLINE.finditer(re.sub(r"\{[{#%].*?[}#%]\}", "", path.read_text("utf-8"), flags=re.DOTALL))
    ]
    assert found == []


def test_styles_know_start_and_end_instead_of_left_and_right() -> None:
    found = []
    for path in source_files(".css"):
        text = re.sub(r"/\*.*?\*/", "", path.read_text("utf-8"), flags=re.DOTALL)
        found += [f"{name_of(path)}: {match.group()}" for match in PHYSICAL.finditer(text)]
    assert found == []


def vendored() -> dict[str, str]:
    """Read file → sha256 from the table of what is vendored."""
    table = VENDOR / "VENDORED.md"
    rows = [
        [cell.strip().strip("`") for cell in line.strip().strip("|").split("|")]
        for line in table.read_text("utf-8").splitlines()
        if line.startswith("|")
    ]
    header = [cell.lower() for cell in rows[0]]
    return {row[0]: row[header.index("sha256")] for row in rows[2:]}


def test_every_vendored_file_is_what_the_table_says() -> None:
    listed = vendored()
    wrong = []
    for path in sorted(p for p in VENDOR.rglob("*") if p.is_file() and p.name != "VENDORED.md"):
        name = path.relative_to(VENDOR).as_posix()
        if hashlib.sha256(path.read_bytes()).hexdigest() != listed.get(name):
            wrong.append(name)
    missing = [name for name in listed if not (VENDOR / name).is_file()]
    assert wrong == [], "not listed, or changed since"
    assert missing == []


def test_the_licence_is_whole() -> None:
    text = (REPOSITORY / "LICENSE").read_bytes()
    # The text as the Free Software Foundation publishes it, agpl-3.0.txt.
    assert hashlib.sha256(text).hexdigest() == "0d96a4ff68ad6d4b6f1f30f713b18d5184912ba8dd389f86aa7710db079abcb0"
