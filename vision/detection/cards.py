"""Cards: one TOML file beside a detector's weights that says how to feed it and how to read it."""

import difflib
import os
import re
import tomllib
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, PrivateAttr, ValidationError, model_validator

from vision.errors import ModelError
from vision.types import VehicleClass

PACKAGE = Path(__file__).resolve().parents[1]
MOTION = "motion"
"""Name of the detector that needs no weights and so has no card."""

NAME = r"^[A-Za-z0-9][A-Za-z0-9._-]*$"
"""What a detector may be called: it becomes the name of files."""

Fraction = Annotated[float, Field(ge=0.0, le=1.0)]
ClassName = Literal["bicycle", "motorcycle", "car", "bus", "truck"]
DecoderName = Literal["ngatu", "yolo", "yolo_end2end", "yolox", "deimv2"]


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class InputSpec(_Section):
    """How a picture becomes the network's input."""

    width: int = Field(ge=32, le=8192, description="Width of the network's input in pixels.")
    height: int = Field(ge=32, le=8192, description="Height of the network's input in pixels.")
    multiple_of: int | None = Field(
        default=None,
        ge=1,
        description="Set where the network takes any size that is a multiple of this; width and height are "
        "then only the usual size. Left out: the size is fixed.",
    )
    colour: Literal["rgb", "bgr"] = Field(description="Order of the colour channels.")
    resize: Literal["plain", "letterbox", "letterbox_top_left"] = Field(
        description="plain: stretched to the input; letterbox: aspect kept, centred on grey; "
        "letterbox_top_left: aspect kept, grey at the right and bottom.",
    )
    scaling: Literal["uint8", "0-1", "0-255"] = Field(
        description="Values fed: uint8 as they are, float32 0 to 1, or float32 0 to 255.",
    )

    @model_validator(mode="after")
    def _size_is_a_multiple(self) -> Self:
        step = self.multiple_of or 1
        if self.width % step or self.height % step:
            raise ValueError(f"{self.width}x{self.height} is not a multiple of multiple_of = {step}")
        return self


class Thresholds(_Section):
    """Scores and overlap at which this detector works best."""

    keep: Fraction = Field(description="Lowest score of a box that is reported.")
    start: Fraction = Field(description="Lowest score at which a new track may begin.")
    suppress_iou: Fraction = Field(
        description="Of two boxes that overlap more than this (IoU, whatever their classes) the weaker goes.",
    )

    @model_validator(mode="after")
    def _keep_is_not_above_start(self) -> Self:
        if self.keep > self.start:
            raise ValueError(f"keep ({self.keep}) must not be above start ({self.start})")
        return self


class Card(_Section):
    """What must be known of a detector to run it; read from ``<name>.toml``."""

    name: str = Field(
        pattern=NAME,
        description="The name it is asked for by; the card's file is <name>.toml.",
    )
    file: str = Field(
        pattern=r"^[^/\\]+\.onnx$",
        description="File name of the ONNX weights, beside the card or in another folder of the search.",
    )
    sha256: str = Field(pattern=r"^[0-9a-f]{64}$", description="SHA-256 of the weights, checked on loading.")
    licence: str = Field(min_length=1, description="Licence of the weights.")
    source: str = Field(min_length=1, description="Where the weights come from: project, training, data.")
    decoder: DecoderName = Field(description="Family of the output: how boxes are read from it.")
    input: InputSpec = Field(description="How a picture becomes the network's input.")
    classes: dict[Annotated[int, Field(ge=0, lt=10_000)], ClassName] = Field(
        min_length=1,
        description="The network's class number → our class; its other classes are dropped.",
    )
    thresholds: Thresholds = Field(description="Scores and overlap at which it works best.")
    least_rider_px: float | None = Field(
        None,
        gt=0,
        description="Height in pixels of the network's input from which it finds more than half of the "
        "motorcycles with their riders; none where that was not measured.",
    )
    accuracy: dict[str, str | float] = Field(
        default_factory=dict,
        description="Measured figures, free text: what was measured on which data.",
    )

    _path: Path = PrivateAttr(default=Path())

    @property
    def path(self) -> Path:
        """The TOML file it was read from."""
        return self._path

    @property
    def weights(self) -> Path:
        """The ONNX file: beside the card or, where absent there, in a folder of the search.

        Raises:
            ModelError: it is in none of them.
        """
        for folder in (self._path.parent, *model_folders()):
            if (folder / self.file).is_file():
                return folder / self.file
        raise ModelError(
            f"{self._path}: the weights {self.file} are missing; put them beside the card or name their "
            "folder in NGATU_MODELS."
        )

    def at(self, width: int, height: int) -> "Card":
        """The same detector with an input of this size; its name then says so: ``ngatu-n@896x512``.

        Raises:
            ModelError: its network does not take that size.
        """
        own, step = self.input, self.input.multiple_of
        if step is None and (width, height) != (own.width, own.height):
            raise ModelError(f"{self.name} takes {own.width}x{own.height} only, not {width}x{height}.")
        if step and (width < step or height < step or width % step or height % step):
            raise ModelError(f"{self.name} takes multiples of {step} only, not {width}x{height}.")
        size = own.model_copy(update={"width": width, "height": height})
        other = self.model_copy(update={"name": f"{self.name}@{width}x{height}", "input": size})
        other._path = self._path
        return other

    @property
    def class_names(self) -> list[str]:
        """Our classes that it can report, in our order."""
        found = set(self.classes.values())
        return [c.label for c in VehicleClass if c.label in found]


def user_folder() -> Path:
    """Where ``ngatu models add`` puts detectors: ``~/.local/share/ngatu/models``."""
    return Path(os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share") / "ngatu" / "models"


def model_folders() -> list[Path]:
    """The folders searched for cards and weights, in order: ours, the user's, those of ``NGATU_MODELS``.

    A developer who has the third-party test data (``NGATU_TESTDATA``) also has its detectors.
    """
    folders = [PACKAGE / "models"]
    # Beside an installed package lie the folders of other projects, which are none of ours.
    checkout = PACKAGE.parent if (PACKAGE.parent / "pyproject.toml").is_file() else None
    if checkout:
        folders.append(checkout / "models")
    folders.append(user_folder())
    folders += [Path(p).expanduser() for p in os.environ.get("NGATU_MODELS", "").split(os.pathsep) if p]
    if checkout and (testdata := os.environ.get("NGATU_TESTDATA")):
        folders += [checkout / "tests" / "models", Path(testdata) / "models"]
    return [folder for folder in folders if folder.is_dir()]


def card_files() -> dict[str, Path]:
    """Name → card file of every detector that can be asked for; the first folder of the search wins."""
    found: dict[str, Path] = {}
    for folder in model_folders():
        for path in sorted(folder.glob("*.toml")):
            found.setdefault(path.stem, path)
    return found


def list_cards() -> list[Card]:
    """Every card in the folders of the search.

    Raises:
        ModelError: a card cannot be read.
    """
    return [read_card(path) for path in card_files().values()]


def find_card(name_or_path: str | Path) -> Card:
    """The card of a detector.

    Args:
        name_or_path: a name (``ngatu-n``), a card (``.toml``) or weights with a card beside them
            (``.onnx``); ``@896x512`` after it sets the size of the network's input.

    Raises:
        ModelError: there is none, it is not valid, the file is of a kind we do not load, or its network does
            not take that size.
    """
    text = str(name_or_path)
    before, at, size = text.rpartition("@")
    if not at or os.sep in size:  # a folder may be called so
        return _find(text)
    return _find(before).at(*parse_size(size))


def parse_size(text: str) -> tuple[int, int]:
    """Width and height of ``640x384``.

    Raises:
        ModelError: it is written otherwise.
    """
    match = re.fullmatch(r"([1-9]\d{0,3})x([1-9]\d{0,3})", text)
    if not match:
        raise ModelError(f"A size is written as 640x384; {text!r} is not understood.")
    return int(match[1]), int(match[2])


def _find(text: str) -> Card:
    path = Path(text).expanduser()
    if path.suffix == ".toml":
        return read_card(path)
    if path.suffix == ".onnx":
        return _card_beside(path)
    files = card_files()
    if text in files:
        return read_card(files[text])
    if path.suffix in {".pt", ".pth", ".pkl", ".engine"} or path.is_file():
        raise ModelError(f"{text}: only ONNX weights (.onnx) with a card beside them are loaded.")
    known = ", ".join(_closest(text, [*files, MOTION]))
    raise ModelError(f"No detector is called {text!r}; known are {known}.")


def read_card(path: Path) -> Card:
    """Read and check one card.

    Raises:
        ModelError: it cannot be read or is not valid; the sentence names file, line and field.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "it is not UTF-8 text"
        raise ModelError(f"{path}: the card cannot be read ({reason}).") from error
    try:
        card = Card.model_validate(tomllib.loads(text))
    except tomllib.TOMLDecodeError as error:
        raise ModelError(f"{path}: not valid TOML: {error}.") from error
    except ValidationError as error:
        raise ModelError(_first_fault(path, text, error)) from error
    if card.name != path.stem:
        raise ModelError(f"{path}: field name is {card.name!r} but the card's file is called {path.stem!r}.")
    card._path = path
    return card


def _card_beside(weights: Path) -> Card:
    if not weights.is_file():
        raise ModelError(f"{weights}: there is no such file.")
    path = weights.with_suffix(".toml")
    if not path.is_file():
        raise ModelError(f"{weights} has no card beside it; make one with: ngatu models add {weights}")
    card = read_card(path)
    if card.file != weights.name:
        raise ModelError(f"{path}: field file names {card.file}, not {weights.name}.")
    return card


def _closest(name: str, known: list[str]) -> list[str]:
    def likeness(other: str) -> float:
        return difflib.SequenceMatcher(None, name.lower(), other.lower()).ratio()

    return sorted(known, key=likeness, reverse=True)


def _first_fault(path: Path, text: str, error: ValidationError) -> str:
    # A misspelt field is told as that, not as the missing one it was meant to be.
    fault = min(error.errors(), key=lambda each: each["type"] != "extra_forbidden")
    # A fault of a dict's key is located as (field, key, "[key]"): the marker is no part of the field's name.
    where = [str(part) for part in fault["loc"] if part != "[key]"]
    line = _line_of(text, where)
    place = f"{path}, line {line}" if line else f"{path}"
    message = "is not a field of a card" if fault["type"] == "extra_forbidden" else _lower(fault["msg"])
    return f"{place}: {'.'.join(where) or 'card'}: {message.removeprefix('value error, ')}."


def _lower(text: str) -> str:
    return text[:1].lower() + text[1:]


def _line_of(text: str, where: list[str]) -> int | None:
    """Line of the last part of ``where`` that is written in the file; tomllib itself keeps no positions."""
    best = None
    table: list[str] = []
    for number, line in enumerate(text.splitlines(), start=1):
        if header := re.match(r"\s*\[([^\]]+)\]", line):
            table = [part.strip() for part in header[1].split(".")]
            here = table
        elif key := re.match(r"\s*[\"']?([\w-]+)[\"']?\s*=", line):
            here = [*table, key[1]]
        else:
            continue
        if here and here == where[: len(here)]:
            best = number
    return best


def to_toml(card: dict[str, Any]) -> str:
    """A card as TOML text: plain fields first, then its tables."""
    lines = [f"{key} = {_value(value)}" for key, value in card.items() if not isinstance(value, dict)]
    for key, value in card.items():
        if isinstance(value, dict):
            lines += ["", f"[{key}]", *(f"{k} = {_value(v)}" for k, v in value.items() if v is not None)]
    return "\n".join(lines) + "\n"


def _value(value: str | float) -> str:
    if isinstance(value, str):
        escaped = value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
        return f'"{escaped}"'
    return str(value)
