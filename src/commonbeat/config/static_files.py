"""Static files with the hash of their content in the name, so that browsers may keep them for ever."""

from __future__ import annotations

import gzip
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from django.contrib.staticfiles.storage import ManifestStaticFilesStorage
from django.core.files.base import File

_COMPRESSED = (".css", ".js", ".json", ".svg", ".txt", ".webmanifest")
# A copy that saves less is not worth keeping.
_WORTH = 0.95


class HashedStaticFiles(ManifestStaticFilesStorage):
    """Name files by their content; without a manifest (tests, a source tree) keep their plain names."""

    manifest_strict = False
    # The ES modules import one another by name, which must be the hashed one too.
    support_js_module_import_aggregation = True

    def stored_name(self, name: str) -> str:
        """Give the hashed name, or the plain one of a file that was not collected."""
        found = self.hashed_files.get(self.hash_key(self.clean_name(name)))
        return str(found) if found else name

    def hashed_name(self, name: str, content: File[Any] | None = None, filename: str | None = None) -> str:
        """Hash the content; a file that is only mentioned (a vendored source map) keeps its name."""
        try:
            hashed: Any = super().hashed_name(name, content, filename)
        except ValueError:
            return name
        return str(hashed)

    def post_process(self, paths: dict[str, Any], dry_run: bool = False, **options: Any) -> Iterator[Any]:
        """Hash the collected files, and put a compressed copy beside each that gains by it."""
        yield from super().post_process(paths, dry_run, **options)
        if dry_run:
            return
        for name in sorted({*paths, *self.hashed_files.values()}):
            file = Path(self.path(name))
            if file.suffix in _COMPRESSED and file.is_file():
                content = file.read_bytes()
                # mtime=0: the same content makes the same file.
                compressed = gzip.compress(content, 9, mtime=0)
                if len(compressed) < len(content) * _WORTH:
                    file.with_name(file.name + ".gz").write_bytes(compressed)
