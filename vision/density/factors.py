"""Tables of equivalents: how many passenger cars or motorcycles a vehicle of each class stands for."""

import tomllib
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from vision.errors import FactorError

DATA = Path(__file__).with_name("data")
PCU_TABLE = "pcu-tcxdvn-104-2007"
"""The table of passenger-car units that is used unless another is chosen: that of urban roads."""

MCU_TABLE = "mcu-hanoi-2012"
"""The table of motorcycle units that is used unless another is chosen."""

Factor = Annotated[float, Field(gt=0, le=100)]


class Factors(BaseModel):
    """One factor for each vehicle class."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    bicycle: Factor = Field(description="of a bicycle")
    motorcycle: Factor = Field(description="of a motorcycle")
    car: Factor = Field(description="of a car")
    bus: Factor = Field(description="of a bus")
    truck: Factor = Field(description="of a truck")


class FactorTable(BaseModel):
    """A table of equivalents and where it comes from."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    unit: Literal["PCU", "MCU"] = Field(description="passenger-car units or motorcycle units")
    standard: str = Field(description="standard or paper, edition and table")
    checked: bool = Field(description="whether the values were compared with the printed standard")
    note: str = Field("", description="what was assumed")
    factors: Factors = Field(description="by vehicle class")

    def total(self, by_class: Mapping[str, float]) -> float | None:
        """A sum by class in these units.

        Vehicles of unknown class count as the mean of those known; None where there are only unknown ones.
        """
        known = {label: amount for label, amount in by_class.items() if label != "unknown"}
        weighted = sum(amount * getattr(self.factors, label) for label, amount in known.items())
        unknown = by_class.get("unknown", 0)
        if not unknown:
            return float(weighted)
        amount = sum(known.values())
        return float(weighted * (1 + unknown / amount)) if amount else None


@cache
def load_factors(name: str | Path) -> FactorTable:
    """Read a table of equivalents.

    Args:
        name: one of those that come with ngatu, such as ``pcu-tcxdvn-104-2007``, or a TOML file's path.

    Raises:
        FactorError: it is missing, no TOML, or a value is wrong.
    """
    path = Path(name) if Path(name).suffix == ".toml" else DATA / f"{name}.toml"
    known = ", ".join(sorted(file.stem for file in DATA.glob("*.toml")))
    try:
        return FactorTable.model_validate(tomllib.loads(path.read_text(encoding="utf-8")))
    except OSError:
        raise FactorError(
            f"there is no table of equivalents {str(name)!r}; give a .toml file or one of: {known}"
        ) from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise FactorError(f"{path}: {error}; correct the TOML there") from None
    except ValidationError as error:
        fault = error.errors()[0]
        field = ".".join(str(part) for part in fault["loc"])
        raise FactorError(f"{path}: {field}: {fault['msg']}; correct it") from None
