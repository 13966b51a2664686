"""What was measured, read over HTTP: each route's answer, its formats, its pages and its refusals."""

import io
from typing import Any

import pyarrow.parquet as pq
import pytest
from fastapi.testclient import TestClient
from openpyxl import load_workbook

from tests.service.api.conftest import CROSSINGS

HOUR = {"start": "2026-03-10T09:00:00Z", "end": "2026-03-10T10:00:00Z"}
SQUARE = {**HOUR, "site": "square"}

READS: list[tuple[str, dict[str, Any]]] = [
    ("/v1/sites", {}),
    ("/v1/sites/square", {}),
    ("/v1/approaches", {}),
    ("/v1/sites/square/approaches/north", {}),
    ("/v1/owners", {}),
    ("/v1/sites/square/approaches/north/owner", {}),
    ("/v1/targets", {}),
    ("/v1/targets/junction", {}),
    ("/v1/cameras", {}),
    ("/v1/cameras/cam1", {}),
    ("/v1/cameras/cam1/view", {}),
    ("/v1/cameras/cam1/views", {}),
    ("/v1/cameras/cam1/views/1", {}),
    ("/v1/cameras/cam1/view/picture", {}),
    ("/v1/gates", {}),
    ("/v1/live", {}),
    ("/v1/live/cameras/cam1", {}),
    ("/v1/crossings", SQUARE),
    ("/v1/intervals/approaches", SQUARE),
    ("/v1/intervals/approaches", {**SQUARE, "length": "10s"}),
    ("/v1/intervals/approaches", {**SQUARE, "length": "1min"}),
    ("/v1/intervals/approaches", {**SQUARE, "length": "1h"}),
    ("/v1/intervals/junctions", SQUARE),
    ("/v1/intervals/junctions", {**SQUARE, "length": "10s"}),
    ("/v1/intervals/junctions", {**SQUARE, "length": "1h"}),
    ("/v1/counts", SQUARE),
    ("/v1/counts", {**SQUARE, "kind": "movement"}),
    ("/v1/counts/usual/square/2026-03-17", {}),
    ("/v1/reports/square", HOUR),
    ("/v1/coverage", {}),
    ("/v1/coverage", HOUR),
    ("/v1/coverage/sites", {}),
    ("/v1/coverage/areas", {}),
    ("/v1/coverage/areas", {**HOUR, "level": "province"}),
    ("/v1/coverage/history", {}),
    ("/v1/health", HOUR),
    ("/v1/incidents", HOUR),
    ("/v1/exclusions", {}),
]


@pytest.mark.parametrize(("path", "query"), READS, ids=lambda each: str(each)[:60])
def test_a_viewer_reads_it(reader: TestClient, path: str, query: dict[str, Any]) -> None:
    answer = reader.get(path, params=query)
    assert answer.status_code == 200, answer.text
    if answer.headers["content-type"] == "application/json" and "items" in answer.json():
        empty = path in ("/v1/exclusions", "/v1/coverage/history") or "usual" in path
        assert answer.json()["items"] or empty or path == "/v1/coverage/history"


@pytest.mark.parametrize(("path", "query"), READS, ids=lambda each: str(each)[:60])
def test_nobody_else_reads_it(reader: TestClient, path: str, query: dict[str, Any]) -> None:
    answer = TestClient(reader.app, base_url="http://localhost").get(path, params=query)
    assert answer.status_code == 401
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["request_id"] == answer.headers["x-request-id"]


@pytest.mark.parametrize(("path", "query"), READS, ids=lambda each: str(each)[:60])
def test_a_misspelt_parameter_is_refused(reader: TestClient, path: str, query: dict[str, Any]) -> None:
    answer = reader.get(path, params={**query, "sit": "square"})
    assert answer.status_code == 422
    assert answer.json()["field"] == "query.sit"


def test_an_etag_spares_the_way(reader: TestClient) -> None:
    for path, query in READS:
        first = reader.get(path, params=query)
        if "etag" not in first.headers:
            assert "/live" in path
            continue
        again = reader.get(path, params=query, headers={"If-None-Match": first.headers["etag"]})
        if path in ("/v1/coverage", "/v1/coverage/areas", "/v1/coverage/sites"):
            continue
        assert again.status_code == 304, path
        assert again.content == b""


def test_pages_of_crossings_join_to_the_whole(reader: TestClient) -> None:
    seen: list[dict[str, Any]] = []
    query: dict[str, Any] = {**HOUR, "camera": "cam1", "limit": 37}
    while True:
        answer = reader.get("/v1/crossings", params=query).json()
        seen += answer["items"]
        assert len(answer["items"]) <= 37
        if answer["next"] is None:
            break
        query["cursor"] = answer["next"]
    assert len({each["id"] for each in seen}) == len(seen) == CROSSINGS
    assert [each["time"] for each in seen] == sorted(each["time"] for each in seen)


@pytest.mark.parametrize(
    ("path", "query", "limit"),
    [
        ("/v1/intervals/approaches", {**SQUARE, "length": "10s"}, 50),
        ("/v1/intervals/junctions", {**SQUARE, "length": "1min"}, 20),
        ("/v1/counts", {**HOUR, "camera": "cam1"}, 7),
        ("/v1/sites", {}, 1),
        ("/v1/approaches", {}, 1),
        ("/v1/health", {**HOUR, "start": "2026-03-10T08:30:00Z"}, 1),
        ("/v1/incidents", HOUR, 2),
    ],
)
def test_pages_join_to_the_whole(reader: TestClient, path: str, query: dict[str, Any], limit: int) -> None:
    whole = reader.get(path, params={**query, "limit": 10_000}).json()["items"]
    parts: list[dict[str, Any]] = []
    cursor: str | None = None
    for _ in range(1000):
        asked = {**query, "limit": limit, **({"cursor": cursor} if cursor else {})}
        answer = reader.get(path, params=asked)
        parts += answer.json()["items"]
        cursor = answer.json()["next"]
        if cursor is None:
            break
        assert f"cursor={cursor}" in answer.headers["link"]
    assert parts == whole
    assert len(whole) > limit


def test_the_sum_of_the_counts_is_the_number_of_crossings(reader: TestClient) -> None:
    rows = reader.get("/v1/counts", params={**HOUR, "camera": "cam1"}).json()["items"]
    assert sum(row["total"] for row in rows) == CROSSINGS


def test_not_observed_is_null(reader: TestClient) -> None:
    query = {"start": "2026-03-10T09:00:00Z", "end": "2026-03-10T11:00:00Z", "camera": "cam1"}
    rows = reader.get("/v1/counts", params=query).json()["items"]
    late = [row for row in rows if row["start"] >= "2026-03-10T10"]
    assert late
    assert {(row["status"], row["total"], row["car"]) for row in late} == {("not_observed", None, None)}
    text = reader.get("/v1/counts", params={**query, "format": "csv"}).text
    assert "not_observed,0.0,,,,,,," in text


def test_an_hour_is_the_sum_of_its_quarters(reader: TestClient) -> None:
    quarters = reader.get("/v1/intervals/approaches", params=SQUARE).json()["items"]
    hours = reader.get("/v1/intervals/approaches", params={**SQUARE, "length": "1h"}).json()["items"]
    assert len(hours) == 2
    for hour in hours:
        parts = [each for each in quarters if each["approach"] == hour["approach"]]
        assert hour["count"] == sum(each["count"] for each in parts)
        assert hour["observed_seconds"] == 3600
        assert hour["density_per_km"] == pytest.approx(parts[0]["density_per_km"])
    junction = reader.get("/v1/intervals/junctions", params={**SQUARE, "length": "1h"}).json()["items"]
    assert [each["count"] for each in junction] == [sum(each["count"] for each in hours)]


def test_offsets_are_accepted_and_utc_comes_out(reader: TestClient) -> None:
    local = {"start": "2026-03-10T16:00:00+07:00", "end": "2026-03-10T17:00:00+07:00", "camera": "cam1"}
    rows = reader.get("/v1/crossings", params=local).json()["items"]
    assert rows == reader.get("/v1/crossings", params={**HOUR, "camera": "cam1"}).json()["items"]
    assert all(row["time"].endswith("Z") for row in rows)
    # A plus sign that was not encoded arrives as a space; it is meant all the same.
    period = "start=2026-03-10T16:00:00+07:00&end=2026-03-10T17:00:00+07:00"
    plain = reader.get(f"/v1/crossings?{period}&camera=cam1")
    assert plain.json()["items"] == rows


def test_periods_are_half_open(reader: TestClient) -> None:
    rows = reader.get("/v1/crossings", params={**HOUR, "camera": "cam1"}).json()["items"]
    first, last = rows[0]["time"], rows[-1]["time"]
    asked = {"start": first, "end": last, "camera": "cam1"}
    inner = reader.get("/v1/crossings", params=asked).json()["items"]
    assert len(inner) == sum(row["time"] < last for row in rows)


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ({"start": "2026-03-10T09:00:00", "end": "2026-03-10T10:00:00Z"}, "query.start"),
        ({"start": "yesterday", "end": "2026-03-10T10:00:00Z"}, "query.start"),
        ({"start": "2026-03-10T10:00:00Z", "end": "2026-03-10T09:00:00Z"}, "query.end"),
        ({"start": "0001-01-01T00:00:00+14:00", "end": "2026-03-10T09:00:00Z"}, "query.start"),
        ({"start": "2026-03-10T09:00:00Z"}, "query.end"),
        ({**HOUR, "limit": 0}, "query.limit"),
        ({**HOUR, "cursor": "nonsense"}, "query.cursor"),
        ({**HOUR, "cursor": "WzEsMl0"}, "query.cursor"),
        ({**HOUR, "camera": "no such"}, "query.camera"),
        ({**HOUR, "format": "xlsx"}, "query.format"),
        ({"camera": None, **HOUR}, "query.site"),
    ],
)
def test_errors_name_the_field(reader: TestClient, query: dict[str, Any], field: str) -> None:
    asked = {key: value for key, value in {"camera": "cam1", **query}.items() if value is not None}
    answer = reader.get("/v1/crossings", params=asked)
    assert answer.status_code == 422
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["field"] == field
    assert answer.json()["detail"]


def test_a_parameter_given_twice_is_refused(reader: TestClient) -> None:
    answer = reader.get("/v1/sites?kind=junction&kind=public_area")
    assert (answer.status_code, answer.json()["field"]) == (422, "query.kind")


@pytest.mark.parametrize(
    ("accept", "media"),
    [
        ("*/*", "application/json"),
        ("text/csv", "text/csv; charset=utf-8"),
        ("application/json;q=0.5, application/vnd.apache.parquet", "application/vnd.apache.parquet"),
        ("text/html, application/json;q=0.9", "application/json"),
        ("text/*", "text/csv; charset=utf-8"),
    ],
)
def test_the_format_follows_accept(reader: TestClient, accept: str, media: str) -> None:
    answer = reader.get("/v1/crossings", params={**HOUR, "camera": "cam1"}, headers={"Accept": accept})
    assert answer.headers["content-type"] == media


def test_a_format_that_is_not_offered_is_refused(reader: TestClient) -> None:
    answer = reader.get("/v1/crossings", params={**HOUR, "camera": "cam1"}, headers={"Accept": "image/png"})
    assert answer.status_code == 406
    assert "text/csv" in answer.json()["detail"]


def test_tables_hold_what_json_holds(reader: TestClient) -> None:
    query = {**HOUR, "camera": "cam1"}
    rows = reader.get("/v1/crossings", params=query).json()["items"]
    text = reader.get("/v1/crossings", params={**query, "format": "csv"}).text.splitlines()
    assert text[0].split(",") == list(rows[0])
    assert len(text) == len(rows) + 1
    answer = reader.get("/v1/crossings", params={**query, "format": "parquet"})
    assert 'filename="crossings.parquet"' in answer.headers["content-disposition"]
    table = pq.read_table(io.BytesIO(answer.content))
    assert table.num_rows == len(rows)
    assert str(table.schema.field("time").type) == "timestamp[us, tz=UTC]"
    assert table.column("vehicle_class").to_pylist() == [row["vehicle_class"] for row in rows]


@pytest.mark.parametrize("path", ["/v1/intervals/approaches", "/v1/intervals/junctions", "/v1/counts"])
def test_figures_come_as_parquet(reader: TestClient, path: str) -> None:
    rows = reader.get(path, params=SQUARE).json()["items"]
    table = pq.read_table(io.BytesIO(reader.get(path, params={**SQUARE, "format": "parquet"}).content))
    assert table.num_rows == len(rows) > 0


def test_sites_come_as_points(reader: TestClient) -> None:
    answer = reader.get("/v1/sites", headers={"Accept": "application/geo+json"})
    assert answer.headers["content-type"] == "application/geo+json"
    features = {each["id"]: each for each in answer.json()["features"]}
    assert features["square"]["geometry"]["coordinates"] == [106.2, 21.28]
    assert features["far"]["geometry"] is None
    on_map = reader.get("/v1/coverage/sites").json()["features"]
    assert {each["id"] for each in on_map} == {"square", "far", "park"}


def test_a_report_is_a_workbook_too(reader: TestClient) -> None:
    report = reader.get("/v1/reports/square", params=HOUR)
    assert report.json()["gates"]
    answer = reader.get("/v1/reports/square", params={**HOUR, "format": "xlsx", "language": "vi"})
    assert load_workbook(io.BytesIO(answer.content)).sheetnames[0] == "Tất cả các loại xe"
    assert reader.get("/v1/reports/square", params={**HOUR, "format": "csv"}).text.startswith("start,")
    nothing = reader.get("/v1/reports/far", params=HOUR)
    assert (nothing.status_code, nothing.json()["title"]) == (404, "nothing to report")
    assert reader.get("/v1/reports/nowhere", params=HOUR).status_code == 404


def test_coverage_tells_figures_gaps_and_areas(reader: TestClient) -> None:
    report = reader.get("/v1/coverage", params={"at": "2026-03-10T09:30:00Z"}).json()
    junctions = next(each for each in report["figures"] if each["kind"] == "junction")
    assert junctions["installed"] == 0.5
    assert junctions["target"] == 0.9
    assert {gap["site"] for gap in report["gaps"]} >= {"far"}
    areas = reader.get("/v1/coverage/areas", params={"at": "2026-03-10T09:30:00Z"}).json()["items"]
    by_area = {each["area"]: each for each in areas if each["kind"] == "junction"}
    assert by_area["Phường Bắc Giang"]["installed"] == 1.0
    assert by_area["Phường Đa Mai"]["installed"] == 0.0
    reported = reader.get("/v1/coverage/history").json()["items"]
    assert [each["kind"] for each in reported] == ["junction", "public_area"]
    future = reader.get("/v1/coverage", params={"at": "2126-03-10T09:30:00Z"})
    assert (future.status_code, future.json()["field"]) == (422, "query.at")


def test_addresses_never_come_out(reader: TestClient) -> None:
    for path, query in READS:
        text = reader.get(path, params=query).text
        assert "CAM_1" not in text, path
        assert "TOKEN" not in text, path
    assert reader.get("/v1/cameras/cam1").json()["address"].startswith("rtsp://***@192.0.2.1:554/1")
    assert reader.get("/v1/cameras/cam1").json()["substream"] == "rtsp://***@192.0.2.1:554/2?token=***"


def test_gates_say_whose_counts_to_add_up(reader: TestClient) -> None:
    rows = reader.get("/v1/gates", params={"site": "square"}).json()["items"]
    assert [(row["camera"], row["gate"], row["approach"], row["speaks"]) for row in rows] == [
        ("cam1", "north-line", "north", True),
        ("cam1", "south-line", "south", True),
    ]
    assert reader.get("/v1/gates", params={"site": "park"}).json()["items"] == []
