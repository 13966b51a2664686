"""Sentences of answers in the language that is asked for; a program that asks for none gets English."""

from typing import Any

import pytest
from fastapi.testclient import TestClient

from tests.service.api.conftest import As

VI = {"Accept-Language": "vi-VN,vi;q=0.9,en;q=0.8"}
GATE = {"id": "north-line", "line": [[0.1, 0.5], [0.1, 0.5]], "approach": "north"}


def test_an_error_is_told_in_the_language_of_who_asks(engineer: TestClient) -> None:
    path = "/v1/cameras/cam9"
    english, vietnamese = engineer.get(path), engineer.get(path, headers=VI)
    assert english.json()["detail"] == "there is no camera 'cam9' at that moment"
    assert vietnamese.json()["detail"] == "không có camera 'cam9' vào thời điểm đó"
    assert (english.json()["title"], vietnamese.json()["title"]) == ("not found", "không tìm thấy")
    assert english.headers["vary"] == vietnamese.headers["vary"] == "Accept-Language"


@pytest.mark.parametrize("header", ["en", "en-GB,vi;q=0.5", "fr", "*"])
def test_other_languages_get_english(engineer: TestClient, header: str) -> None:
    answer = engineer.get("/v1/cameras/cam9", headers={"Accept-Language": header})
    assert answer.json()["detail"].startswith("there is no camera")


def test_the_parameter_comes_before_the_header(as_role: As) -> None:
    reader = as_role("viewer")
    period = {"start": "2026-03-10T09:00:00+07:00", "end": "2026-03-10T08:00:00+07:00"}
    for language, header, words in (("vi", "en", "thời điểm kết thúc"), ("en", "vi", "it does not lie")):
        answer = reader.get(
            "/v1/reports/square",
            params={**period, "language": language},
            headers={"Accept-Language": header},
        )
        assert words in answer.json()["detail"]


def test_every_field_at_fault_is_told_in_it(engineer: TestClient) -> None:
    body = {"kind": "junction", "is_key": "perhaps", "lat": "north"}
    answer = engineer.put("/v1/sites/new", json=body, headers=VI).json()
    told = {each["field"]: each["detail"] for each in answer["errors"]}
    assert told["body.id"] == "còn thiếu"
    assert told["body.lat"] == "phải là một số"
    assert answer["detail"].removeprefix(f"{answer['field']}: ") in told.values()


def test_an_address_that_may_not_be_opened(engineer: TestClient) -> None:
    body = {"address": "rtsp://an:secret@127.0.0.1/1"}
    answer = engineer.post("/v1/camera-tests", json=body, headers=VI)
    assert answer.status_code == 422
    assert "127.0.0.1 là chính máy này" in answer.json()["detail"]
    assert "secret" not in answer.text


def test_an_address_where_nobody_answers(engineer: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NGATU_CAMERA_NETWORKS", "127.0.0.0/8")
    body = {"address": "rtsp://127.0.0.1:9/1"}
    answer = engineer.post("/v1/camera-tests", json=body, headers=VI).json()
    assert answer["works"] is False
    assert answer["problem"].startswith("không mở được rtsp://127.0.0.1:9/1: không có gì trả lời")


def test_faults_of_a_drawing(engineer: TestClient) -> None:
    points: list[dict[str, Any]] = [{"image": [0.2 * n, 0.5], "ground": [float(n), 0.0]} for n in range(1, 5)]
    body = {"gates": [GATE], "calibration": {"points": points}}
    found = engineer.post("/v1/cameras/cam1/view/check", json=body, headers=VI).json()
    assert found["faults"] == [{"field": "gates.0.line", "problem": "hai đầu trùng nhau; hãy dời một đầu"}]
    assert "thẳng hàng" in found["calibration"]["problem"]


def test_the_live_state_says_why_in_both(as_role: As) -> None:
    cameras = as_role("viewer").get("/v1/live").json()["cameras"]
    told = {each["camera"]: (each["reason"], each["reason_vi"]) for each in cameras}
    assert told["cam2"] == (
        "no worker reports this camera",
        "chưa có tiến trình phân tích nào báo về camera này",
    )


def test_a_refusal_before_any_route_is_told_in_it_too(as_role: As) -> None:
    nobody = as_role("viewer")
    nobody.headers.pop("Authorization")
    assert nobody.get("/v1/cameras", headers=VI).json()["detail"] == "hãy đăng nhập, hoặc gửi mã truy cập"
