"""One live camera fed by hand: same counts as in batch, what is not observed, views that do not fit."""

import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import islice
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from service.live import guard as guard_module
from service.live.camera import Around, LiveCamera
from service.live.frames import WaitingFrames
from service.live.gathering import GatheringOutbox
from service.live.guard import Guard, gates_hold
from service.live.messages import Answer, CameraReport, WorkerReport
from service.live.plan import Entry, Reference
from service.live.publish import Publisher, Service
from service.storage.connect import open_database
from service.storage.drain import drain
from service.storage.messages import seconds_to_us
from tests.service.live.streets import SIZE, VIEW, BlockDetector, rows, street, view, wait_for
from vision import Frame, Pipeline, SourceError, Tracks, load_detector, load_view, open_source
from vision.health import Health
from vision.sparing import Sparing

ROOT = Path(__file__).parents[3]
SAMPLE = ROOT / "sample_videos"


def nobody(*_args: Any, **_options: Any) -> Any:
    raise SourceError("nobody is there")


@pytest.fixture
def make_camera(tmp_path: Path) -> Iterator[Callable[..., tuple[LiveCamera, GatheringOutbox]]]:
    """A camera whose frames the test gives, and its outbox."""
    made: list[tuple[LiveCamera, GatheringOutbox]] = []

    def make(
        entry: Entry, detector: Callable[[], Any], now: Callable[[], float], sparing: Sparing | None = None
    ) -> Any:
        outbox = GatheringOutbox(tmp_path / "outbox.db")
        around = Around(
            waiting=WaitingFrames(now),
            detector=detector,
            outbox=outbox,
            zone=ZoneInfo("Asia/Ho_Chi_Minh"),
            save=lambda _reference: None,
            sparing=sparing,
            opens=nobody,
            now=now,
        )
        made.append((LiveCamera(entry, lambda _stream: "rtsp://127.0.0.1:9/", around), outbox))
        return made[-1]

    yield make
    for camera, outbox in made:
        camera._reader.stop()
        outbox.close()


@pytest.mark.parametrize("sparing", [None, Sparing()], ids=["whole", "spared"])
def test_live_counts_what_batch_counts_from_the_same_frames(
    tmp_path: Path, make_camera: Callable[..., Any], sparing: Sparing | None
) -> None:
    drawn = load_view(SAMPLE / "hoa-ban_cam1.view.yaml")
    detector = load_detector("ngatu-n", threads=1)
    with open_source(SAMPLE / "hoa-ban_cam1_day_20260310-093000.mp4", threads=1) as source:
        frames = [
            Frame(cv2.resize(each.image, (640, 360)), each.time, each.index) for each in islice(source, 120)
        ]
    pipeline = Pipeline(detector, (640, 360), drawn, sparing=sparing)
    in_batch = [crossing for each in frames for crossing in pipeline.step(each).crossings]
    in_batch += pipeline.finish()
    now = [frames[0].time]
    entry = Entry("cam1", "hoa-ban", "rtsp://x/", drawn, "sha")
    camera, outbox = make_camera(entry, lambda: detector, lambda: now[0], sparing)
    for number, each in enumerate(frames):
        now[0] = each.time + 0.1
        camera.take(each, recording=True, watched=False)
        if number % 10 == 0:
            camera.tick(now[0], recording=True)
            camera.flush(now[0])
            outbox.flush()
    camera.close()
    outbox.flush()
    engine = open_database(f"sqlite:///{tmp_path / 'ngatu.db'}")
    drain(outbox, engine)
    assert outbox.state().rejected == 0

    def key(each: Any) -> tuple[Any, ...]:
        return (each.gate, each.direction, each.movement, each.origin)

    live = sorted(
        (round(each.time.timestamp() * 1e6), each.vehicle_class, *key(each))
        for each in rows(engine, "crossings")
    )
    batch = sorted((seconds_to_us(each.time), each.vehicle_class.label, *key(each)) for each in in_batch)
    assert [each[0] for each in live] == pytest.approx([each[0] for each in batch], abs=1)
    assert [each[1:4] for each in live] == [each[1:4] for each in batch]
    assert len(live) > 3
    (whole,) = rows(engine, "observed", length=900)
    assert whole.observed_seconds == pytest.approx(frames[-1].time - frames[0].time, abs=0.01)
    assert rows(engine, "approach_intervals", length=10)
    engine.dispose()


def drive(
    camera: LiveCamera,
    now: list[float],
    seconds: float,
    picture: Callable[[float], NDArray[np.uint8]] = street,
    recording: bool = True,
) -> None:
    for _ in range(round(seconds * 10)):
        now[0] += 0.1
        camera.take(Frame(picture(now[0] - 9000.0), now[0], 0), recording=recording, watched=False)
        camera.flush(now[0])


def test_what_was_not_seen_is_not_observed(tmp_path: Path, make_camera: Callable[..., Any]) -> None:
    now = [9000.0]
    entry = Entry("cam1", "square", "rtsp://x/", VIEW, "sha")
    camera, outbox = make_camera(entry, BlockDetector, lambda: now[0])
    drive(camera, now, 30.0)
    now[0] += 20.0  # a gap
    drive(camera, now, 10.0)
    black = np.zeros((SIZE[1], SIZE[0], 3), np.uint8)
    drive(camera, now, 30.0, lambda _: black)
    drive(camera, now, 5.0)  # light again for a while before it is believed
    drive(camera, now, 10.0)
    drive(camera, now, 10.0, recording=False)  # the outbox is full
    camera.close()
    outbox.flush()
    engine = open_database(f"sqlite:///{tmp_path / 'ngatu.db'}")
    drain(outbox, engine)
    observed = sum(row.observed_seconds for row in rows(engine, "observed", length=60))
    assert observed == pytest.approx(30 + 10 + 12, abs=4)
    assert len(rows(engine, "segments")) == 1
    engine.dispose()


class FakeWatch:
    """A health watch that says what the test wants."""

    said: Health = Health("ok", 0.0, "")

    def __init__(self, _reference: object = None) -> None:
        pass

    def look(self, _image: object, _time: float) -> Health:
        return FakeWatch.said


@pytest.fixture
def watched(monkeypatch: pytest.MonkeyPatch) -> type[FakeWatch]:
    monkeypatch.setattr(guard_module, "HealthWatch", FakeWatch)
    FakeWatch.said = Health("ok", 0.0, "")
    return FakeWatch


def jpeg(image: NDArray[np.uint8]) -> bytes:
    encoded: Any = cv2.imencode(".jpg", image)[1]
    return bytes(encoded.tobytes())


def moved(share: float) -> Health:
    return Health("moved", 100.0, "it moved", {}, np.array([[1.0, 0.0, share], [0.0, 1.0, 0.0]]))


def test_a_moved_camera_is_not_trusted_until_its_view_is_confirmed(watched: type[FakeWatch]) -> None:
    saved: list[Reference] = []
    entry = Entry("cam1", "square", "", VIEW, "sha")
    guard = Guard(entry, saved.append)
    image, nothing = street(1.0), Tracks.empty()
    reference = Reference("cam1", "sha", 50.0, 50.0, "an", jpeg(image))
    guard.refer(reference)
    assert guard.look(image, 99.0, nothing).figures
    watched.said = moved(0.05)
    verdict = guard.look(image, 101.0, nothing)
    assert (verdict.count, verdict.figures, guard.picture.state) == (True, False, "moved")
    assert [(each.confirmed_at, each.picture) for each in saved] == [(None, b"")]
    watched.said = moved(0.5)
    verdict = guard.look(image, 110.0, nothing)
    assert (verdict.count, verdict.figures) == (False, False)
    assert verdict.spoilt_since < 100.0
    # A restarted worker reads from the database that nobody has confirmed it.
    again = Guard(entry, saved.append)
    again.refer(replace(reference, confirmed_at=None))
    watched.said = Health("ok", 120.0, "")
    assert not again.look(image, 120.0, nothing).figures
    assert again.picture.state == "moved"
    # Somebody confirms it: trusted from then on, and the picture is made anew.
    guard.refer(replace(reference, confirmed_at=130.0))
    verdict = guard.look(image, 131.0, nothing)
    assert (verdict.count, verdict.figures, guard.picture.state) == (True, True, "live")


def test_a_camera_that_turns_back_is_trusted_again(watched: type[FakeWatch]) -> None:
    saved: list[Reference] = []
    guard = Guard(Entry("cam1", "square", "", VIEW, "sha"), saved.append)
    image, nothing = street(1.0), Tracks.empty()
    guard.refer(Reference("cam1", "sha", 50.0, 50.0, "an", jpeg(image)))
    watched.said = moved(0.5)
    guard.look(image, 101.0, nothing)
    watched.said = Health("ok", 105.0, "")
    for second in range(105, 165):
        assert not guard.look(image, float(second), nothing).figures
    assert guard.look(image, 166.0, nothing).figures
    assert guard.picture.state == "live"
    assert saved[-1].confirmed_by == "ngatu: it looks as before"


def test_a_view_without_a_picture_gets_one_from_some_minutes_of_good_picture(
    watched: type[FakeWatch],
) -> None:
    saved: list[Reference] = []
    guard = Guard(Entry("cam1", "square", "", VIEW, "sha"), saved.append)
    for tick in range(420):
        guard.look(street(tick / 2), tick / 2, Tracks.empty())
    (made,) = saved
    assert made.view_sha256 == "sha"
    assert made.confirmed_at is not None
    picture = cv2.imdecode(np.frombuffer(made.picture, np.uint8), cv2.IMREAD_COLOR)
    assert picture is not None
    assert picture[85:125, 20:300].max() < 200  # no vehicle in it


@pytest.mark.parametrize(("share", "holds"), [(0.0, True), (0.1, True), (0.4, False)])
def test_gates_hold_while_they_lie_on_the_road(share: float, holds: bool) -> None:
    assert gates_hold(view(), moved(share)) == holds
    assert not gates_hold(view(), replace(moved(share), transform=None))


def test_reports_go_over_one_connection_and_pictures_only_while_somebody_watches() -> None:
    seen: list[tuple[str, str, bytes]] = []
    connections: set[Any] = set()
    answer = Answer(revision=3, pictures=["cam1"])
    refusals = [500]

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            connections.add(self.client_address)
            status = refusals.pop() if refusals else 200
            seen.append((self.path, self.headers["Authorization"], body))
            content = answer.model_dump_json().encode() if "reports" in self.path else b""
            self.send_response(status)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    stop = threading.Event()
    delivered: list[WorkerReport] = []
    report = WorkerReport(
        worker="w", started=0.0, time=1.0, cameras=[CameraReport(camera="cam1", state="live", since=0.0)]
    )
    service = Service(f"http://127.0.0.1:{server.server_port}/under", "t0ken")
    publisher = Publisher(service, lambda: report, delivered.append, lambda _: b"jpeg", stop)
    publisher.start()
    try:
        wait_for(lambda: sum("pictures" in path for path, _, _ in seen) >= 4)
        assert publisher.watched == {"cam1"}
    finally:
        stop.set()
        publisher.join(5)
        server.shutdown()
        server.server_close()
    assert not publisher.is_alive()
    assert {token for _, token, _ in seen} == {"Bearer t0ken"}
    assert ("/under/v1/live/pictures/cam1", "Bearer t0ken", b"jpeg") in seen
    assert len(connections) == 1
    reports = [body for path, _, body in seen if path.endswith("/v1/live/reports")]
    assert WorkerReport.model_validate_json(reports[0]) == report
    assert len(delivered) == len(reports) - 1  # the first was refused
