"""What recorded jobs may use: folders, sizes, time and memory, and how long uploads are kept."""

import os
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from service.auth.uploads import UploadRules
from service.registry.records import Identifier
from vision import NgatuError
from vision.sources import start_from_name

GIB = 2**30


class JobError(NgatuError):
    """A recording or an option of a job is not usable."""

    def __init__(self, message: str, field: str = "") -> None:
        super().__init__(message)
        self.field = field


class JobSettings(BaseModel):
    """Limits of recorded jobs; the defaults suit a machine that watches live cameras too."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    folder: Path = Field(Path("ngatu-out/jobs"), description="where uploads and results are kept")
    recordings: tuple[Path, ...] = Field(
        (), description="folders whose recordings may be named instead of uploaded; none by default"
    )
    upload_bytes: int = Field(4 * GIB, gt=0, description="largest upload")
    upload_s: float = Field(7200.0, gt=0, description="time in which an upload must have come")
    waiting: int = Field(50, gt=0, description="most jobs that wait at a time")
    keep_days: float = Field(7.0, gt=0, description="uploads and annotated videos are deleted after so long")
    least_free_bytes: int = Field(5 * GIB, ge=0, description="with less space free nothing is taken or begun")
    memory_bytes: int = Field(4 * GIB, gt=0, description="address space of the process that counts")
    cpu_s: int = Field(24 * 3600, gt=0, description="computing time of a count, of all threads together")
    wall_s: float = Field(24 * 3600.0, gt=0, description="time after which a count is ended")
    stalled_s: float = Field(600.0, gt=0, description="a count without progress for so long is ended")
    attempts: int = Field(3, gt=0, description="a job that so many stops of the service cut off has failed")
    codecs: frozenset[str] = Field(UploadRules().codecs, description="how a recording may be coded")
    pixels: int = Field(UploadRules().most_pixels, gt=0, description="most pixels of a picture")
    duration_s: float = Field(UploadRules().longest_s, gt=0, description="longest recording")

    @property
    def rules(self) -> UploadRules:
        """What recordings are taken."""
        return UploadRules(codecs=self.codecs, most_pixels=self.pixels, longest_s=self.duration_s)

    @classmethod
    def from_environment(
        cls, environment: Mapping[str, str] = os.environ, folder: Path | None = None
    ) -> Self:
        """Settings of NGATU_JOBS (the folder), NGATU_RECORDINGS (folders, by ``:``), NGATU_KEEP_DAYS.

        ``folder`` is used where NGATU_JOBS is not set.

        Raises:
            JobError: one of them is not right.
        """
        given: dict[str, Any] = {"folder": folder} if folder else {}
        if own := environment.get("NGATU_JOBS"):
            given["folder"] = own
        if folders := environment.get("NGATU_RECORDINGS"):
            given["recordings"] = [each for each in folders.split(":") if each]
        if days := environment.get("NGATU_KEEP_DAYS"):
            given["keep_days"] = days
        try:
            return cls.model_validate(given)
        except ValidationError as error:
            first = error.errors(include_url=False, include_input=False)[0]
            raise JobError(f"NGATU_KEEP_DAYS: {first['msg'].lower()}; write days, such as 7") from None


class JobOptions(BaseModel):
    """How a recording shall be counted."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    camera: Identifier | None = Field(
        None, description="count by this camera's view; null: propose one from what moves"
    )
    record: bool = Field(
        False, description="let the result speak for the camera in the time that the recording covers"
    )
    start: datetime | None = Field(
        None, description="moment of the first frame; null: from the file's name, header or time"
    )
    tz: str = Field(
        "Asia/Ho_Chi_Minh", max_length=64, description="time zone of clock times without an offset"
    )
    fps: float | None = Field(None, ge=0.5, le=60, description="frames analysed a second; null: all")
    annotate: bool = Field(False, description="write a video with what was seen and counted drawn in")

    @field_validator("tz")
    @classmethod
    def _known_zone(cls, value: str) -> str:
        try:
            start_from_name("", value)
        except NgatuError as error:
            raise ValueError(str(error)) from None
        return value

    @model_validator(mode="after")
    def _recorded_for_somebody(self) -> Self:
        if self.record and self.camera is None:
            raise ValueError("record needs a camera: name the one that the recording is of")
        return self


def read_options(given: Mapping[str, Any]) -> JobOptions:
    """Options as somebody gave them.

    Raises:
        JobError: one is unknown or not valid.
    """
    try:
        return JobOptions.model_validate(dict(given))
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        field = ".".join(str(part) for part in first["loc"])
        reason = str(first["msg"]).removeprefix("Value error, ")
        told = f"options, {field}: {reason}" if field else f"options: {reason}"
        raise JobError(told, f"options.{field}" if field else "options") from None
