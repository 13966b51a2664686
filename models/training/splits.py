"""Which pictures are held out for evaluation: read from split.toml, by patterns of their keys."""

import tomllib
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from vision.detection.cards import ClassName
from vision.errors import TrainingError

DEFAULT = Path(__file__).with_name("split.toml")

Light = Literal["day", "night", "fog"]


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class HeldOut(_Section):
    """Pictures that are only evaluated on."""

    name: str = Field(pattern=r"^[a-z]+$", description="Short name, a row in the tables.")
    title: str = Field(min_length=1, description="What it shows, for people.")
    pictures: tuple[str, ...] = Field(
        min_length=1, description="Patterns of keys: set/camera__number, clips/clip__frame, set/number."
    )
    labelled: tuple[ClassName, ...] = Field(
        description="Classes that people labelled in it; empty where no detections are evaluated on it."
    )

    def has(self, key: str) -> bool:
        """Whether the picture with this key is one of them."""
        return _matches(key, self.pictures)


class Lights(_Section):
    """Pictures that were not taken by clear day."""

    night: tuple[str, ...] = Field(description="Patterns of keys taken at night.")
    fog: tuple[str, ...] = Field(description="Patterns of keys taken in fog or spray.")


class Split(_Section):
    """What is held out, and the light it was taken in."""

    held_out: tuple[HeldOut, ...] = Field(description="Pictures never to learn from, by what they test.")
    light: Lights = Field(description="Pictures that were not taken by clear day.")
    squeezed: tuple[str, ...] = Field(
        default=(), description="Patterns of keys of pictures that were squeezed to a square from 16:9."
    )

    def test_of(self, key: str) -> HeldOut | None:
        """What a picture is held out for; None where it may be learnt from.

        Args:
            key: ``set/camera__number``, ``clips/clip__frame`` or ``set/number``, without a suffix.
        """
        return next((part for part in self.held_out if part.has(key)), None)

    def light_of(self, key: str) -> Light:
        """The light a held-out picture was taken in; ``day`` unless the split says otherwise."""
        if _matches(key, self.light.night):
            return "night"
        return "fog" if _matches(key, self.light.fog) else "day"

    def is_squeezed(self, key: str) -> bool:
        """Whether a held-out picture was squeezed to a square from 16:9."""
        return _matches(key, self.squeezed)


def load_split(path: Path = DEFAULT) -> Split:
    """Read a split.

    Raises:
        TrainingError: the file cannot be read or is not valid.
    """
    try:
        with path.open("rb") as file:
            return Split.model_validate(tomllib.load(file))
    except (OSError, tomllib.TOMLDecodeError) as error:
        raise TrainingError(f"{path}: cannot be read as TOML: {error}") from error
    except ValidationError as error:
        first = error.errors()[0]
        field = ".".join(str(part) for part in first["loc"])
        raise TrainingError(f"{path}: {field}: {first['msg']}") from error


def _matches(key: str, patterns: tuple[str, ...]) -> bool:
    return any(fnmatchcase(key, pattern) for pattern in patterns)
