"""``ngatu tally``: the file of a hand count, its server, and who may reach it."""

import csv
import os
import socket
import stat
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from starlette.testclient import TestClient

from service.cli import main
from service.tally import command, sheet
from service.tally.app import Tally, create_app
from service.tally.pictures import Pictures
from service.tally.sheet import COLUMNS, ClipFacts, Sheet
from tests.conftest import MakeClip, picture
from vision import NgatuError, VehicleClass, View, load_view
from vision.accuracy import Event, read_events
from vision.sources import Clip, open_clip

START = datetime(2026, 3, 10, 0, 30, tzinfo=UTC)
TIMES = [round(n * 0.04 + (n % 5) * 0.004, 3) for n in range(60)]
TOKEN = "a-long-random-word"  # noqa: S105 - of a server that lives as long as a test
VIEW = """
gates:
- {id: north, name: nhánh Bắc, line: [[0, 0.3], [1, 0.3]]}
- {id: south, line: [[1, 0.7], [0, 0.7]]}
movements:
- {id: down, from: north, to: south, turn: through}
"""
CAR, BUS, MOTORCYCLE = VehicleClass.CAR, VehicleClass.BUS, VehicleClass.MOTORCYCLE


@pytest.fixture(scope="module")
def path(make_clip: MakeClip, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A clip with uneven times, whose pictures tell their number."""
    return make_clip(tmp_path_factory.mktemp("clip") / "clip.mp4", 60, times=TIMES, options={"g": "20"})


@pytest.fixture
def clip(path: Path) -> Iterator[Clip]:
    with open_clip(path, start=START) as opened:
        yield opened


@pytest.fixture
def view(tmp_path: Path) -> View:
    (tmp_path / "view.yaml").write_text(VIEW, encoding="utf-8")
    return load_view(tmp_path / "view.yaml")


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "out" / "manual.csv"


FACTS = ClipFacts("clip.mp4", START.timestamp(), np.asarray(TIMES))
GATES = ("north", "south")


def serve(clip: Clip, file: Path, view: View | None) -> TestClient:
    gates = [gate.id for gate in view.gates] if view else ["count"]
    facts = ClipFacts("clip.mp4", clip.start, clip.times)
    tally = Tally(clip, view, Sheet(file, facts, gates), Pictures(clip), "Asia/Ho_Chi_Minh")
    headers = {"Authorization": f"Bearer {TOKEN}"}
    return TestClient(create_app(tally, TOKEN), base_url="http://127.0.0.1:8123", headers=headers)


@pytest.fixture
def client(clip: Clip, file: Path, view: View) -> TestClient:
    return serve(clip, file, view)


def mark(client: TestClient, **values: Any) -> Any:
    body = {"frame": 0, "gate": "north", "direction": "in", "class": "motorcycle", **values}
    return client.post("/api/marks", json=body)


def rows(file: Path) -> list[dict[str, str]]:
    with file.open(encoding="utf-8", newline="") as text:
        return list(csv.DictReader(line for line in text if not line.startswith("#")))


# --- The file -------------------------------------------------------------------------------------------


def test_a_mark_is_in_the_file_as_a_hand_count_that_accuracy_reads(client: TestClient, file: Path) -> None:
    mark(client, frame=31, **{"class": "car"})
    mark(client, frame=7, gate="south", direction="out", origin="north")
    assert read_events(file) == [
        Event(TIMES[7], "south", "out", MOTORCYCLE),
        Event(TIMES[31], "north", "in", CAR),
    ]
    first, second = rows(file)
    assert tuple(first) == COLUMNS
    assert (first["time"], first["frame"], first["movement"]) == ("2026-03-10T00:30:00.288Z", "7", "down")
    assert (second["time"], second["sure"], second["note"]) == ("2026-03-10T00:30:01.244Z", "yes", "")


def test_the_file_is_there_from_the_start_and_can_be_read(client: TestClient, file: Path) -> None:
    assert client.get("/api/tally").json() == {"marks": [], "counted": [0, 0]}
    assert read_events(file) == []


def test_starting_again_goes_on_where_it_stopped(clip: Clip, file: Path, view: View) -> None:
    client = serve(clip, file, view)
    mark(client, frame=10)
    number = mark(client, frame=12).json()["id"]
    client.patch(f"/api/marks/{number}", json={"sure": False, "note": "  hidden,\n by a #bus "})
    client.put("/api/counted", json={"begin": 0.2, "end": 1.5})
    before = client.get("/api/tally").json()
    again = serve(clip, file, view)
    assert again.get("/api/tally").json() == before
    assert before["marks"][1]["note"] == "hidden, by a #bus"
    assert file.read_text(encoding="utf-8").startswith("# counted: 0.20-1.50\n")
    mark(again, frame=11)
    assert [row["frame"] for row in rows(file)] == ["10", "11", "12"]


def test_a_count_made_by_other_means_is_gone_on_with(tmp_path: Path) -> None:
    file = tmp_path / "manual.csv"
    file.write_text(
        "# counted: 0.0-2.0\n# by Lan, from the printout\n"
        "time_s,gate,direction,class,sure,note\n0.31,north,in,car,no,white\n",
        encoding="utf-8",
    )
    opened = Sheet(file, FACTS, GATES)
    opened.add(20, "south", "out", BUS)
    assert opened.counted == (0.0, 2.0)
    assert "# by Lan, from the printout\n" in file.read_text(encoding="utf-8")
    assert [(event.time, event.vehicle_class) for event in read_events(file)] == [(0.31, CAR), (0.8, BUS)]
    assert (rows(file)[0]["sure"], rows(file)[0]["note"]) == ("no", "white")


REFUSED = {
    "another clip": ("# clip: other.mp4, 60 frames\ntime_s,gate,direction,class\n", "another clip"),
    "another length": ("# clip: clip.mp4, 61 frames\ntime_s,gate,direction,class\n", "another clip"),
    "another view": ("time_s,gate,direction,class\n0.1,west,in,car\n", "'west'"),
    "columns of another table": ("time_s,gate,direction,class,speed\n", "speed"),
    "a class that is none": ("time_s,gate,direction,class\n0.1,north,in,tuktuk\n", "line 2"),
    "no table": ("", "cannot be read"),
    "a stretch that is none": ("# counted: all\ntime_s,gate,direction,class\n", "# counted: all"),
}


@pytest.mark.parametrize(("text", "told"), REFUSED.values(), ids=REFUSED)
def test_a_file_that_is_not_this_count_is_refused_and_left_alone(
    text: str, told: str, tmp_path: Path
) -> None:
    file = tmp_path / "manual.csv"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(NgatuError, match=told) as error:
        Sheet(file, FACTS, GATES)
    assert str(file) in str(error.value)
    assert file.read_text(encoding="utf-8") == text


def test_what_another_program_wrote_meanwhile_is_not_overwritten(client: TestClient, file: Path) -> None:
    mark(client)
    edited = file.read_text(encoding="utf-8").replace("motorcycle", "truck")
    file.write_text(edited, encoding="utf-8")
    answer = mark(client, frame=5)
    assert answer.status_code == 409
    assert "changed by another program" in answer.json()["detail"]
    assert file.read_text(encoding="utf-8") == edited


def test_a_mark_that_could_not_be_written_is_not_kept(
    client: TestClient, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    mark(client)
    before = file.read_text(encoding="utf-8")

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(sheet.os, "fsync", full)
    answer = mark(client, frame=5)
    assert answer.status_code == 409
    assert "No space left" in answer.json()["detail"]
    assert file.read_text(encoding="utf-8") == before
    assert len(client.get("/api/tally").json()["marks"]) == 1
    monkeypatch.undo()
    assert mark(client, frame=5).status_code == 201
    assert len(read_events(file)) == 2


def test_it_is_on_the_disk_before_it_takes_the_place_of_the_old(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    order: list[str] = []
    sync, replace = os.fsync, Path.replace

    def synced(number: int) -> None:
        order.append("folder" if stat.S_ISDIR(os.fstat(number).st_mode) else "file")
        sync(number)

    def replaced(part: Path, whole: Path) -> Path:
        order.append("replace")
        return replace(part, whole)

    opened = Sheet(tmp_path / "manual.csv", FACTS, GATES)
    monkeypatch.setattr(sheet.os, "fsync", synced)
    monkeypatch.setattr(Path, "replace", replaced)
    opened.add(1, "north", "in", CAR)
    assert order == ["file", "replace", "folder"]
    assert [path.name for path in tmp_path.iterdir()] == ["manual.csv"]


Step = tuple[str, int]


@settings(max_examples=30, deadline=None)
@given(
    steps=st.lists(
        st.tuples(st.sampled_from(("add", "move", "class", "remove", "undo")), st.integers(0, 59)),
        max_size=12,
    )
)
def test_the_file_says_what_the_server_says_after_any_steps(
    steps: list[Step], tmp_path_factory: pytest.TempPathFactory
) -> None:
    file = tmp_path_factory.mktemp("steps") / "manual.csv"
    opened = Sheet(file, FACTS, GATES)
    states = [opened.marks]
    for what, number in steps:
        chosen = opened.marks[number % len(opened.marks)].id if opened.marks else None
        if what == "undo":
            assert opened.undo() is (len(states) > 1)
            del states[max(1, len(states) - 1) :]
            assert opened.marks == states[-1]
            continue
        if what == "add":
            opened.add(number, GATES[number % 2], "out", VehicleClass(number % 5))
        elif chosen is None:
            continue
        elif what == "remove":
            opened.remove(chosen)
        elif what == "move":
            opened.edit(chosen, frame=number)
        else:
            opened.edit(chosen, vehicle_class=VehicleClass(number % 5))
        states.append(opened.marks)
    again = Sheet(file, FACTS, GATES)
    assert [(m.frame, m.time, m.gate, m.vehicle_class) for m in again.marks] == [
        (m.frame, m.time, m.gate, m.vehicle_class) for m in opened.marks
    ]
    assert [m.time for m in again.marks] == sorted(m.time for m in again.marks)


# --- The server -----------------------------------------------------------------------------------------


def test_frames_are_the_clips_whatever_the_order(client: TestClient) -> None:
    for number in (0, 1, 2, 50, 10, 9, 8, 59, 30, 0):
        answer = client.get(f"/api/frames/{number}")
        assert answer.headers["content-type"] == "image/jpeg"
        image = cv2.imdecode(np.frombuffer(answer.content, np.uint8), cv2.IMREAD_COLOR)
        assert image is not None
        assert image[70:].mean() == pytest.approx(picture(number)[70:].mean(), abs=4), number


def test_the_page_is_told_of_the_clip(client: TestClient) -> None:
    facts = client.get("/api/clip").json()
    assert (facts["name"], facts["size"], facts["start"]) == ("clip.mp4", [128, 96], START.timestamp())
    assert [(gate["id"], gate["name"]) for gate in facts["gates"]] == [("north", "nhánh Bắc"), ("south", "")]
    assert facts["movements"] == [{"id": "down", "from": "north", "to": "south", "turn": "through"}]
    assert np.frombuffer(client.get("/api/times").content, "<f8") == pytest.approx(TIMES)


def test_without_a_view_there_is_one_gate_to_count_at(clip: Clip, file: Path) -> None:
    client = serve(clip, file, None)
    assert client.get("/api/clip").json()["gates"] == [{"id": "count", "name": "", "line": None}]
    mark(client, frame=3, gate="count", **{"class": "bicycle"})
    assert read_events(file) == [Event(TIMES[3], "count", "in", VehicleClass.BICYCLE)]


def test_marks_are_edited_deleted_and_changes_taken_back(client: TestClient, file: Path) -> None:
    number = mark(client, frame=4).json()["id"]
    url = f"/api/marks/{number}"
    assert client.patch(url, json={"class": "truck"}).json()["class"] == "truck"
    assert client.patch(url, json={"frame": 9}).json()["time"] == pytest.approx(TIMES[9])
    assert client.delete(url).status_code == 204
    assert read_events(file) == []
    assert client.delete(url).status_code == 404
    for frame, kind in ((9, "truck"), (4, "truck"), (4, "motorcycle")):
        (left,) = client.post("/api/undo").json()["marks"]
        assert (left["frame"], left["class"]) == (frame, kind)
    assert client.post("/api/undo").json()["marks"] == []
    assert client.post("/api/undo").json()["undone"] is False


@pytest.mark.parametrize(
    ("values", "status"),
    [
        ({"frame": 60}, 404),
        ({"frame": -1}, 422),
        ({"gate": "west"}, 422),
        ({"direction": "up"}, 422),
        ({"class": "tuktuk"}, 422),
        ({"origin": "west", "direction": "out"}, 422),
        ({"origin": "north", "direction": "in"}, 422),
        ({"speed": 3}, 422),
    ],
)
def test_what_makes_no_sense_is_not_marked(
    values: dict[str, Any], status: int, client: TestClient, file: Path
) -> None:
    assert mark(client, **values).status_code == status
    assert read_events(file) == []


@pytest.mark.parametrize(
    ("origin", "gate", "movement"), [("north", "south", "down"), ("south", "south", "south-south")]
)
def test_a_mark_may_complete_a_movement(
    origin: str, gate: str, movement: str, client: TestClient, file: Path
) -> None:
    assert mark(client, gate=gate, direction="out", origin=origin).json()["movement"] == movement
    assert rows(file)[0]["movement"] == movement


# --- Who may reach it -----------------------------------------------------------------------------------


DATA = (
    ("GET", "/clip"), ("GET", "/times"), ("GET", "/frames/0"), ("GET", "/tally"), ("POST", "/marks"),
    ("PATCH", "/marks/1"), ("DELETE", "/marks/1"), ("POST", "/undo"), ("PUT", "/counted"),
)  # fmt: skip


@pytest.mark.parametrize(
    "authorization", ["", "Bearer ", "Bearer wrong", TOKEN, f"Bearer {TOKEN}x", "Bearer é"]
)
def test_nothing_is_told_or_changed_without_the_token(authorization: str, client: TestClient) -> None:
    body = {"frame": 0, "gate": "north", "direction": "in", "class": "car"}
    headers = {"Authorization": authorization.encode()}
    for method, path in DATA:
        sent = None if method in ("GET", "DELETE") else body
        assert client.request(method, f"/api{path}", json=sent, headers=headers).status_code == 401, path
    assert client.get("/api/tally").json()["marks"] == []


@pytest.mark.parametrize(
    ("host", "status"),
    [("127.0.0.1:8123", 200), ("localhost:8123", 200), ("evil.example:8123", 400), ("192.168.1.5:8123", 400)],
)
def test_a_name_made_to_lead_here_is_refused(host: str, status: int, client: TestClient) -> None:
    for url in ("/", "/api/clip"):
        assert client.get(url, headers={"Host": host}).status_code == status


def test_the_page_needs_nothing_from_elsewhere(client: TestClient) -> None:
    page = client.get("/")
    assert page.status_code == 200
    assert TOKEN not in page.text
    policy = page.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "http" not in policy
    assert page.headers["cache-control"] == "no-store"


def test_only_this_machine_can_connect() -> None:
    with command._listening(0) as listener:
        assert listener.getsockname()[0] == "127.0.0.1"


def test_the_browser_is_given_the_token_in_a_file_that_only_its_user_may_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened: list[str] = []
    monkeypatch.setattr(command.webbrowser, "open", opened.append)
    address = f"http://127.0.0.1:8123/#{TOKEN}"
    (tmp_path / ".open-tally.html").write_text("left by a crash, and readable")
    with command._opened(address, tmp_path):
        (file,) = tmp_path.iterdir()
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
        assert address in file.read_text()
        assert opened == [file.as_uri()]
        assert TOKEN not in opened[0]
    assert list(tmp_path.iterdir()) == []


# --- The command ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ("rtsp://admin:s3cret@10.0.0.5/stream", "only a recording"),
        ("none.mp4", "does not exist"),
        ("{clip} --view none.yaml", "cannot read the view"),
        ("{clip} --out file/manual.csv", "cannot write"),
        ("{clip} --port {port}", "choose another, or 0"),
    ],
    ids=["live stream", "no clip", "no view", "no folder", "port taken"],
)
def test_what_cannot_be_counted_is_told_in_one_sentence(
    arguments: str,
    told: str,
    path: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "file").write_text("where a folder should be")
    with socket.create_server(("127.0.0.1", 0)) as taken:
        given = arguments.format(clip=path, port=taken.getsockname()[1]).split()
        monkeypatch.setattr(sys, "argv", ["ngatu", "tally", *given, "--no-open"])
        with pytest.raises(SystemExit) as status:
            main()
    said = capsys.readouterr().err
    assert status.value.code == 1
    assert told in said
    assert said.startswith("ngatu: ")
    assert said.count("\n") == 1
    assert "s3cret" not in said
