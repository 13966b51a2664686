"""Alarms: what somebody should act on, who does, and the thresholds behind them."""

from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import APIRouter, Body, Path, Query, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from service.alarms import KINDS, AlarmKind, AlarmRuleError, Severity, store
from service.alarms.rules import SETTINGS, Rule, default_rule
from service.alarms.words import severity_word, told, why_cleared, words_of
from service.api.answers import chosen_format, json_bytes, page, respond
from service.api.cursors import decode_row, encode_row
from service.api.documents import given
from service.api.parameters import CameraQuery, Cursor, Limit, Moment, SitePath, SiteQuery
from service.api.services import Administrator, Engineer, Operator, Parts, Services, Viewer, found
from service.api.shapes import Page, Shape
from service.auth.access import Caller, audit
from service.auth.problems import Problem, answers
from service.registry import Site
from service.storage.connect import writing

router = APIRouter(tags=["alarms"])


class AlarmOut(Shape):
    """One alarm: raised once, acknowledged by a person, cleared when it is over."""

    id: str = Field(description="its id")
    kind: AlarmKind = Field(description="what it is about")
    severity: Severity = Field(description="how urgent it is")
    site: str | None = Field(description="the site; null for machines")
    approach: str | None = Field(description="the approach")
    camera: str | None = Field(description="the camera")
    raised_at: datetime = Field(description="when it was raised")
    cleared_at: datetime | None = Field(description="when it was over; null while it is open")
    acknowledged_at: datetime | None = Field(description="when somebody took it on; null before")
    acknowledged_by: str | None = Field(description="who")
    note: str = Field(description="what they said")
    revision: int = Field(description="grows with each change")
    title: str = Field(description="what it is called, in the language asked for")
    severity_text: str = Field(description="how urgent, in a word")
    text: str = Field(description="what was measured, in some words")
    meaning: str = Field(description="what it means")
    action: str = Field(description="what to do")
    cleared_because: str = Field(description="why it was cleared, in a sentence; empty while it is open")
    details: dict[str, Any] = Field(description="what was measured, by name and unit")


class Acknowledgement(BaseModel):
    """What somebody says who takes an alarm on."""

    model_config = ConfigDict(extra="forbid")

    note: str = Field("", max_length=500, pattern=r"^[^\x00]*$", description="such as who goes there")


class RuleIn(BaseModel):
    """Thresholds of one kind of alarm."""

    model_config = ConfigDict(extra="forbid")

    enabled: bool = Field(True, description="whether such alarms are raised at all")
    settings: dict[str, Any] = Field(
        default_factory=dict, description="settings that differ from the defaults, by name"
    )


class RuleOut(Shape):
    """The thresholds that hold for one kind of alarm."""

    kind: AlarmKind = Field(description="which alarm")
    site: str | None = Field(description="for which site; null for all without a rule of their own")
    enabled: bool = Field(description="whether such alarms are raised at all")
    own: bool = Field(description="whether somebody set them; else they are the defaults")
    settings: dict[str, Any] = Field(description="all settings, those left out by default")
    defaults: dict[str, Any] = Field(description="the same where nobody sets anything")
    about: dict[str, str] = Field(description="what each setting means")


ALARM = {
    "id": "019d0e6b-7f3c-8a51-b1d2-3c5d6e7f8091",
    "kind": "jam",
    "severity": "warning",
    "site": "hoa-ban",
    "approach": "north",
    "camera": "hoa-ban-cam1",
    "raised_at": "2026-03-10T00:31:40Z",
    "cleared_at": None,
    "acknowledged_at": "2026-03-10T00:33:02Z",
    "acknowledged_by": "an",
    "note": "Đã báo đội 3",
    "revision": 2,
    "title": "Ùn tắc",
    "severity_text": "cảnh báo",
    "text": "mức ùn tắc, 4 km/h, hàng chờ 62 m",
    "meaning": "Nhánh này đã ùn tắc lâu hơn một pha đèn đỏ.",
    "action": "Xem hình trực tiếp; nếu kéo dài, điều chỉnh đèn tín hiệu hoặc cử người đến.",
    "cleared_because": "",
    "details": {"level": "jammed", "space_mean_speed_kmh": 4.2, "queue_m": 62.0},
}
RULE = {
    "kind": "worker_gone",
    "site": None,
    "enabled": True,
    "own": False,
    "settings": {
        "severity": "critical",
        "raise_after_s": 0.0,
        "clear_after_s": 5.0,
        "reopen_within_s": 60.0,
        "gone_s": 15.0,
    },
    "defaults": {
        "severity": "critical",
        "raise_after_s": 0.0,
        "clear_after_s": 5.0,
        "reopen_within_s": 60.0,
        "gone_s": 15.0,
    },
    "about": {"gone_s": "seconds without a report; two a second are usual"},
}

AlarmPath = Annotated[UUID, Path(description="Id of an alarm.", examples=[ALARM["id"]])]
KindPath = Annotated[AlarmKind, Path(description="Kind of alarm.", examples=["jam"])]
Words = Annotated[
    Literal["vi", "en"] | None, Query(description="Language of texts; the account's if left out.")
]


@router.get(
    "/alarms",
    response_model=Page[AlarmOut],
    responses=given({"items": [ALARM], "next": None}, "csv"),
)
def list_alarms(
    request: Request,
    caller: Viewer,
    services: Parts,
    open_: Annotated[
        bool | None, Query(alias="open", description="Open ones only, or those cleared.")
    ] = None,
    acknowledged: Annotated[bool | None, Query(description="Those somebody took on, or the others.")] = None,
    kind: Annotated[AlarmKind | None, Query(description="Of this kind only.")] = None,
    site: SiteQuery = None,
    camera: CameraQuery = None,
    start: Annotated[Moment | None, Query(description="Raised at this moment or later.")] = None,
    end: Annotated[Moment | None, Query(description="Raised before this moment.")] = None,
    limit: Limit = 100,
    cursor: Cursor = None,
    language: Words = None,
    format_: Annotated[
        Literal["json", "csv"] | None,
        Query(alias="format", description="Format, for a browser; else by the header Accept."),
    ] = None,
) -> Response:
    """Alarms, those raised last first."""
    chosen = chosen_format(request, format_, ("json", "csv"))
    with services.reading() as connection:
        rows = store.history(
            connection,
            start=start,
            end=end,
            is_open=open_,
            kind=kind,
            site=site,
            camera=camera,
            acknowledged=acknowledged,
            before=decode_row(cursor) if cursor else None,
            limit=limit + 1,
        )
    following = encode_row(rows[limit - 1]["raised_at"], rows[limit - 1]["id"]) if len(rows) > limit else None
    shown = [alarm_out(row, language or _language(caller)) for row in rows[:limit]]
    return page(request, shown, AlarmOut, chosen, name="alarms", following=following)


@router.get("/alarms/{alarm}", response_model=AlarmOut, responses={**given(ALARM), **answers(404)})
def read_alarm(
    request: Request, caller: Viewer, services: Parts, alarm: AlarmPath, language: Words = None
) -> Response:
    """One alarm."""
    with services.reading() as connection:
        row = _found(store.alarm(connection, alarm))
    return respond(request, json_bytes(alarm_out(row, language or _language(caller))))


@router.post(
    "/alarms/{alarm}/acknowledge", response_model=AlarmOut, responses={**given(ALARM), **answers(404, 409)}
)
def acknowledge_alarm(
    request: Request,
    caller: Operator,
    services: Parts,
    alarm: AlarmPath,
    body: Annotated[Acknowledgement, Body(examples=[{"note": "Đã báo đội 3"}])],
    language: Words = None,
) -> Response:
    """Say that you see to an alarm. Whoever said so first stays; saying it again changes nothing."""
    with writing(services.engine) as connection:
        before = _found(store.alarm(connection, alarm))
        row = _found(store.acknowledge(connection, alarm, caller.login, body.note))
        if row["acknowledged_by"] != caller.login:
            raise Problem(409, "acknowledged already", f"{row['acknowledged_by']} has taken this alarm on")
        if before["acknowledged_at"] is None:
            audit(connection, caller, "alarm.acknowledge", f"alarm {alarm}", after={"note": body.note})
    if before["acknowledged_at"] is None:
        services.hub.publish("alarm", {"happened": "acknowledged", "alarm": {"id": str(alarm)}})
    return respond(request, json_bytes(alarm_out(row, language or _language(caller))))


@router.get("/alarm-rules", response_model=Page[RuleOut], responses=given({"items": [RULE], "next": None}))
def list_alarm_rules(request: Request, _caller: Viewer, services: Parts) -> Response:
    """The thresholds of each kind for the city, then those of single sites."""
    with services.reading() as connection:
        rules = store.rules(connection).listed()
    return respond(request, json_bytes({"items": [_rule_out(rule) for rule in rules], "next": None}))


@router.put("/alarm-rules/{kind}", response_model=RuleOut, responses=given(RULE))
def put_alarm_rule(
    request: Request,
    caller: Administrator,
    services: Parts,
    kind: KindPath,
    body: Annotated[RuleIn, Body(examples=[{"enabled": True, "settings": {"raise_after_s": 300}}])],
) -> Response:
    """Set the thresholds of a kind for all sites that have none of their own."""
    return _put(request, caller, services, kind, None, body)


@router.delete("/alarm-rules/{kind}", status_code=204, responses={204: {"description": "The defaults hold"}})
def delete_alarm_rule(caller: Administrator, services: Parts, kind: KindPath) -> Response:
    """Let the defaults of a kind hold again."""
    return _delete(caller, services, kind, None)


@router.put(
    "/sites/{site}/alarm-rules/{kind}", response_model=RuleOut, responses={**given(RULE), **answers(404)}
)
def put_site_alarm_rule(
    request: Request,
    caller: Engineer,
    services: Parts,
    site: SitePath,
    kind: KindPath,
    body: Annotated[RuleIn, Body(examples=[{"enabled": True, "settings": {"raise_after_s": 300}}])],
) -> Response:
    """Set the thresholds of a kind for one site."""
    with services.reading() as connection:
        found(services.city(connection), Site, site)
    return _put(request, caller, services, kind, site, body)


@router.delete(
    "/sites/{site}/alarm-rules/{kind}", status_code=204, responses={204: {"description": "The city's hold"}}
)
def delete_site_alarm_rule(caller: Engineer, services: Parts, site: SitePath, kind: KindPath) -> Response:
    """Let the city's thresholds hold for a site again."""
    return _delete(caller, services, kind, site)


def alarm_out(row: dict[str, Any], language: Literal["vi", "en"]) -> dict[str, Any]:
    """An alarm as it goes out, with words in a language."""
    words = words_of(row["kind"], language)
    return {
        "id": str(row["id"]),
        "kind": row["kind"],
        "severity": row["severity"],
        "site": row["site_id"],
        "approach": row["approach_id"],
        "camera": row["camera_id"],
        **{name: row[name] for name in ("raised_at", "cleared_at", "acknowledged_at")},
        "acknowledged_by": row["acknowledged_by"] or None,
        "note": row["note"],
        "revision": row["revision"],
        "title": words.title,
        "severity_text": severity_word(row["severity"], language),
        "text": told(row["details"], language),
        "meaning": words.meaning,
        "action": words.action,
        "cleared_because": why_cleared(row["details"], language),
        "details": row["details"],
    }


def _language(caller: Caller) -> Literal["vi", "en"]:
    return "en" if caller.language == "en" else "vi"


def _found(row: dict[str, Any] | None) -> dict[str, Any]:
    if row is None or row["kind"] not in KINDS:
        raise Problem(404, "not found", "there is no alarm of this id; see /v1/alarms", "alarm")
    return row


def _put(
    request: Request, caller: Caller, services: Services, kind: AlarmKind, site: str | None, body: RuleIn
) -> Response:
    with writing(services.engine) as connection:
        before = store.rules(connection).of(kind, site)
        try:
            rule = store.put_rule(connection, kind, site, enabled=body.enabled, settings=body.settings)
        except AlarmRuleError as error:
            where = f"body.settings.{error.field}" if error.field else "kind"
            raise Problem(422, "not valid", str(error), where) from None
        what = f"alarm rule {kind}" + (f" of {site}" if site else "")
        audit(connection, caller, "alarm.rule", what, before=_plain(before), after=_plain(rule))
    return respond(request, json_bytes(_rule_out(rule)))


def _delete(caller: Caller, services: Services, kind: AlarmKind, site: str | None) -> Response:
    with writing(services.engine) as connection:
        before = store.rules(connection).of(kind, site)
        if store.delete_rule(connection, kind, site):
            what = f"alarm rule {kind}" + (f" of {site}" if site else "")
            audit(connection, caller, "alarm.rule", what, before=_plain(before))
    return Response(status_code=204)


def _plain(rule: Rule) -> dict[str, Any]:
    return {"enabled": rule.enabled, "settings": rule.settings.model_dump(mode="json")}


def _rule_out(rule: Rule) -> dict[str, Any]:
    fields = SETTINGS[rule.kind].model_fields
    return {
        "kind": rule.kind,
        "site": rule.site or None,
        "own": rule.own,
        **_plain(rule),
        "defaults": default_rule(rule.kind).settings.model_dump(mode="json"),
        "about": {name: field.description or "" for name, field in fields.items()},
    }
