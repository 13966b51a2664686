"""``ngatu count``, ``recount`` and ``view`` as a user runs them, on drawn clips whose truth is exact."""

import csv
import json
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from importlib.metadata import version
from pathlib import Path

import av
import cv2
import numpy as np
import pytest

from service.cli import main
from service.outputs import clock_bins, observed_spans, parse_interval, write_counts
from tests.conftest import MakeClip, RtspServer
from vision import Crossing, NgatuError, TrackFile, VehicleClass, View, load_view

SIZE = (320, 240)
FPS = 25
SECONDS = 8
SPEED = 100  # pixels a second: four a frame, so that the truth is exact
NAME = "ch01_20260310_072956.mp4"
START = datetime(2026, 3, 10, 0, 29, 56, tzinfo=UTC).timestamp()

VIEW = """# Two gates across one road.
name: Ngã tư thử [1]
gates:
  - id: north
    name: nhánh Bắc
    line: [[0.0, 0.3], [1.0, 0.3]]
  - id: south
    name: nhánh Nam [/x]
    line: [[1.0, 0.7], [0.0, 0.7]]
movements:
  - {id: down, from: north, to: south, turn: through}
  - {id: up, from: south, to: north, turn: through}
"""
EDITED = VIEW.replace("0.3]", "0.45]").replace("[0.0, 0.7]", "[0.0, 0.6]")


@dataclass(frozen=True)
class Block:
    """A vehicle that drives straight down the picture, or up it, from a moment on."""

    left: int
    begin: float
    up: bool = False
    width: int = 36
    height: int = 28

    def bottom(self, seconds: float) -> int:
        driven = round(SPEED * (seconds - self.begin))
        return SIZE[1] + self.height - driven if self.up else driven

    def passes(self, y: float) -> float:
        """When its lower edge passes a height, seconds since the start."""
        return self.begin + (SIZE[1] + self.height - y if self.up else y) / SPEED


TRAFFIC = (Block(40, 0.6), Block(130, 1.4), Block(220, 2.0, up=True), Block(40, 3.2), Block(130, 4.4))
NORTH, SOUTH = 0.3 * SIZE[1], 0.7 * SIZE[1]
TRUTH = sorted(
    (block.passes(y), gate, "in" if (gate == "north") != block.up else "out")
    for block in TRAFFIC
    for gate, y in (("north", NORTH), ("south", SOUTH))
)


def street() -> np.ndarray:
    """A still background with some texture."""
    noise = np.random.default_rng(1).integers(70, 110, (SIZE[1] // 4, SIZE[0] // 4, 3), np.uint8)
    return cv2.resize(noise, SIZE, interpolation=cv2.INTER_CUBIC)


def drawn(blocks: Sequence[Block], frame: int) -> np.ndarray:
    image = street()
    for number, block in enumerate(blocks):
        bottom = block.bottom(frame / FPS)
        top = max(0, bottom - block.height)
        if bottom > 0 and top < SIZE[1]:
            image[top:bottom, block.left : block.left + block.width] = (230, 40 * number, 20)
    return image


@pytest.fixture(scope="session")
def clip(tmp_path_factory: pytest.TempPathFactory, make_clip: MakeClip) -> Path:
    """Five vehicles, ten crossings; it begins four seconds before half past seven in the morning."""
    pictures = [drawn(TRAFFIC, frame) for frame in range(FPS * SECONDS)]
    return make_clip(tmp_path_factory.mktemp("clip") / NAME, pictures, FPS)


@pytest.fixture(scope="session")
def still(tmp_path_factory: pytest.TempPathFactory, make_clip: MakeClip) -> Path:
    """Two seconds of an empty street."""
    return make_clip(tmp_path_factory.mktemp("still") / NAME, [street()] * 50, FPS)


@pytest.fixture
def view(tmp_path: Path) -> Path:
    path = tmp_path / "view.yaml"
    path.write_text(VIEW, encoding="utf-8")
    return path


@dataclass(frozen=True)
class Ran:
    """How a command ended, and what it said."""

    code: int
    out: str
    err: str


Ngatu = Callable[..., Ran]


@pytest.fixture
def ngatu(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Ngatu:
    """Run a command of ``ngatu`` as the console script does, but in this process, which is quicker."""
    threads = cv2.getNumThreads()

    def run(*arguments: str | Path) -> Ran:
        monkeypatch.setattr(sys, "argv", ["ngatu", *(str(each) for each in arguments)])
        capsys.readouterr()
        with pytest.raises(SystemExit) as ended:
            main()
        cv2.setNumThreads(threads)
        said = capsys.readouterr()
        return Ran(int(ended.value.code or 0), said.out, said.err)

    return run


@pytest.fixture(scope="session")
def counted(clip: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The results of one count by the installed command, in a process of its own."""
    folder = tmp_path_factory.mktemp("counted")
    (folder / "view.yaml").write_text(VIEW, encoding="utf-8")
    command = [COMMAND, "count", clip, "--model", "motion", "--view", "view.yaml", "--out", "out"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    assert "10 crossings" in done.stdout
    return folder / "out"


COMMAND = Path(sys.executable).with_name("ngatu")


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def epoch(text: str) -> float:
    assert text.endswith("Z")
    return datetime.fromisoformat(text).timestamp()


def read_json(path: Path) -> dict:
    return json.loads(path.read_text(encoding="utf-8"))


def frames_in(video: Path) -> tuple[str, int]:
    """Codec and number of frames."""
    with av.open(str(video)) as container:
        return container.streams.video[0].codec_context.name, sum(1 for _ in container.decode(video=0))


def gate_total(counts: list[dict[str, str]]) -> int:
    return sum(int(row["count"]) for row in counts if row["kind"] == "gate" and row["count"])


# --- A full count ---------------------------------------------------------------------------------------


def test_each_crossing_is_a_row_with_its_interpolated_time(counted: Path) -> None:
    crossings = rows(counted / "crossings.csv")
    assert list(crossings[0]) == [
        "time", "gate", "direction", "movement", "class", "confidence", "x", "y", "vehicle",
    ]  # fmt: skip
    got = [(epoch(row["time"]) - START, row["gate"], row["direction"]) for row in crossings]
    assert [each[1:] for each in got] == [each[1:] for each in TRUTH]
    for (moment, *_), (truth, *_) in zip(got, TRUTH, strict=True):
        assert moment == pytest.approx(truth, abs=0.5 / FPS)
    assert {row["class"] for row in crossings} == {"unknown"}


def test_a_row_says_where_and_which_movement(counted: Path) -> None:
    crossings = rows(counted / "crossings.csv")
    for row in crossings:
        assert float(row["y"]) == pytest.approx({"north": 0.3, "south": 0.7}[row["gate"]], abs=1e-4)
        assert min(abs(float(row["x"]) * SIZE[0] - block.left - 18) for block in TRAFFIC) < 2
        assert 0 < float(row["confidence"]) <= 1
    done = [row["movement"] for row in crossings if row["direction"] == "out"]
    assert sorted(done) == ["down"] * 4 + ["up"]
    assert all(row["movement"] == "" for row in crossings if row["direction"] == "in")
    assert len({row["vehicle"] for row in crossings}) == 5


def test_bins_are_aligned_to_the_local_clock(counted: Path) -> None:
    counts = rows(counted / "counts.csv")
    assert list(counts[0]) == [
        "start", "end", "kind", "id", "direction", "class", "count", "observed_seconds",
    ]  # fmt: skip
    bins = {(row["start"], row["end"]): float(row["observed_seconds"]) for row in counts}
    assert bins == {
        ("2026-03-10T00:15:00.000Z", "2026-03-10T00:30:00.000Z"): 4.0,
        ("2026-03-10T00:30:00.000Z", "2026-03-10T00:45:00.000Z"): pytest.approx(3.96),  # 07:30 in Hà Nội
    }
    expected = Counter(
        (f"2026-03-10T00:{'15' if moment < 4 else '30'}:00.000Z", gate, direction)
        for moment, gate, direction in TRUTH
    )
    got = Counter()
    for row in counts:
        if row["kind"] == "gate" and int(row["count"]):
            got[row["start"], row["id"], row["direction"]] += int(row["count"])
    assert got == expected
    assert gate_total(counts) == len(rows(counted / "crossings.csv")) == 10


def test_every_bin_has_every_gate_movement_and_class(counted: Path) -> None:
    """A table with holes would leave open whether nothing passed or nothing was looked at."""
    counts = rows(counted / "counts.csv")
    classes = {"bicycle", "motorcycle", "car", "bus", "truck", "unknown"}
    keys = {(row["start"], row["kind"], row["id"], row["direction"], row["class"]) for row in counts}
    assert len(counts) == len(keys) == 2 * (2 * 2 + 2) * len(classes)
    assert {row["class"] for row in counts} == classes
    movements = [row for row in counts if row["kind"] == "movement"]
    assert {row["id"] for row in movements} == {"down", "up"}
    assert sum(int(row["count"]) for row in movements) == 5


def test_the_summary_says_what_was_done(counted: Path, clip: Path) -> None:
    summary = read_json(counted / "summary.json")
    assert summary["source"] == str(clip)
    assert summary["source_sha256"] == sha256(clip.read_bytes()).hexdigest()
    assert (summary["kind"], summary["codec"], summary["size"]) == ("video", "h264", list(SIZE))
    assert summary["start"] == "2026-03-10T00:29:56.000Z"
    assert summary["end"] == "2026-03-10T00:30:03.960Z"
    assert (summary["start_from"], summary["time_zone"]) == ("file name", "Asia/Ho_Chi_Minh")
    assert (summary["model"], summary["model_sha256"]) == ("motion", None)
    assert summary["view"] == {
        "file": "view.yaml", "version": 1, "name": "Ngã tư thử [1]", "proposed": False,
    }  # fmt: skip
    frames = summary["frames"]
    assert (frames["read"], frames["delivered"]) == (200, 200)
    assert not any(frames[key] for key in ("skipped", "undecodable", "damaged", "out_of_order", "gaps"))
    assert summary["crossings"] == 10
    assert (summary["stopped_early"], summary["error"]) == (False, None)
    assert summary["frames_per_s"] == pytest.approx(200 / summary["elapsed_s"], rel=0.05)
    assert summary["versions"]["ngatu"] == version("ngatu")
    assert {"python", "numpy", "onnxruntime", "opencv-python-headless", "av"} <= set(summary["versions"])


def test_the_tracks_are_kept(counted: Path) -> None:
    stored = TrackFile(counted / "tracks.parquet")
    assert stored.size == SIZE
    frames = list(stored)
    assert [index for index, _, _ in frames] == list(range(200))
    assert [time for _, time, _ in frames] == pytest.approx([START + n / FPS for n in range(200)], abs=1e-6)
    assert max(len(tracks) for _, _, tracks in frames) >= 2
    assert (counted / "tracks.parquet").stat().st_size < 40_000


def test_our_own_detector_runs(clip: Path, view: Path, tmp_path: Path, ngatu: Ngatu) -> None:
    out = tmp_path / "out"
    ran = ngatu("count", clip, "--view", view, "--out", out, "--duration", 1)
    assert (ran.code, ran.err) == (0, "")
    written = {path.name for path in out.iterdir()}
    assert written == {"crossings.csv", "counts.csv", "incidents.csv", "tracks.parquet", "summary.json"}
    summary = read_json(out / "summary.json")
    assert summary["provider"] in ("cpu", "openvino")  # the quicker one here, as the grade is
    assert summary["model"] in ("ngatu-n@640x352", "ngatu-n-int8@640x352")
    assert f"detector: {summary['model']}" in ran.out
    assert len(summary["model_sha256"]) == 64


# --- Bins -----------------------------------------------------------------------------------------------


def test_a_bin_that_was_not_observed_has_no_count(
    view: Path, tmp_path: Path, make_clip: MakeClip, ngatu: Ngatu
) -> None:
    """A recorder paused for two minutes: nobody knows what passed in the meantime."""
    clip, out = tmp_path / NAME, tmp_path / "out"
    times = [n / FPS if n < 100 else 140 + n / FPS for n in range(FPS * SECONDS)]
    make_clip(clip, [drawn(TRAFFIC, n) for n in range(FPS * SECONDS)], FPS, times=times)
    ran = ngatu("count", clip, "--model", "motion", "--view", view, "--out", out, "--interval", "60s")
    assert (ran.code, ran.err) == (0, "")
    assert "1 gaps" in ran.out or "1 gap" in ran.out
    counts = rows(out / "counts.csv")
    observed = {row["start"][11:19]: float(row["observed_seconds"]) for row in counts}
    assert observed == {
        "00:29:00": pytest.approx(3.96), "00:30:00": 0.0, "00:31:00": 0.0, "00:32:00": pytest.approx(3.96),
    }  # fmt: skip
    for row in counts:
        assert (row["count"] == "") == (row["observed_seconds"] == "0.00")
    assert gate_total(counts) == len(rows(out / "crossings.csv")) > 0
    # The same without the video: the gap is known to the stored tracks.
    again = ngatu("recount", out / "tracks.parquet", view, "--out", tmp_path / "again", "--interval", "60s")
    assert again.code == 0
    assert (tmp_path / "again" / "counts.csv").read_bytes() == (out / "counts.csv").read_bytes()


def test_a_crossing_between_two_frames_counts_in_the_gap_between_them(tmp_path: Path) -> None:
    """The sum of the rows is the number of crossings, whatever the bins."""
    view = View.model_validate({"gates": [{"id": "g", "line": [[0, 0.5], [1, 0.5]]}]})
    bins = clock_bins(observed_spans(0.0, 4.0, [(0.9, 2.1)]), 1.0, "UTC")
    crossing = Crossing(1.5, "g", "in", VehicleClass.CAR, 0.9, (0.5, 0.5), 1)
    write_counts(tmp_path / "counts.csv", [crossing], view, bins)
    counts = rows(tmp_path / "counts.csv")
    assert gate_total(counts) == 1
    assert [row["count"] for row in counts if (row["direction"], row["class"]) == ("in", "car")] == [
        "0", "1", "0", "0",
    ]  # fmt: skip
    assert {row["count"] for row in counts if row["class"] == "bus"} == {"0", ""}


@pytest.mark.parametrize(
    ("zone", "length", "first", "starts"),
    [
        pytest.param("Asia/Ho_Chi_Minh", "15min", "00:31", ["00:30", "00:45", "01:00"], id="quarters"),
        pytest.param("Asia/Ho_Chi_Minh", "1h", "00:31", ["00:00", "01:00"], id="hours"),
        pytest.param("Asia/Kolkata", "1h", "00:35", ["00:30"], id="hours where they begin at half past"),
        pytest.param("Asia/Kathmandu", "15min", "00:31", ["00:30", "00:45", "01:00"], id="quarter zone"),
        pytest.param("Asia/Ho_Chi_Minh", "30min", "16:50", ["16:30", "17:00"], id="over midnight"),
    ],
)
def test_bins_follow_the_clock_of_the_zone(zone: str, length: str, first: str, starts: list[str]) -> None:
    begin = datetime.fromisoformat(f"2026-03-10T{first}:00+00:00").timestamp()
    bins = clock_bins([(begin, begin + 1800)], parse_interval(length), zone)
    assert [f"{datetime.fromtimestamp(start, UTC):%H:%M}" for start, _, _ in bins] == starts
    assert all(end - start == parse_interval(length) for start, end, _ in bins)
    assert sum(observed for _, _, observed in bins) == pytest.approx(1800)


def test_bins_stand_by_the_clock_on_the_day_it_changes() -> None:
    """Clocks in Berlin went from 02:00 to 03:00 that morning: six o'clock came five hours after midnight."""
    begin = datetime.fromisoformat("2026-03-29T07:30:00+02:00").timestamp()
    ((start, end, observed),) = clock_bins([(begin, begin + 600)], parse_interval("6h"), "Europe/Berlin")
    assert datetime.fromtimestamp(start, UTC).isoformat() == "2026-03-29T04:00:00+00:00"
    assert (end - start, observed) == (6 * 3600, 600)


@pytest.mark.parametrize(
    ("text", "seconds"), [("60s", 60), ("5min", 300), ("15min", 900), ("1h", 3600), ("24h", 86400)]
)
def test_an_interval(text: str, seconds: float) -> None:
    assert parse_interval(text) == seconds


@pytest.mark.parametrize(
    "text", ["", "15", "min", "-5min", "0s", "7min", "1.5h", "2 days", "48h", "١s", "²s"]
)
def test_what_is_no_interval(text: str) -> None:
    with pytest.raises(NgatuError, match="divides a day"):
        parse_interval(text)


# --- Counting stored tracks again -----------------------------------------------------------------------


@pytest.mark.parametrize("text", [VIEW, EDITED], ids=["same view", "edited view"])
def test_a_recount_equals_a_full_run(
    text: str, counted: Path, clip: Path, tmp_path: Path, ngatu: Ngatu
) -> None:
    view, full, again = tmp_path / "edited.view.yaml", tmp_path / "full", tmp_path / "again"
    view.write_text(text, encoding="utf-8")
    assert ngatu("count", clip, "--model", "motion", "--view", view, "--out", full).code == 0
    ran = ngatu("recount", counted / "tracks.parquet", view, "--out", again)
    assert (ran.code, ran.err) == (0, "")
    assert "10 crossings" in ran.out
    for name in ("crossings.csv", "counts.csv", "incidents.csv"):
        assert (again / name).read_bytes() == (full / name).read_bytes()
    same = (again / "crossings.csv").read_bytes() == (counted / "crossings.csv").read_bytes()
    assert same == (text == VIEW)
    summary = read_json(again / "summary.json")
    assert summary["tracks_sha256"] == sha256((counted / "tracks.parquet").read_bytes()).hexdigest()
    assert summary["about_tracks"]["source"] == str(clip)
    assert (summary["frames"]["delivered"], summary["crossings"]) == (200, 10)


def test_a_recount_lies_beside_the_tracks_and_keeps_their_time_zone(
    clip: Path, view: Path, tmp_path: Path, ngatu: Ngatu
) -> None:
    out, hours = tmp_path / "out", ("--interval", "1h")
    zone = ("--tz", "Asia/Kolkata")
    assert ngatu("count", clip, "--model", "motion", "--view", view, "--out", out, *hours, *zone).code == 0
    assert ngatu("recount", out / "tracks.parquet", view, *hours).code == 0
    again = out / "recount-view" / "counts.csv"
    assert again.read_bytes() == (out / "counts.csv").read_bytes()
    assert {row["start"][11:16] for row in rows(again)} == {"01:30"}  # 07:00 there


# --- Without a view -------------------------------------------------------------------------------------


def test_without_a_view_one_is_proposed_and_said_so(clip: Path, tmp_path: Path, ngatu: Ngatu) -> None:
    out = tmp_path / "out"
    ran = ngatu("count", clip, "--model", "motion", "--out", out, "--annotate")
    assert (ran.code, ran.err) == (0, "")
    assert f"no --view was given: proposed one, see {out / 'view.yaml'} and view.png beside it" in ran.out
    proposed = load_view(out / "view.yaml")
    assert proposed.proposed
    assert cv2.imread(str(out / "view.png")).shape == (SIZE[1], SIZE[0], 3)
    assert read_json(out / "summary.json")["view"]["file"] == str(out / "view.yaml")
    crossings = rows(out / "crossings.csv")
    assert len(crossings) >= 5
    assert gate_total(rows(out / "counts.csv")) == len(crossings)
    assert frames_in(out / "annotated.mp4") == ("h264", 200)
    # What was proposed is what is in the file.
    assert ngatu("recount", out / "tracks.parquet", out / "view.yaml").code == 0
    again = out / "recount-view" / "crossings.csv"
    assert again.read_bytes() == (out / "crossings.csv").read_bytes()


def test_a_view_that_was_edited_is_never_written_over(clip: Path, tmp_path: Path, ngatu: Ngatu) -> None:
    out = tmp_path / "out"
    arguments = ("count", clip, "--model", "motion", "--out", out)
    assert ngatu(*arguments).code == 0
    untouched = (out / "view.yaml").read_text(encoding="utf-8")
    assert ngatu(*arguments).code == 0
    assert [path.name for path in sorted(out.glob("view*"))] == ["view.png", "view.yaml"]
    edited = untouched.replace("id: ", "name: của tôi\n  id: ", 1)
    (out / "view.yaml").write_text(edited, encoding="utf-8")
    ran = ngatu(*arguments)
    assert (out / "view.yaml").read_text(encoding="utf-8") == edited
    assert (out / "view-2.yaml").read_text(encoding="utf-8") == untouched
    assert f"see {out / 'view-2.yaml'}" in ran.out
    # Counting with a proposal proposes none.
    ran = ngatu(*arguments, "--view", out / "view.yaml")
    assert "proposed one" not in ran.out
    assert (out / "view.yaml").read_text(encoding="utf-8") == edited
    assert not (out / "view-3.yaml").exists()


def test_where_nothing_moves_it_says_so_and_writes_the_rest(
    still: Path, tmp_path: Path, ngatu: Ngatu
) -> None:
    out = tmp_path / "out"
    ran = ngatu("count", still, "--model", "motion", "--out", out)
    assert ran.code == 1
    assert ran.err == (
        "ngatu: too little moves in this clip to propose gates; draw a view, or give a longer clip with "
        "traffic\n"
    )
    assert "too little moves" not in ran.out  # once is enough
    assert rows(out / "crossings.csv") == []
    assert len(list(TrackFile(out / "tracks.parquet"))) == 50
    summary = read_json(out / "summary.json")
    assert (summary["view"], summary["frames"]["delivered"]) == (None, 50)
    assert summary["error"].startswith("too little moves")


def test_where_nothing_moves_a_view_gets_its_zeros(
    still: Path, view: Path, tmp_path: Path, ngatu: Ngatu
) -> None:
    out = tmp_path / "out"
    ran = ngatu("count", still, "--model", "motion", "--view", view, "--out", out)
    assert (ran.code, ran.err) == (0, "")
    assert {row["count"] for row in rows(out / "counts.csv")} == {"0"}


# --- Options --------------------------------------------------------------------------------------------


def test_annotate_writes_a_video_of_as_many_frames(
    clip: Path, view: Path, tmp_path: Path, ngatu: Ngatu
) -> None:
    out = tmp_path / "out"
    arguments = ("count", clip, "--model", "motion", "--view", view, "--out", out, "--annotate")
    assert ngatu(*arguments, "--duration", 3).code == 0
    assert read_json(out / "summary.json")["frames"]["delivered"] == 76
    assert frames_in(out / "annotated.mp4") == ("h264", 76)


def test_fps_and_start(clip: Path, view: Path, tmp_path: Path, ngatu: Ngatu) -> None:
    out = tmp_path / "out"
    arguments = ("count", clip, "--model", "motion", "--view", view, "--out", out, "--fps", 12.5)
    assert ngatu(*arguments, "--start", "2026-07-01T17:05:00").code == 0
    summary = read_json(out / "summary.json")
    assert (summary["start"], summary["start_from"]) == ("2026-07-01T10:05:00.000Z", "argument")
    assert (summary["frames"]["delivered"], summary["frames"]["skipped"]) == (100, 100)
    crossings = rows(out / "crossings.csv")
    begin = epoch("2026-07-01T10:05:00.000Z")
    assert [(row["gate"], row["direction"]) for row in crossings] == [each[1:] for each in TRUTH]
    for row, (truth, *_) in zip(crossings, TRUTH, strict=True):
        assert epoch(row["time"]) - begin == pytest.approx(truth, abs=1 / FPS)


@pytest.mark.parametrize(
    ("options", "start"),
    [
        pytest.param(["--tz", "UTC"], "2026-03-10T07:29:56.000Z", id="zone of the file name"),
        pytest.param(["--start", "2026-03-10T12:00:00+0200"], "2026-03-10T10:00:00.000Z", id="own offset"),
        pytest.param(["--start", "2026-03-10 12:00:00"], "2026-03-10T05:00:00.000Z", id="with a space"),
    ],
)
def test_the_start(
    options: list[str], start: str, still: Path, view: Path, tmp_path: Path, ngatu: Ngatu
) -> None:
    out = tmp_path / "out"
    arguments = ("count", still, "--model", "motion", "--view", view, "--out", out, "--duration", 0.2)
    assert ngatu(*arguments, *options).code == 0
    assert read_json(out / "summary.json")["start"] == start


def test_names_with_brackets(still: Path, view: Path, tmp_path: Path, ngatu: Ngatu) -> None:
    """Brackets are no markup, and a long path stays on one line."""
    clip, out = tmp_path / "cam[red] 1.mp4", tmp_path / ("out[/b] " + "long" * 30)
    clip.write_bytes(still.read_bytes())
    arguments = ("count", clip, "--model", "motion", "--view", view, "--out", out)
    ran = ngatu(*arguments, "--start", "2026-03-10T12:00:00")
    assert (ran.code, ran.err) == (0, "")
    assert f"results in {out}\n" in ran.out


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The clip as numbered images."""
    path = tmp_path / "images_20260310_072956"
    path.mkdir()
    for number in range(FPS * SECONDS):
        cv2.imwrite(str(path / f"frame{number}.jpg"), drawn(TRAFFIC, number))
    return path


def test_a_folder_of_images(folder: Path, view: Path, tmp_path: Path, ngatu: Ngatu) -> None:
    out = tmp_path / "out"
    ran = ngatu("count", folder, "--model", "motion", "--view", view, "--out", out, "--fps", FPS)
    assert (ran.code, ran.err) == (0, "")
    got = [(epoch(row["time"]) - START, row["gate"], row["direction"]) for row in rows(out / "crossings.csv")]
    assert [each[1:] for each in got] == [each[1:] for each in TRUTH]
    assert [each[0] for each in got] == pytest.approx([each[0] for each in TRUTH], abs=0.5 / FPS)
    summary = read_json(out / "summary.json")
    assert (summary["kind"], summary["source_sha256"], summary["codec"]) == ("images", None, "jpg")


def test_what_was_counted_before_a_source_failed_is_written(
    folder: Path, view: Path, tmp_path: Path, ngatu: Ngatu
) -> None:
    out = tmp_path / "out"
    (folder / "frame150.jpg").write_bytes(b"\xff\xd8 half a picture")
    ran = ngatu("count", folder, "--model", "motion", "--view", view, "--out", out, "--fps", FPS)
    assert ran.code == 1
    assert_one_sentence(ran, "frame150.jpg cannot be read as an image")
    crossings = rows(out / "crossings.csv")
    before = [each for each in TRUTH if each[0] < 5.8]
    assert [(row["gate"], row["direction"]) for row in crossings[: len(before)]] == [b[1:] for b in before]
    assert gate_total(rows(out / "counts.csv")) == len(crossings)
    assert len(list(TrackFile(out / "tracks.parquet"))) == 150
    assert "frame150.jpg" in read_json(out / "summary.json")["error"]


@pytest.mark.rtsp
def test_a_camera(rtsp_server: RtspServer, view: Path, tmp_path: Path, ngatu: Ngatu) -> None:
    out, before = tmp_path / "out", time.time()
    address = f"rtsp://{rtsp_server.user}:{rtsp_server.password}@{rtsp_server.protected}"
    arguments = ("count", address, "--model", "motion", "--view", view, "--out", out)
    ran = ngatu(*arguments, "--duration", 3)
    assert ran.code == 0, ran.err
    summary = read_json(out / "summary.json")
    assert (summary["kind"], summary["start_from"]) == ("rtsp", "clock")
    begin, end = epoch(summary["start"]), epoch(summary["end"])
    assert before - 1 < begin < time.time()
    assert 3 <= end - begin < 3.2
    assert len(list(TrackFile(out / "tracks.parquet"))) == summary["frames"]["delivered"] > 50
    assert rtsp_server.password not in ran.out + ran.err
    for path in out.iterdir():
        assert rtsp_server.password.encode() not in path.read_bytes()


@pytest.mark.rtsp
def test_a_camera_without_a_view_cannot_be_annotated(
    rtsp_server: RtspServer, tmp_path: Path, ngatu: Ngatu
) -> None:
    ran = ngatu(
        "count", rtsp_server.open_address, "--annotate", "--out", tmp_path / "out", "--model", "motion"
    )
    assert ran.code == 1
    assert_one_sentence(ran, "needs --view")


# --- Ctrl-C ---------------------------------------------------------------------------------------------


def test_ctrl_c_leaves_complete_files(folder: Path, view: Path, tmp_path: Path, ngatu: Ngatu) -> None:
    for number in range(FPS * SECONDS, 6000):  # the same again and again
        (folder / f"frame{number}.jpg").symlink_to(folder / f"frame{number % (FPS * SECONDS)}.jpg")
    out = tmp_path / "out"
    command = [COMMAND, "count", folder, "--model", "motion", "--view", view, "--fps", str(FPS)]
    with subprocess.Popen(
        [*command, "--out", out, "--annotate"], stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        annotated = out / "annotated.mp4"
        give_up = time.monotonic() + 60
        while not (annotated.exists() and annotated.stat().st_size > 1000):
            assert process.poll() is None, process.communicate()[1]
            assert time.monotonic() < give_up
            time.sleep(0.05)
        process.send_signal(signal.SIGINT)
        said, wrong = process.communicate(timeout=60)
    assert process.returncode == 130
    assert wrong == ""
    assert f"results in {out}" in said
    summary = read_json(out / "summary.json")
    assert summary["stopped_early"]
    frames = list(TrackFile(out / "tracks.parquet"))
    assert 10 < len(frames) == summary["frames"]["delivered"] < 6000
    assert frames_in(annotated) == ("h264", len(frames))
    assert ngatu("recount", out / "tracks.parquet", view, "--out", tmp_path / "again").code == 0
    for name in ("crossings.csv", "counts.csv"):
        assert (tmp_path / "again" / name).read_bytes() == (out / name).read_bytes()
    assert len(rows(out / "crossings.csv")) == summary["crossings"]


# --- Mistakes -------------------------------------------------------------------------------------------


def assert_one_sentence(ran: Ran, problem: str) -> None:
    assert ran.err.startswith("ngatu: ")
    assert ran.err.count("\n") == 1
    assert ran.err.endswith("\n")
    assert problem in ran.err
    assert "Traceback" not in ran.out + ran.err


BROKEN = VIEW.replace("to: south, turn: through}", "to: east, turn: through}", 1)


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        pytest.param(["absent.mp4"], "absent.mp4 does not exist", id="missing file"),
        pytest.param(["text.mp4"], "text.mp4 is not a video", id="not a video"),
        pytest.param(["nothing.mp4"], "nothing.mp4 is empty", id="empty file"),
        pytest.param(["."], "holds no images", id="folder without images"),
        pytest.param(["http://127.0.0.1/cam"], "cannot be opened", id="unknown kind of address"),
        pytest.param(["rtsp://u:p@ss@127.0.0.1:9/x"], "rtsp://***@127.0.0.1:9/x", id="camera that is off"),
        pytest.param(["clip.mp4", "--model", "yolo99"], "No detector is called 'yolo99'", id="unknown model"),
        pytest.param(
            ["clip.mp4", "--view", "broken.yaml"],
            "broken.yaml: line 11: movements.0.to: there is no gate 'east'",
            id="broken view",
        ),
        pytest.param(["clip.mp4", "--view", "absent.yaml"], "absent.yaml: No such file", id="missing view"),
        pytest.param(["clip.mp4", "--interval", "7min"], "--interval '7min'", id="bad interval"),
        pytest.param(["clip.mp4", "--tz", "Hanoi"], "--tz 'Hanoi' is no time zone", id="bad zone"),
        pytest.param(["clip.mp4", "--tz", "Asia"], "--tz 'Asia' is no time zone", id="half a zone"),
        pytest.param(["clip.mp4", "--out", "text.mp4"], "text.mp4", id="out is a file"),
        pytest.param(["clip.mp4", "--out", "text.mp4/out"], "choose another --out", id="out below a file"),
        pytest.param(["clip.mp4", "--out", "taken"], "crossings.csv", id="a result cannot be written"),
        pytest.param(
            ["clip.mp4", "--provider", "tensorrt", "--model", "ngatu-n"],
            "Provider tensorrt is not installed",
            id="provider not installed",
        ),
    ],
)
def test_a_mistake_is_one_sentence(
    arguments: list[str],
    problem: str,
    still: Path,
    tmp_path: Path,
    ngatu: Ngatu,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("clip.mp4").write_bytes(still.read_bytes())
    Path("text.mp4").write_text("no video\n")
    Path("nothing.mp4").touch()
    Path("broken.yaml").write_text(BROKEN, encoding="utf-8")
    Path("taken/crossings.csv").mkdir(parents=True)
    model = [] if "--model" in arguments else ["--model", "motion"]
    ran = ngatu("count", *arguments, *model)
    assert ran.code == 1
    assert_one_sentence(ran, problem)


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        pytest.param(
            ["recount", "absent.parquet", "good.yaml"], "absent.parquet does not exist", id="no tracks"
        ),
        pytest.param(["recount", "text", "good.yaml"], "text is not a file of tracks", id="no parquet"),
        pytest.param(["recount", "tracks.parquet", "broken.yaml"], "broken.yaml: line 11", id="broken view"),
        pytest.param(["recount", "tracks.parquet", "good.yaml", "--tz", "X"], "--tz 'X'", id="bad zone"),
        pytest.param(["recount", "tracks.parquet", "good.yaml", "--out", "text"], "text", id="out is a file"),
        pytest.param(["view", "check", "broken.yaml"], "broken.yaml: line 11", id="check a broken view"),
        pytest.param(["view", "check", "good.yaml", "absent.mp4"], "does not exist", id="check on no clip"),
        pytest.param(["view", "check", "good.yaml", "--out", "x.doc"], "ends in .png", id="no image's name"),
        pytest.param(["view", "new", "absent.mp4"], "absent.mp4 does not exist", id="view of no clip"),
        pytest.param(["models", "check", "yolo99"], "No detector is called 'yolo99'", id="unknown model"),
    ],
)
def test_a_mistake_with_other_commands_is_one_sentence(
    arguments: list[str],
    problem: str,
    counted: Path,
    tmp_path: Path,
    ngatu: Ngatu,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("tracks.parquet").write_bytes((counted / "tracks.parquet").read_bytes())
    Path("text").write_text("no tracks\n")
    Path("good.yaml").write_text(VIEW, encoding="utf-8")
    Path("broken.yaml").write_text(BROKEN, encoding="utf-8")
    ran = ngatu(*arguments)
    assert ran.code == 1
    assert_one_sentence(ran, problem)


def test_the_installed_command_says_its_sentence_too(tmp_path: Path) -> None:
    command = [COMMAND, "count", "absent.mp4"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == "ngatu: absent.mp4 does not exist: check the path.\n"
    assert list(tmp_path.iterdir()) == []


# --- Views and models -----------------------------------------------------------------------------------


def test_view_check_says_what_it_holds_and_draws_it(
    clip: Path, view: Path, tmp_path: Path, ngatu: Ngatu
) -> None:
    ran = ngatu("view", "check", view)
    assert (ran.code, ran.err) == (0, "")
    for words in ("north", "nhánh Bắc", "nhánh Nam [/x]", "Ngã tư thử [1]", "north → south: through"):
        assert words in ran.out
    plain = cv2.imread(str(view.with_suffix(".png")))
    assert plain is not None
    ran = ngatu("view", "check", view, clip, "--out", tmp_path / "a" / "drawn.png")
    assert ran.code == 0
    assert cv2.imread(str(tmp_path / "a" / "drawn.png")).shape == (SIZE[1], SIZE[0], 3)


def test_view_new_proposes_one_and_leaves_a_count_alone(
    clip: Path, tmp_path: Path, ngatu: Ngatu, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    counted = Path("ngatu-out", clip.stem)
    assert ngatu("count", clip, "--model", "motion", "--duration", 5).code == 0
    before = {path: path.read_bytes() for path in counted.iterdir()}
    ran = ngatu("view", "new", clip, "--model", "motion")
    assert (ran.code, ran.err) == (0, "")
    assert {path: path.read_bytes() for path in before} == before
    (written,) = {*Path().rglob("view.yaml")} - {counted / "view.yaml"}
    assert str(written) in ran.out
    assert load_view(written).proposed
    assert written.with_suffix(".png").is_file()


def test_models_list(ngatu: Ngatu, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "200")
    ran = ngatu("models", "list")
    assert ran.code == 0
    for words in ("ngatu-n", "motorcycle", "motion"):
        assert words in ran.out


def test_help_names_every_command(ngatu: Ngatu) -> None:
    ran = ngatu("--help")
    assert ran.code == 0
    for words in ("count", "recount", "view", "models", "demo"):
        assert words in ran.out
