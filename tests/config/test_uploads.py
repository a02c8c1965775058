"""Uploads that are too large for memory."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import RequestFactory


@pytest.mark.parametrize("size", [100, 50_000])
def test_an_upload_leaves_no_name_on_the_disk(settings: Any, tmp_path: Path, size: int) -> None:
    settings.FILE_UPLOAD_MAX_MEMORY_SIZE = 1_000
    settings.FILE_UPLOAD_TEMP_DIR = tmp_path
    content = b"p" * size
    request = RequestFactory().post("/", {"photos": SimpleUploadedFile("a.jpg", content, "image/jpeg"), "go": "next"})
    file = request.FILES["photos"]
    assert not isinstance(file, list)
    assert (file.size, file.name, file.content_type, file.read()) == (size, "a.jpg", "image/jpeg", content)
    assert request.POST["go"] == "next"
    assert list(tmp_path.iterdir()) == []
    assert not hasattr(file, "temporary_file_path")
    request.close()
    assert file.closed
