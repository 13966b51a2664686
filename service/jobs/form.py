"""Reads an upload's multipart form as it comes in: the file goes to the disk, never into memory."""

import json
from typing import Any

from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header

from service.jobs.settings import JobError, JobSettings
from service.jobs.uploads import Upload

MOST_OPTIONS = 64 * 1024
_MOST_HEADER = 4096


class UploadForm:
    """A form with ``file`` and, before or behind it, ``options`` as JSON.

    Args:
        content_type: header of the request.
        settings: limits.

    Raises:
        JobError: it is no multipart form.
    """

    def __init__(self, content_type: str, settings: JobSettings) -> None:
        kind, parameters = parse_options_header(content_type)
        boundary = parameters.get(b"boundary")
        if kind != b"multipart/form-data" or not boundary:
            raise JobError("send a form of type multipart/form-data with the field 'file'", "content-type")
        self._settings = settings
        self._upload: Upload | None = None
        self._options = b""
        self._seen: set[str] = set()
        self._field = ""
        self._header, self._value = b"", b""
        self._disposition = b""
        self._over = False
        self._parser = MultipartParser(
            boundary,
            {
                "on_part_begin": self._begin,
                "on_header_field": self._on_header,
                "on_header_value": self._on_value,
                "on_header_end": self._on_header_end,
                "on_headers_finished": self._on_headers,
                "on_part_data": self._on_data,
                "on_end": self._on_end,
            },
        )

    def write(self, data: bytes) -> None:
        """Take some of the body.

        Raises:
            JobError: it is not a form, has other fields, or is too large.
        """
        try:
            self._parser.write(data)
        except FormParserError:
            raise JobError("the form cannot be read: send it as multipart/form-data", "body") from None

    def end(self) -> tuple[Upload, dict[str, Any]]:
        """The upload, to be kept or discarded, and the options.

        Raises:
            JobError: something is missing.
        """
        if not self._over:
            raise JobError("the form ends too early: send it again", "body")
        if self._upload is None:
            raise JobError("the form has no file: send it in the field 'file'", "file")
        try:
            options = json.loads(self._options) if self._options else {}
        except (ValueError, RecursionError):
            options = None
        if not isinstance(options, dict):
            raise JobError('options are a JSON object, such as {"fps": 10}', "options")
        return self._upload, options

    def discard(self) -> None:
        """Forget the upload."""
        if self._upload is not None:
            self._upload.discard()

    def _begin(self) -> None:
        self._disposition = self._header = self._value = b""

    def _on_header(self, data: bytes, start: int, end: int) -> None:
        self._header = (self._header + data[start:end])[:_MOST_HEADER]

    def _on_value(self, data: bytes, start: int, end: int) -> None:
        self._value = (self._value + data[start:end])[:_MOST_HEADER]

    def _on_header_end(self) -> None:
        if self._header.lower() == b"content-disposition":
            self._disposition = self._value
        self._header = self._value = b""

    def _on_headers(self) -> None:
        _, parameters = parse_options_header(self._disposition)
        field = parameters.get(b"name", b"").decode("utf-8", "replace")
        if field not in ("file", "options") or field in self._seen:
            raise JobError("the form has the fields 'file' and 'options', once each", "body")
        self._seen.add(field)
        self._field = field
        if field == "file":
            name = parameters.get(b"filename", b"").decode("utf-8", "replace")
            self._upload = Upload(self._settings, name)

    def _on_data(self, data: bytes, start: int, end: int) -> None:
        if self._field == "options":
            self._options += data[start:end]
            if len(self._options) > MOST_OPTIONS:
                raise JobError("options are too long", "options")
        elif self._upload is not None:
            self._upload.write(data[start:end])

    def _on_end(self) -> None:
        self._over = True
