"""Static files carry the hash of their content in their name."""

from __future__ import annotations

from pathlib import Path

from django.contrib.staticfiles import finders
from django.contrib.staticfiles.storage import staticfiles_storage
from django.core.files.base import ContentFile

from commonbeat.config.static_files import HashedStaticFiles


def collect(root: Path, files: dict[str, str]) -> HashedStaticFiles:
    storage = HashedStaticFiles(location=str(root), base_url="/static/")
    for name, content in files.items():
        storage.save(name, ContentFile(content.encode()))
    # What Django's collectstatic does once the files are copied.
    for _name, _hashed, problem in storage.post_process({name: (storage, name) for name in files}):
        assert not isinstance(problem, Exception)
    return HashedStaticFiles(location=str(root), base_url="/static/")


def test_names_follow_content_and_modules_find_one_another(tmp_path: Path) -> None:
    files = {"app.js": 'import { a } from "./part.js";\na();\n', "part.js": "export function a() {}\n" * 30}
    storage = collect(tmp_path, files)
    hashed = storage.stored_name("part.js")
    assert hashed != "part.js"
    assert hashed in (tmp_path / storage.stored_name("app.js")).read_text()
    assert (tmp_path / f"{hashed}.gz").exists()
    # So small a file gains nothing.
    assert not (tmp_path / f"{storage.stored_name('app.js')}.gz").exists()


def test_a_file_that_is_only_mentioned_does_not_stop_the_collecting(tmp_path: Path) -> None:
    storage = collect(tmp_path, {"lib.js": "a();\n//# sourceMappingURL=lib.js.map\n"})
    assert storage.stored_name("lib.js") != "lib.js"


def test_without_a_manifest_plain_names_serve() -> None:
    assert staticfiles_storage.url("commonbeat/commonbeat.css") == "/static/commonbeat/commonbeat.css"
    assert finders.find("commonbeat/commonbeat.css") is not None
