"""Files of a plain form, sealed while the form is read: there is no temporary file."""

from __future__ import annotations

from collections.abc import Callable
from typing import IO, Any, cast

from django.core.files.uploadedfile import UploadedFile
from django.core.files.uploadhandler import FileUploadHandler, SkipFile
from django.http import HttpRequest, QueryDict
from django.http.multipartparser import MultiPartParser

from commonbeat.foundation import clock
from commonbeat.tips import rules
from commonbeat.tips.actions import uploading
from commonbeat.tips.errors import TipError, TooLarge, TooMany
from commonbeat.tips.sealing import Prepared, SealedFile, prepare

FIELD = "files"
# What Django asks a handler for at a time.
_PIECE = 256 * 1024


class NewTipFiles(FileUploadHandler):
    """Seal the files of a tip that is not stored yet; `prepared` and `files` go to submit_text.

    With `takes` false all files are passed over: the desk takes nothing, and the words alone are read.
    """

    chunk_size = _PIECE

    def __init__(self, request: HttpRequest, *, desk_id: int, takes: bool) -> None:
        super().__init__(request)
        self.prepared: Prepared | None = None
        self.files: list[SealedFile] = []
        self.problem: TipError | None = None
        self.has_any = False
        self._desk_id, self._takes = desk_id, takes
        self._writers: list[uploading.SealingWriter] = []

    def new_file(self, *args: Any, **kwargs: Any) -> None:
        """Begin to seal a file, or pass it over."""
        super().new_file(*args, **kwargs)
        if self.field_name != FIELD or self.problem is not None:
            raise SkipFile
        self.has_any = True
        if not self._takes:
            raise SkipFile
        if len(self._writers) >= rules.MOST_FILES:
            self.problem = TooMany()
            raise SkipFile
        if self.prepared is None:
            self.prepared = prepare(desk_id=self._desk_id)
        self._writers.append(uploading.SealingWriter(self.prepared, number=len(self._writers)))

    def receive_data_chunk(self, raw_data: bytes, start: int) -> bytes | None:
        """Seal a part."""
        try:
            self._writers[-1].write(raw_data)
        except TooLarge as error:
            self.problem = error
            raise SkipFile from None
        return None

    def file_complete(self, file_size: int) -> UploadedFile | None:
        """Keep what was sealed; there is no file to give to the form."""
        self.files.append(self._writers[-1].finish(self.file_name or ""))
        return None

    def give_up(self) -> None:
        """Remove everything, for the tip was not stored."""
        for writer in self._writers:
            writer.give_up()


class AnswerFiles(FileUploadHandler):
    """Seal the files that come with an answer in a dialogue, which the fields before them name."""

    chunk_size = _PIECE

    def __init__(self, request: HttpRequest, *, begins: Callable[[QueryDict, str], uploading.Upload | None]) -> None:
        # begins gets the fields that came before the file, and its name; without an upload the file is passed over.
        super().__init__(request)
        self.problem: TipError | None = None
        self.stored = 0
        self.fields: Callable[[], QueryDict] = QueryDict
        self._begins = begins
        self._upload: uploading.Upload | None = None
        self._at = 0
        self._waiting = b""

    def new_file(self, *args: Any, **kwargs: Any) -> None:
        """Begin a file of the dialogue."""
        super().new_file(*args, **kwargs)
        self._at, self._waiting = 0, b""
        try:
            found = self.field_name == FIELD and self.problem is None
            self._upload = self._begins(self.fields(), self.file_name or "") if found else None
        except TipError as error:
            self.problem = error
            self._upload = None
        if self._upload is None:
            raise SkipFile

    def receive_data_chunk(self, raw_data: bytes, start: int) -> bytes | None:
        """Seal a part; each is counted in the table, so several are put together."""
        self._waiting += raw_data
        if len(self._waiting) + self.chunk_size > rules.MOST_PIECE_BYTES:
            self._send()
        return None

    def file_complete(self, file_size: int) -> UploadedFile | None:
        """Say that the file is whole."""
        assert self._upload is not None
        if self._waiting:
            self._send()
        upload = self._upload
        uploading.finish(file_id=upload.file_id, secret=upload.secret, length=self._at, now=clock.now())
        self.stored += 1
        return None

    def _send(self) -> None:
        assert self._upload is not None
        data, self._waiting = self._waiting, b""
        try:
            self._at = uploading.append(
                file_id=self._upload.file_id, secret=self._upload.secret, offset=self._at, data=data
            )
        except TipError as error:
            self.problem = error
            raise SkipFile from None


class _Parser(MultiPartParser):
    def fields_so_far(self) -> QueryDict:
        found: QueryDict = self._post  # type: ignore[attr-defined]  # what parse() has read until now
        return found


def read_answer(request: HttpRequest, handler: AnswerFiles) -> QueryDict:
    """Read a form with files whose fields are needed before the files are; instead of request.POST."""
    if not (request.content_type or "").startswith("multipart/form-data"):
        return request.POST
    parser = _Parser(request.META, cast("IO[bytes]", request), [handler], request.encoding or "utf-8")
    handler.fields = parser.fields_so_far
    fields, _files = parser.parse()
    return fields
