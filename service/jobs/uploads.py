"""Recordings come in: an upload goes straight to the disk under a name of ours, a path must be allowed."""

import hashlib
import os
import secrets
import shutil
import time
from pathlib import Path
from typing import BinaryIO

from service.auth.uploads import kind_of, probe, shown_name
from service.jobs.settings import GIB, JobError, JobSettings
from vision import NgatuError
from vision.sources import mask_address

_HEAD = 600
"""Bytes by which a container is known."""


class Upload:
    """One upload on its way to the disk.

    Args:
        settings: limits.
        name: what its owner calls it; shown, never used as a path.
    """

    def __init__(self, settings: JobSettings, name: str) -> None:
        self._settings = settings
        self.name = shown_name(name)
        self.size = 0
        self._latest = time.monotonic() + settings.upload_s
        self._hash, self._head, self._suffix = hashlib.sha256(), b"", ""
        self._folder = settings.folder / "uploads"
        try:
            self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        except OSError as error:
            raise JobError(
                f"cannot make the folder {self._folder}: {error.strerror}; set NGATU_JOBS"
            ) from None
        require_space(settings)
        self._part = self._folder / f"{secrets.token_hex(16)}.part"
        self._file: BinaryIO | None = self._part.open("xb")

    def write(self, data: bytes) -> None:
        """Take some of it.

        Raises:
            JobError: it is no recording, larger than allowed, or the disk is nearly full.
        """
        before = self.size // (64 * 2**20)
        self.size += len(data)
        if self.size > self._settings.upload_bytes:
            most = self._settings.upload_bytes / GIB
            raise JobError(
                f"{self.name} is larger than {most:g} GiB: cut it, or name its path instead", "size"
            )
        if time.monotonic() > self._latest:
            raise JobError(f"{self.name} came too slowly: name its path instead", "file")
        if self.size // (64 * 2**20) != before:
            require_space(self._settings)
        if not self._suffix:
            self._know(data)
        if self._file is not None:
            self._hash.update(data)
            try:
                self._file.write(data)
            except OSError as error:
                raise JobError(f"{self.name} could not be written: {error.strerror}", "space") from None

    def keep(self) -> tuple[Path, str]:
        """End it well: its path, made of its content, and its checksum.

        Raises:
            JobError: it is too short for a recording.
        """
        if self._file is not None:
            self._file.flush()
            os.fsync(self._file.fileno())
            self._file.close()
            self._file = None
        if not self._suffix:
            raise self._no_recording()
        sha256 = self._hash.hexdigest()
        path = self._folder / f"{sha256}{self._suffix}"
        self._part.replace(path)
        return path, sha256

    def _know(self, data: bytes) -> None:
        """Tell by the first bytes what it is, so that what is no recording ends at once."""
        self._head += data[:_HEAD]
        self._suffix = kind_of(self._head) or ""
        if not self._suffix and len(self._head) >= _HEAD:
            raise self._no_recording()

    def _no_recording(self) -> JobError:
        return JobError(
            f"{self.name} is no recording that is taken: send MP4, MKV, WebM, AVI, TS or MPG", "file"
        )

    def discard(self) -> None:
        """Forget what was not kept."""
        if self._file is not None:
            self._file.close()
            self._file = None
        self._part.unlink(missing_ok=True)


def allowed_path(text: str, settings: JobSettings) -> Path:
    """A recording within one of the allowed folders.

    Raises:
        JobError: it is not, or is no file.
    """
    if not settings.recordings:
        raise JobError("no folder of recordings is allowed: set NGATU_RECORDINGS, or upload the file", "path")
    try:
        path = Path(text).resolve(strict=True)
        is_file = path.is_file()
    except (OSError, ValueError, RuntimeError):
        path, is_file = None, False
    # One answer for all of it: nobody learns what else there is on this machine.
    allowed = path is not None and any(path.is_relative_to(each.resolve()) for each in settings.recordings)
    if path is None or not is_file or not allowed:
        folders = ", ".join(str(each) for each in settings.recordings)
        raise JobError(f"there is no such file in the allowed folders ({folders})", "path")
    return path


def sha256_of(path: Path) -> str:
    """Checksum of a file's content.

    Raises:
        JobError: it cannot be read.
    """
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise JobError(f"{path.name} cannot be read: {error.strerror}", "path") from None


def require_space(settings: JobSettings) -> None:
    """See that the disk has space.

    Raises:
        JobError: it has not.
    """
    folder = next((each for each in (settings.folder, *settings.folder.parents) if each.exists()), Path("/"))
    free = shutil.disk_usage(folder).free
    if free < settings.least_free_bytes:
        least = settings.least_free_bytes / GIB
        raise JobError(
            f"the disk has only {free / GIB:.1f} GiB free and {least:.1f} stay free: delete something",
            "space",
        )


def look_at(path: Path, name: str, settings: JobSettings) -> None:
    """See in a sandbox that a recording shows a picture, and is of a kind and size that is taken.

    Raises:
        JobError: it is not; one sentence about the file as its owner calls it.
    """
    try:
        probe(path, settings.rules)
    except NgatuError as error:
        raise JobError(f"{name} is not taken: {in_words(str(error), path)}", "file") from None


def in_words(problem: str, path: Path) -> str:
    """A sentence about our own copy of a recording as one about the file that somebody gave."""
    for known in (str(path.resolve()), str(path.absolute()), str(path), path.name):
        problem = problem.replace(known, "it")
    return mask_address(problem.replace("\0", "")[:500])
