"""Our counts beside a manual count: figures that are known beforehand, and every bad file in one sentence."""

import csv
import io
import json
import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from service.demo import CLIP, VIEW, sample_folder
from service.reports.compare import Comparison, Line, compare, geh
from service.reports.load import load_counted
from service.reports.manual import read_manual
from service.reports.matching import match, most_pairs, score
from service.reports.ratio import true_ratio
from tests.service.reports.conftest import Ngatu
from tests.service.reports.junctions import Passing, counted, quarters, stamp, write_folder
from vision import VehicleClass, load_view
from vision.accuracy import Event, match_events, read_events

TRUTH = Path(__file__).parents[2] / "truth"


def manual_events(path: Path, rows: list[Passing], covered: str | None = "0-3600") -> Path:
    """A hand count in seconds from the start of the clip."""
    lines = [f"# counted: {covered}"] if covered else []
    lines += ["time_s,gate,direction,class,movement,sure,note"]
    lines += [f"{time},{gate},{direction},{kind},{move},yes," for time, gate, direction, kind, move in rows]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def line_of(result: Comparison, kind: str, name: str = "", direction: str = "") -> Line:
    (line,) = (
        each for each in result.lines if (each.kind, each.id, each.direction) == (kind, name, direction)
    )
    return line


def compared(ours: list[Passing], manual: Path, end: float = 3600, interval: float = 900) -> Comparison:
    count = counted(ours, [(0, end)])
    return compare(count, read_manual(manual, count, interval), interval)


# --- Figures known beforehand ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("model", "count", "expected"),
    [(1100, 1000, 3.09), (1000, 1100, 3.09), (0, 0, 0.0), (50, 0, 10.0), (1200, 1200, 0.0), (90, 160, 6.26)],
)
def test_geh(model: float, count: float, expected: float) -> None:
    assert round(geh(model, count), 2) == expected


def test_volumes_by_quarter(tmp_path: Path) -> None:
    """One quarter too many by 2, one too few by 2: no bias, yet 10 % wrong."""
    manual = manual_events(tmp_path / "m.csv", quarters([10, 10, 10, 10]))
    result = compared(quarters([12, 8, 10, 10]), manual)
    every = line_of(result, "all")
    assert (every.manual, every.ours, every.bias, every.wape) == (40, 40, 0.0, 0.1)
    assert every.geh == (0.0,)
    assert result.geh_share == 1.0
    gate = line_of(result, "gate", "north", "in")
    assert (gate.manual, gate.ours, gate.wape, gate.geh) == (40, 40, 0.1, (0.0,))
    assert not [each for each in result.lines if each.direction == "out"], "neither has any"


def test_what_one_counted_stands_for(tmp_path: Path) -> None:
    """Eight quarters: 1.05 true for each counted; the range is Student's, by the quarters' scatter."""
    true, ours = [21, 20, 22, 21, 20, 22, 21, 21], [20] * 8
    rows = [f"{stamp(900 * n)},north,in,motorcycle,{vehicles}" for n, vehicles in enumerate(true)]
    manual = tmp_path / "m.csv"
    manual.write_text("start,gate,direction,class,count\n" + "\n".join(rows) + "\n", encoding="utf-8")
    ratio = line_of(compared(quarters(ours), manual, end=7200), "gate", "north", "in").ratio
    assert ratio is not None
    assert ratio.value == pytest.approx(1.05)
    reach = 2.3646 * math.sqrt(8 * 4 / 7) / 160  # t of 7 degrees of freedom; squares of residuals add up to 4
    assert (ratio.low, ratio.high) == (
        pytest.approx(1.05 - reach, abs=1e-4),
        pytest.approx(1.05 + reach, abs=1e-4),
    )


def test_a_check_without_a_difference_is_not_certain() -> None:
    """Of 250 vehicles none missed: about 3 in 250 may be."""
    ratio = true_ratio(np.full(10, 25), np.full(10, 25))
    assert ratio is not None
    assert (ratio.value, ratio.low, ratio.high) == (
        1.0,
        pytest.approx(0.99, abs=0.003),
        pytest.approx(1.01, abs=0.003),
    )


def test_less_than_five_minutes_say_nothing_of_other_counts(tmp_path: Path) -> None:
    manual = manual_events(
        tmp_path / "m.csv", [(n * 10.0, "north", "in", "car", "") for n in range(24)], "0-240"
    )
    passings = [(n * 10.0, "north", "in", "car", "") for n in range(24)]
    assert line_of(compared(passings, manual, end=240), "all").ratio is None


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 10_000), share=st.floats(0.7, 1.0))
def test_the_range_holds_the_true_ratio_about_as_often_as_it_says(seed: int, share: float) -> None:
    """Of 200 checks of ten minutes, each vehicle counted with the same chance; less often if that is high."""
    random = np.random.default_rng(seed)
    held = 0
    for _ in range(200):
        true = random.poisson(25, 10)
        ratio = true_ratio(true, random.binomial(true, share))
        assert ratio is not None
        held += ratio.low <= 1 / share <= ratio.high
    assert held >= 150, "90 to 95 % of 200 are 180 to 190"


def test_signed_bias_and_geh_of_hours(tmp_path: Path) -> None:
    manual = manual_events(tmp_path / "m.csv", quarters([25] * 8), covered="0-7200")
    result = compared(quarters([30] * 4 + [20] * 4), manual, end=7200)
    line = line_of(result, "gate", "north", "in")
    assert (line.manual, line.ours, line.bias, line.wape) == (200, 200, 0.0, 0.2)
    assert line.geh == (pytest.approx(math.sqrt(2 * 400 / 220)), pytest.approx(math.sqrt(2 * 400 / 180)))
    down = compared(quarters([20] * 8), manual, end=7200)
    assert line_of(down, "all").bias == pytest.approx(-0.2)


def test_an_hour_goes_on_from_one_recording_to_the_next(tmp_path: Path) -> None:
    manual = manual_events(tmp_path / "m.csv", quarters([10] * 4))
    count = counted(quarters([10] * 4), [(0, 1799.96), (1800, 3599.96)])
    result = compare(count, read_manual(manual, count, 900), 900)
    assert line_of(result, "all").geh == (0.0,)
    torn = counted(quarters([10] * 4), [(0, 1790), (1800, 3600)])
    assert line_of(compare(torn, read_manual(manual, torn, 900), 900), "all").geh == ()


def test_geh_needs_an_hour(tmp_path: Path) -> None:
    """Less is not scaled up: the table says why there is none."""
    manual = manual_events(tmp_path / "m.csv", quarters([10, 10]), covered="0-1800")
    result = compared(quarters([10, 10]), manual, end=3600)
    assert line_of(result, "all").geh == ()
    assert result.geh_share is None
    (note,) = (note for note in result.notes if note.key == "no_geh")
    assert note.values["minutes"] == 30


def test_events_are_matched_one_to_one_within_each_window(tmp_path: Path) -> None:
    truth: list[Passing] = [
        (10.0, "north", "in", "car", ""),
        (20.0, "north", "in", "motorcycle", ""),
        (30.0, "north", "out", "car", ""),
        (40.0, "south", "in", "bus", ""),
    ]
    ours: list[Passing] = [
        (10.4, "north", "in", "car", ""),  # right
        (10.45, "north", "in", "car", ""),  # the same once more
        (20.8, "north", "in", "car", ""),  # late, and of another class
        (30.0, "north", "in", "car", ""),  # the wrong direction
    ]
    result = compared(ours, manual_events(tmp_path / "m.csv", truth, "0-60"), end=60)
    wide, narrow = line_of(result, "all").events
    assert (wide.window, wide.matched, wide.precision, wide.recall, wide.f1) == (1.0, 2, 0.5, 0.5, 0.5)
    assert (narrow.window, narrow.matched, narrow.f1) == (0.5, 1, 0.25)
    assert (wide.classed, wide.class_right) == (2, 1)
    south = line_of(result, "gate", "south", "in").events[0]
    assert (south.precision, south.recall, south.f1) == (None, 0.0, 0.0)
    cars = line_of(result, "class", "car").events[0]
    assert (cars.manual, cars.ours, cars.matched) == (2, 4, 1)


def test_what_the_person_could_not_class_says_nothing_against_our_class(tmp_path: Path) -> None:
    truth = [(10.0, "north", "in", "unknown", ""), (20.0, "north", "in", "car", "")]
    ours = [(10.0, "north", "in", "car", ""), (20.0, "north", "in", "car", "")]
    result = compared(ours, manual_events(tmp_path / "m.csv", truth, "0-60"), end=60)
    assert line_of(result, "class", "car").events[1].f1 == 1.0
    assert line_of(result, "class", "unknown").events == ()
    every = line_of(result, "all").events[1]
    assert (every.matched, every.classed, every.class_right) == (2, 1, 1)


def test_movements(tmp_path: Path) -> None:
    truth = [(t, "south", "out", "car", "north-south") for t in (10.0, 20.0)]
    ours = [(10.1, "south", "out", "car", "north-south"), (20.1, "south", "out", "car", "")]
    result = compared(ours, manual_events(tmp_path / "m.csv", truth, "0-60"), end=60)
    line = line_of(result, "movement", "north-south")
    assert (line.manual, line.ours, line.events[1].recall) == (2, 1, 0.5)
    assert line_of(result, "all").manual == 2, "a vehicle is not counted again for its movement"


def test_the_score_of_chance(tmp_path: Path) -> None:
    """A vehicle a second: counts at any times whatever score high, and the table shows it."""
    dense = [(n + 0.5, "north", "in", "motorcycle", "") for n in range(300)]
    random = np.random.default_rng(5)
    anyhow = [(float(t), "north", "in", "motorcycle", "") for t in sorted(random.uniform(0, 300, 300))]
    result = compared(anyhow, manual_events(tmp_path / "m.csv", dense, "0-300"), end=300)
    wide = line_of(result, "all").events[0]
    assert wide.f1 is not None
    assert wide.chance is not None
    assert wide.chance > 0.7
    assert wide.f1 == pytest.approx(wide.chance, abs=0.1)
    sparse = compared(dense[::50], manual_events(tmp_path / "s.csv", dense[::50], "0-300"), end=300)
    few = line_of(sparse, "all").events[1]
    assert few.f1 == 1.0
    assert few.chance is not None
    assert few.chance < 0.2


# --- What is compared -----------------------------------------------------------------------------------


def test_only_what_both_watched_is_compared(tmp_path: Path) -> None:
    """Our gap is no loss of ours, and what we counted after the person had left is not false."""
    rows = [(float(t), "north", "in", "car", "") for t in range(5, 100, 10)]
    manual = manual_events(tmp_path / "m.csv", [row for row in rows if row[0] < 60], "0-60")
    count = counted([row for row in rows if not 20 < row[0] < 40], [(0, 20), (40, 100)])
    result = compare(count, read_manual(manual, count, 900), 900)
    line = line_of(result, "all")
    assert (line.manual, line.ours, line.events[1].f1) == (4, 4, 1.0)
    assert [note.values for note in result.notes if note.key == "events_unseen"] == [{"count": 2}]


def test_a_stretch_is_written_with_two_digits(tmp_path: Path) -> None:
    manual = manual_events(
        tmp_path / "m.csv", [(5.0, "north", "in", "car", ""), (9.994, "north", "in", "car", "")]
    )
    text = manual.read_text().replace("0-3600", "5.00-9.99")
    manual.write_text(text)
    assert line_of(compared([(5.0, "north", "in", "car", "")], manual), "all").manual == 1


def test_gates_that_the_person_did_not_watch_are_left_out(tmp_path: Path) -> None:
    manual = manual_events(tmp_path / "m.csv", [(5.0, "north", "in", "car", "")], "0-60")
    result = compared([(5.0, "north", "in", "car", ""), (6.0, "east", "in", "car", "")], manual, end=60)
    assert line_of(result, "all").ours == 1
    assert [note.values["gates"] for note in result.notes if note.key == "gates_left_out"] == ["east"]


def test_without_a_stretch_it_runs_from_the_first_to_the_last_event(tmp_path: Path) -> None:
    rows = [(10.0, "north", "in", "car", ""), (50.0, "north", "in", "car", "")]
    manual = manual_events(tmp_path / "m.csv", rows, None)
    result = compared([(5.0, "north", "in", "car", ""), *rows], manual, end=60)
    assert line_of(result, "all").ours == 2
    assert "stretch_assumed" in [note.key for note in result.notes]


@pytest.mark.parametrize(
    "time",
    [
        pytest.param("65", id="seconds from the start"),
        pytest.param("2026-03-10T06:31:05", id="local"),
        pytest.param("2026-03-10 06:31:05", id="with a space"),
        pytest.param("2026-03-09T23:31:05Z", id="UTC"),
        pytest.param("2026-03-10T00:31:05+01:00", id="another zone"),
        pytest.param("06:31:05", id="time of day"),
    ],
)
def test_a_moment_may_be_written_in_many_ways(time: str, tmp_path: Path) -> None:
    path = tmp_path / "m.csv"
    path.write_text(f"time;gate;direction;class\n{time};north;in;xe máy\n", encoding="utf-8-sig")
    count = counted([(65.0, "north", "in", "motorcycle", "")], [(0, 600)])
    manual = read_manual(path, count, 900)
    assert manual.entries.time[0] - count.spans[0, 0] == 65
    assert manual.entries.class_id.tolist() == [VehicleClass.MOTORCYCLE]


def test_a_time_of_day_after_midnight_is_the_next_day(tmp_path: Path) -> None:
    path = tmp_path / "m.csv"
    path.write_text("time,gate,direction,class\n00:05,north,in,car\n")
    count = counted([], [(17 * 3600, 18 * 3600)])  # 23:30 to 00:30
    assert read_manual(path, count, 900).entries.time[0] - count.spans[0, 0] == 35 * 60


# --- Counts by interval ---------------------------------------------------------------------------------


def test_counts_by_interval(tmp_path: Path) -> None:
    """An empty cell was not counted and is not compared; nor is a quarter that we saw in part."""
    path = tmp_path / "m.csv"
    path.write_text(
        "start,gate,direction,class,count\n"
        "06:30,north,in,motorcycle,10\n"
        "06:30,north,in,car,1\n"
        "06:45,north,in,motorcycle,10\n"
        "07:00,north,in,motorcycle,\n"
        "07:15,north,in,motorcycle,10\n"
        "07:30,north,in,motorcycle,5\n"
    )
    result = compared([*quarters([9, 10, 77, 12, 3]), (100.0, "north", "in", "car", "")], path, end=3900)
    every = line_of(result, "all")
    assert (every.manual, every.ours) == (31, 32)
    assert every.wape == pytest.approx(3 / 31)
    assert every.events == ()
    assert every.geh == ()
    assert line_of(result, "class", "motorcycle").manual == 30
    assert [note.values for note in result.notes if note.key == "bins_unseen"] == [{"count": 1, "all": 5}]


def test_counts_of_all_classes_and_of_both_directions(tmp_path: Path) -> None:
    path = tmp_path / "m.csv"
    path.write_text(
        "start,gate,count\n" + "".join(f"0{6 + n // 4}:{n % 4 * 15:02},north,20\n" for n in range(2, 6))
    )
    ours = [*quarters([15] * 4), *((t, g, "out", k, m) for t, g, _, k, m in quarters([5] * 4))]
    result = compared(ours, path)
    line = line_of(result, "gate", "north")
    assert (line.manual, line.ours, line.geh) == (80, 80, (0.0,))
    assert not [each for each in result.lines if each.kind == "class"]


def test_counts_of_movements(tmp_path: Path) -> None:
    path = tmp_path / "m.csv"
    path.write_text(
        "start,end,movement,class,count\n06:30,07:30,north-south,car,4\n06:30,07:30,south-west,car,0\n"
    )
    ours = [(60.0 * n, "south", "out", "car", "north-south") for n in range(1, 6)]
    result = compared(ours, path)
    assert line_of(result, "movement", "north-south").geh == (pytest.approx(math.sqrt(2 / 9)),)
    assert line_of(result, "all").ours == 5


def test_intervals_that_make_no_hours_have_no_geh(tmp_path: Path) -> None:
    path = tmp_path / "m.csv"
    path.write_text("start,end,gate,count\n06:30,08:30,north,8\n")
    result = compared(quarters([1] * 8), path, end=7200)
    assert line_of(result, "all").geh == ()
    assert "no_geh_intervals" in [note.key for note in result.notes]


# --- A file beside itself, and real ones ----------------------------------------------------------------


def perfect(result: Comparison) -> bool:
    return all(
        line.manual == line.ours
        and line.bias in (0.0, None)
        and line.wape in (0.0, None)
        and all(value == 0 for value in line.geh)
        and all(scored.f1 in (1.0, None) for scored in line.events)
        for line in result.lines
    )


def test_a_count_beside_itself_is_perfect(tmp_path: Path, ngatu: Ngatu) -> None:
    rows = [*quarters([9, 10, 12, 8, 3]), (1000.0, "south", "out", "car", "north-south")]
    folder = write_folder(tmp_path / "x", sorted(rows), end=4500)
    count = load_counted([folder])
    assert perfect(compare(count, read_manual(folder / "crossings.csv", count, 900), 900))
    assert ngatu("report", folder, "--out", tmp_path / "bins.csv").code == 0
    by_bins = compare(count, read_manual(tmp_path / "bins.csv", count, 900), 900)
    assert perfect(by_bins)
    assert line_of(by_bins, "all").ours == len(rows)


@pytest.mark.parametrize(
    "name", sorted(path.name.removesuffix(".view.yaml") for path in TRUTH.glob("*.view.yaml"))
)
def test_each_hand_count_beside_itself_is_perfect(name: str, tmp_path: Path) -> None:
    """All hand counts of real clips can be read, gates, notes, unknown classes and all."""
    events = read_events(TRUTH / f"{name}.csv")
    rows: list[Passing] = [(e.time, e.gate, e.direction, e.vehicle_class.label, "") for e in events]
    folder = write_folder(tmp_path / "x", rows, end=100, view=None)
    view = load_view(TRUTH / f"{name}.view.yaml")
    count = load_counted([folder], TRUTH / f"{name}.view.yaml")
    assert count.site == (view.name or "x")
    result = compare(count, read_manual(TRUTH / f"{name}.csv", count, 900), 900)
    assert perfect(result)
    assert line_of(result, "all").ours == len(events)
    half = replace(count, crossings=count.crossings[np.arange(len(events)) % 2 == 0])
    recall = (
        line_of(compare(half, read_manual(TRUTH / f"{name}.csv", half, 900), 900), "all").events[1].recall
    )
    assert recall == pytest.approx(0.5, abs=0.06)


def test_the_sample_clips_truth_beside_itself() -> None:
    folder = sample_folder()
    path = folder / f"{CLIP}.crossings.csv"
    count = load_counted([path], folder / VIEW)
    result = compare(count, read_manual(path, count, 900), 900)
    assert perfect(result)
    assert line_of(result, "all").manual == 207


events = st.lists(
    st.tuples(st.integers(0, 60), st.sampled_from(("a", "b")), st.sampled_from(("in", "out"))).map(
        lambda each: Event(each[0] / 4, each[1], each[2], VehicleClass.CAR)
    ),
    max_size=14,
)


@settings(deadline=None)
@given(events, events, st.sampled_from((0.5, 1.0)))
def test_matching_in_clusters_finds_what_matching_at_once_does(
    truth: list[Event], ours: list[Event], window: float
) -> None:
    """As many pairs, as close in time, whatever the clusters; and the quick count for chance agrees."""
    pairs, at_once = match(truth, ours, window), match_events(truth, ours, window).pairs
    assert len(pairs) == len(at_once)
    apart = [sum(abs(truth[i].time - ours[j].time) for i, j in each) for each in (pairs, at_once)]
    assert apart[0] == pytest.approx(apart[1])
    quick = sum(
        most_pairs(
            np.sort([e.time for e in truth if (e.gate, e.direction) == line]),
            np.sort([e.time for e in ours if (e.gate, e.direction) == line]),
            window,
        )
        for line in {(e.gate, e.direction) for e in truth}
    )
    assert quick == len(pairs)


def test_chance_is_drawn_in_the_observed_spans_alone() -> None:
    truth = [Event(5.0, "a", "in", VehicleClass.CAR)]
    spans = np.array([[4.9, 5.1], [1004.9, 1005.0]])
    many = [Event(5.0, "a", "in", VehicleClass.CAR)] * 20
    assert score(truth, many, 0.5, spans).by_chance == 1.0


# --- The command ----------------------------------------------------------------------------------------


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return write_folder(tmp_path / "count", quarters([4, 4, 4, 4]), end=3600)


def test_the_command(folder: Path, tmp_path: Path, ngatu: Ngatu) -> None:
    manual = manual_events(tmp_path / "m.csv", quarters([4, 4, 4, 5]))
    for language, said in (("en", "Comparison with a manual count"), ("vi", "So sánh với đếm tay")):
        ran = ngatu("compare", folder, manual, "--language", language)
        assert (ran.code, ran.err) == (0, "")
        assert said in ran.out
        assert "-5.9%" in ran.out
    data = json.loads(ngatu("compare", folder, manual, "--format", "json").out)
    assert data["compared_seconds"] == 3600
    first = data["lines"][0]
    assert (first["kind"], first["manual"], first["ours"], first["geh"]) == ("all", 17, 16, [0.25])
    assert set(first["events"]) == {"1", "0.5"}
    assert first["events"]["0.5"]["precision"] is not None
    ran = ngatu("compare", folder, manual, "--out", tmp_path / "c.csv")
    assert ran.code == 0
    rows = list(csv.DictReader(io.StringIO((tmp_path / "c.csv").read_text(encoding="utf-8"))))
    assert [row["kind"] for row in rows] == ["all", "class", "gate"]
    assert (rows[0]["bias"], rows[0]["geh_max"]) == ("-0.0588", "0.25")


EVENTS = "time,gate,direction,class\n"
BINS = "start,gate,direction,class,count\n"


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        pytest.param("", "is empty", id="empty"),
        pytest.param("moment,gate,direction,class\n", "no column 'time' among moment, gate", id="column"),
        pytest.param("time,gate,direction\n", "no column 'class' among time, gate, direction", id="no class"),
        pytest.param(EVENTS + "25:00,north,in,car\n", "line 2: time: '25:00' is no time of day", id="hour"),
        pytest.param(EVENTS + "noon,north,in,car\n", "line 2: time: 'noon' is no time", id="time"),
        pytest.param(
            EVENTS + "1,up,in,car\n", "line 2: gate: 'up' is not among ours (north, east", id="gate"
        ),
        pytest.param(
            EVENTS + "1,north,up,car\n", "direction: 'up' is neither 'in' nor 'out'", id="direction"
        ),
        pytest.param(EVENTS + "1,north,in,tram\n", "class: 'tram' is no vehicle class", id="class"),
        pytest.param(
            "time,gate,direction,class,movement\n1,north,in,car,n-s\n",
            "movement: 'n-s' is not among",
            id="move",
        ),
        pytest.param(EVENTS, "holds no events", id="no events"),
        pytest.param("# counted: then\n" + EVENTS, "'then' is no stretch", id="stretch"),
        pytest.param("# counted: 60-10\n" + EVENTS, "ends before it begins", id="stretch turned round"),
        pytest.param(
            "# counted: 0-10\n" + EVENTS + "11,north,in,car\n", "1 events lie outside", id="outside"
        ),
        pytest.param(
            EVENTS + "2025-03-10T07:00,north,in,car\n2025-03-10T08:00,north,in,car\n",
            "no moment was counted by both: the manual count holds 2025-03-10 07:00:00",
            id="another day",
        ),
        pytest.param(BINS + "06:30,north,in,car,few\n", "count: 'few' is no number of vehicles", id="count"),
        pytest.param(BINS + "06:30,north,in,car,-1\n", "count: '-1' is no number of vehicles", id="negative"),
        pytest.param(
            BINS + "06:30,north,in,car,1\n06:30,north,in,car,2\n", "stand in", id="the same cell twice"
        ),
        pytest.param(
            BINS + "06:30,north,in,all,1\n06:30,north,in,car,2\n",
            "holds both 'all' and single",
            id="all and one",
        ),
        pytest.param(
            BINS + "06:30,north,in,car,1\n06:35,north,in,car,2\n", "intervals overlap", id="overlap"
        ),
        pytest.param(
            BINS + "06:30,north,in,car,1\n06:30,north,,car,2\n",
            "has it in some rows only",
            id="half directed",
        ),
        pytest.param("start,count\n06:30,1\n", "no column 'gate'", id="no place"),
        pytest.param("start,gate,movement,count\n06:30,,,1\n", "name one of the two", id="no place in a row"),
        pytest.param("start,end,gate,count\n06:30,06:30,north,1\n", "not after the start", id="no length"),
        pytest.param(BINS + "09:30,north,in,car,1\n", "no moment was counted by both", id="another hour"),
        pytest.param(BINS + "06:30,north,in,car,\n", "no moment was counted by both", id="nothing counted"),
    ],
)
def test_a_bad_manual_count_is_one_sentence(
    text: str, problem: str, folder: Path, tmp_path: Path, ngatu: Ngatu
) -> None:
    path = tmp_path / "manual.csv"
    path.write_text(text, encoding="utf-8")
    ran = ngatu("compare", folder, path)
    assert (ran.code, ran.out) == (1, "")
    assert ran.err.startswith("ngatu: ")
    assert ran.err.count("\n") == 1
    assert problem in ran.err


def test_seconds_need_a_start(folder: Path, tmp_path: Path, ngatu: Ngatu) -> None:
    (folder / "crossings.csv").write_text("time,gate,direction,class\n")
    (folder / "summary.json").unlink()
    (tmp_path / "m.csv").write_text(EVENTS + "1,north,in,car\n")
    ran = ngatu("compare", folder, tmp_path / "m.csv", "--view", folder / "drawn.view.yaml")
    assert ran.code == 1
    assert "the start is not known" in ran.err


def test_stamps_are_utc() -> None:
    assert stamp(0) == "2026-03-09T23:30:00.000Z"
