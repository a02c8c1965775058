"""Uploaded files that nobody can find: in memory, or in a file without a name."""

from __future__ import annotations

from tempfile import TemporaryFile
from typing import IO, Any

from django.conf import settings
from django.core.files.uploadedfile import UploadedFile
from django.core.files.uploadhandler import FileUploadHandler


class NamelessFileUploadHandler(FileUploadHandler):
    """Keep an upload that is too large for memory in a file without a name.

    Django's own keeps it in /tmp, where the picture of whoever reported stays when the process is killed.
    """

    def new_file(self, *args: Any, **kwargs: Any) -> None:
        """Begin a file."""
        super().new_file(*args, **kwargs)
        self._file: IO[bytes] = TemporaryFile(dir=settings.FILE_UPLOAD_TEMP_DIR)  # noqa: SIM115  # closed with the request

    def receive_data_chunk(self, raw_data: bytes, start: int) -> bytes | None:
        """Take a part."""
        self._file.write(raw_data)
        return None

    def file_complete(self, file_size: int) -> UploadedFile:
        """Give the file."""
        self._file.seek(0)
        return UploadedFile(
            file=self._file,
            name=self.file_name,
            content_type=self.content_type,
            size=file_size,
            charset=self.charset,
            content_type_extra=self.content_type_extra,
        )

    def upload_interrupted(self) -> None:
        """Drop what came."""
        if hasattr(self, "_file"):
            self._file.close()
