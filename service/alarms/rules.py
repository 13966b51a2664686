"""The kinds of alarms and the thresholds of each: defaults, overridden for the city or for one site."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal, TypeVar, get_args

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from vision import NgatuError

AlarmKind = Literal[
    "jam",
    "queue_spillback",
    "stopped_vehicle",
    "wrong_way",
    "blocked_junction",
    "camera_lost",
    "camera_frozen",
    "camera_moved",
    "camera_picture",
    "worker_gone",
    "outbox_growing",
    "disk_low",
]
KINDS: tuple[AlarmKind, ...] = get_args(AlarmKind)

Severity = Literal["information", "warning", "critical"]
SEVERITIES: tuple[Severity, ...] = get_args(Severity)

CITY = ""
"""The site of a rule that holds for all sites without one of their own."""


class AlarmRuleError(NgatuError):
    """A rule's kind or settings are not valid; ``field`` is the setting at fault."""

    def __init__(self, message: str, field: str = "") -> None:
        super().__init__(message)
        self.field = field


class RuleSettings(BaseModel):
    """When an alarm of a kind is raised and cleared. Time of which nothing is known counts for neither."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    severity: Severity = Field("warning", description="how urgent it is")
    raise_after_s: float = Field(30.0, ge=0, le=86400, description="raised once true for so many seconds")
    clear_after_s: float = Field(60.0, ge=0, le=86400, description="cleared once false for so many seconds")
    reopen_within_s: float = Field(
        60.0,
        ge=0,
        le=86400,
        description="true again within so many seconds after it was cleared, it is the same alarm",
    )


Settings = TypeVar("Settings", bound=RuleSettings)


class JamSettings(RuleSettings):
    """An approach is congested; its level is measured over whole intervals of 10 s."""

    severity: Severity = Field("warning", description="how urgent it is")
    raise_after_s: float = Field(180.0, ge=0, le=86400, description="longer than a red light lasts")
    clear_after_s: float = Field(120.0, ge=0, le=86400, description="cleared once false for so many seconds")
    levels: tuple[Literal["busy", "slow", "jammed", "D", "E", "F"], ...] = Field(
        ("jammed", "F"), min_length=1, description="levels of an approach that count as a jam"
    )


class QueueSettings(RuleSettings):
    """A queue reaches beyond the camera's view, or a set length."""

    severity: Severity = Field("warning", description="how urgent it is")
    raise_after_s: float = Field(60.0, ge=0, le=86400, description="how long a queue must be over queue_m")
    queue_m: float | None = Field(
        None,
        gt=0,
        le=5000,
        description="length that is too long, metres; null: only a queue beyond the view is",
    )


class StoppedSettings(RuleSettings):
    """A vehicle stands where none may; how long it stood is judged where the picture is (see methods)."""

    raise_after_s: float = Field(0.0, ge=0, le=86400, description="on top of the time that makes an incident")
    clear_after_s: float = Field(30.0, ge=0, le=86400, description="cleared once false for so many seconds")


class WrongWaySettings(RuleSettings):
    """A vehicle passed a one-way gate against its direction."""

    severity: Severity = Field("critical", description="how urgent it is")
    raise_after_s: float = Field(0.0, ge=0, le=86400, description="raised at once")
    clear_after_s: float = Field(120.0, ge=0, le=86400, description="without another one")
    reopen_within_s: float = Field(600.0, ge=0, le=86400, description="another one in this time: same alarm")


class BlockedSettings(RuleSettings):
    """Vehicles stand in the middle of the junction so that nobody gets through."""

    severity: Severity = Field("critical", description="how urgent it is")
    raise_after_s: float = Field(0.0, ge=0, le=86400, description="on top of the time that makes an incident")


class LostSettings(RuleSettings):
    """No frames come from a camera."""

    raise_after_s: float = Field(60.0, ge=0, le=86400, description="longer than connecting again takes")
    clear_after_s: float = Field(30.0, ge=0, le=86400, description="cleared once false for so many seconds")


class PictureSettings(RuleSettings):
    """A camera's picture is dark, blinded, blocked or blurred."""

    raise_after_s: float = Field(120.0, ge=0, le=86400, description="longer than a passing lorry's shadow")


class WorkerSettings(RuleSettings):
    """A worker process does not report any more."""

    severity: Severity = Field("critical", description="how urgent it is")
    raise_after_s: float = Field(0.0, ge=0, le=86400, description="on top of gone_s")
    clear_after_s: float = Field(5.0, ge=0, le=86400, description="cleared once false for so many seconds")
    gone_s: float = Field(
        15.0, ge=2, le=86400, description="seconds without a report; two a second are usual"
    )


class OutboxSettings(RuleSettings):
    """What was measured waits for the database."""

    oldest_s: float = Field(300.0, gt=0, le=864000, description="a message waits for so many seconds")
    share: float = Field(0.5, gt=0, le=1, description="or the outbox is so full, as a share of its limit")


class DiskSettings(RuleSettings):
    """A disk that the service or a worker writes to is nearly full."""

    severity: Severity = Field("critical", description="how urgent it is")
    free_gib: float = Field(2.0, ge=0, le=100000, description="fewer GiB than these are free")
    free_share: float = Field(
        0.05, ge=0, lt=1, description="or a smaller share of the service's disk than this"
    )


SETTINGS: Mapping[AlarmKind, type[RuleSettings]] = {
    "jam": JamSettings,
    "queue_spillback": QueueSettings,
    "stopped_vehicle": StoppedSettings,
    "wrong_way": WrongWaySettings,
    "blocked_junction": BlockedSettings,
    "camera_lost": LostSettings,
    "camera_frozen": RuleSettings,
    "camera_moved": RuleSettings,
    "camera_picture": PictureSettings,
    "worker_gone": WorkerSettings,
    "outbox_growing": OutboxSettings,
    "disk_low": DiskSettings,
}

CITY_ONLY: frozenset[AlarmKind] = frozenset({"worker_gone", "outbox_growing", "disk_low"})
"""Kinds that are about machines, which belong to no site."""


@dataclass(frozen=True, slots=True)
class Rule:
    """Thresholds of one kind, for one site or the city; ``own`` says that somebody set them."""

    kind: AlarmKind
    site: str
    enabled: bool
    settings: RuleSettings
    own: bool = True


class Rules:
    """The rule for each kind and site: the site's own, else the city's, else the defaults."""

    def __init__(self, own: Iterable[Rule] = ()) -> None:
        self._own = {(rule.kind, rule.site): rule for rule in own}
        self._defaults = {kind: default_rule(kind) for kind in KINDS}

    def of(self, kind: AlarmKind, site: str | None) -> Rule:
        """The rule that holds."""
        own = self._own
        return own.get((kind, site or CITY)) or own.get((kind, CITY)) or self._defaults[kind]

    def settings(self, kind: AlarmKind, site: str | None, model: type[Settings]) -> Settings:
        """The settings that hold, as what they are."""
        settings = self.of(kind, site).settings
        if not isinstance(settings, model):
            raise TypeError(f"{kind} has {type(settings).__name__}, not {model.__name__}")
        return settings

    def listed(self) -> list[Rule]:
        """One rule a kind for the city, and the sites' own, in order."""
        listed = [self.of(kind, None) for kind in KINDS]
        sites = sorted(key for key in self._own if key[1] != CITY)
        return listed + [self._own[key] for key in sites]


def default_rule(kind: AlarmKind) -> Rule:
    """The rule of a kind for which nobody set anything."""
    return Rule(kind, CITY, enabled=True, settings=SETTINGS[kind](), own=False)


def read_settings(kind: str, given: Mapping[str, Any]) -> RuleSettings:
    """Settings of a kind, those that are not given by default.

    Raises:
        AlarmRuleError: there is no such kind or setting, or a value is not valid.
    """
    model = next((each for name, each in SETTINGS.items() if name == kind), None)
    if model is None:
        raise AlarmRuleError(f"there is no alarm {kind!r}; it is one of {', '.join(KINDS)}", "kind")
    try:
        return model.model_validate(dict(given))
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        field = ".".join(str(part) for part in first["loc"])
        if first["type"] == "extra_forbidden":
            known = ", ".join(model.model_fields)
            raise AlarmRuleError(f"alarm {kind} has no setting {field!r}; it has {known}", field) from None
        raise AlarmRuleError(f"alarm {kind}, setting {field}: {first['msg'].lower()}", field) from None
