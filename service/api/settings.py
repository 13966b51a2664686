"""What the interface may be told to do otherwise: limits, sizes of pages, the clock's time zone."""

from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field

from service.auth.addresses_guard import NetworkPolicy


class ApiSettings(BaseModel):
    """Settings of the HTTP interface."""

    model_config = ConfigDict(extra="forbid", frozen=True, arbitrary_types_allowed=True)

    tz: str = Field("Asia/Ho_Chi_Minh", description="time zone of days and hours")
    streams: int = Field(32, ge=1, description="live pictures that are streamed at the same time")
    streams_per_caller: int = Field(8, ge=1, description="of these, to one account")
    subscribers: int = Field(400, ge=1, description="followers of live events at the same time")
    subscribers_per_caller: int = Field(100, ge=1, description="of these, of one account")
    stream_seconds: float = Field(
        900.0, gt=0, description="a stream ends after so long and is opened anew: who lost access loses it"
    )
    picture_seconds: float = Field(
        10.0, gt=0, description="a stream of pictures ends when none came for so long: a still one would lie"
    )
    picture_bytes: int = Field(1_000_000, ge=1000, description="largest picture taken from a worker")
    networks: NetworkPolicy | None = Field(
        None, description="where cameras may be; None takes the policy of the environment"
    )
    tracks: Path | None = Field(
        None, description="where live workers keep their tracks, to try an edited view on; None: nowhere"
    )
    test_seconds: float = Field(12.0, gt=0, description="time to open a camera's address for a test")
    illustrative: bool = Field(False, description="whether the city is made up, as every page then says")
    streets: Path | None = Field(None, description="GeoJSON file of streets for the map")
    tiles: str | None = Field(
        None, description="address of map tiles such as https://tiles.example.vn/{z}/{x}/{y}.png; none: none"
    )
