"""The truth: known answers on hand-made runs, and the shipped clips consistent with themselves."""

import csv
import datetime as dt
from collections import Counter
from pathlib import Path

import av
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import yaml

from sample_videos.generator import bank, boxes, layout, truth, view
from sample_videos.generator.camera import CAMERAS
from sample_videos.generator.traffic import Trajectories

HERE = Path(__file__).parent
CLIPS = sorted((HERE.parents[1] / "sample_videos").glob("*.mp4"))
START = dt.datetime(2026, 3, 10, 2, 30, tzinfo=dt.UTC)


def run_of(paths, fps=10.0):
    """A run from {vehicle: (model, class, origin, target, first frame, x, y)}, headings along the path."""
    rows, steps = [], []
    for number, (model, class_id, origin, target, first, x, y) in paths.items():
        rows.append((number, model, class_id, origin, target, 1.9, 0.75, number))
        speed = np.hypot(np.gradient(x), np.gradient(y)) * fps
        heading = np.arctan2(np.gradient(y), np.gradient(x))
        steps += [(first + i, number, x[i], y[i], heading[i], speed[i]) for i in range(len(x))]
    steps.sort()
    f, v, x, y, h, s = map(np.array, zip(*steps, strict=True))
    names = ("vehicle", "model", "class_id", "origin", "target", "length", "width", "look")
    who = pa.table(dict(zip(names, map(list, zip(*rows, strict=True)), strict=True)))
    return Trajectories(fps, 0.0, who, f.astype(np.int32), v.astype(np.int32), x, y, h, s)


@pytest.fixture(scope="module")
def hulls():
    return truth.hulls_of(bank.load(HERE / "sprites"))


def through(origin, speed=0.6, n=200):
    a, b = layout.ARM[origin], layout.ARM[layout.destination(origin, "through")]
    t = np.linspace(0, 1, n)[:, None]
    line = np.array(a.point(40, 1.75)) * (1 - t) + np.array(b.point(40, -1.75)) * t
    del speed
    return line[:, 0], line[:, 1]


@pytest.mark.parametrize("camera", CAMERAS)
@pytest.mark.parametrize("origin", layout.ARMS)
def test_through_vehicle_enters_once_and_leaves_once(camera, origin, hulls):
    target = layout.destination(origin, "through")
    run = run_of({7: ("wave_man", 1, origin, target, 0, *through(origin))})
    events = truth.crossings(run, CAMERAS[camera], hulls)
    for basis in ("ground", "box"):
        mine = [(e.gate, e.direction) for e in events if e.basis == basis]
        assert mine == [(origin, "in"), (target, "out")], basis
    (move,) = truth.movements(run, events)
    assert (move["from"], move["to"], move["turn"]) == (origin, target, "through")


@pytest.mark.parametrize("origin", layout.ARMS)
def test_turns_have_the_right_names(origin):
    for turn in layout.TURNS:
        assert layout.turn(origin, layout.destination(origin, turn)) == turn
    # from the north one drives south; the right hand then points west
    assert layout.destination("N", "right") == "W"
    assert layout.destination("N", "left") == "E"


def test_queue_is_the_standing_chain_from_the_stop_line(hulls):
    a = layout.ARM["N"]
    spots = [a.point(a.stop + d, 1.75) for d in (1.5, 4.5, 8.0, 30.0)]  # the last one stands apart
    run = run_of(
        {i: ("wave_man", 1, "N", "S", 0, np.full(20, x), np.full(20, y)) for i, (x, y) in enumerate(spots)}
    )
    bins = truth.minutes(run, CAMERAS["cam1"], [], START, 2.0)
    row = next(r for r in bins if r["approach"] == "N" and r["class"] == "all")
    assert row["queue_max_vehicles"] == 3
    assert row["queue_max_m"] == pytest.approx(8.0 + 1.9 / 2, abs=1e-6)


def test_one_vehicle_gives_the_density_and_speed_by_hand(hulls):
    a = layout.ARM["N"]
    reach = truth.zone_length(CAMERAS["cam1"], "N")
    d = a.stop + reach - 0.25 - 0.5 * np.arange(int(reach / 0.5))  # 5 m/s through the whole zone
    x, y = zip(*(a.point(v, 1.75) for v in d), strict=True)
    run = run_of({1: ("wave_man", 1, "N", "S", 0, np.array(x), np.array(y))})
    row = next(r for r in truth.minutes(run, CAMERAS["cam1"], [], START, 60.0) if r["approach"] == "N")
    assert row["speed_kmh"] == pytest.approx(18.0)
    assert row["density_per_km"] == pytest.approx(reach / 5.0 / 60.0 / reach * 1000)
    assert row["edie_flow_per_hour"] == pytest.approx(60.0)


def test_true_boxes_and_noise_are_deterministic(tmp_path, hulls):
    run = run_of(
        {
            i: ("wave_man", 1, o, layout.destination(o, "through"), 5 * i, *through(o))
            for i, o in enumerate("NESW", 1)
        }
    )
    camera = CAMERAS["cam1"]
    for name in ("a", "b"):
        true_rows, _ = boxes.write(
            run, camera, hulls, tmp_path / "exact.parquet", 9, tmp_path / f"{name}.parquet"
        )
        assert true_rows > 300
    a, b = pq.read_table(tmp_path / "a.parquet"), pq.read_table(tmp_path / "b.parquet")
    assert a.equals(b)
    assert 0.5 < sum(v is not None for v in a["vehicle"].to_pylist()) / true_rows < 1.0


# ------------------------------------------------------------------ the shipped clips


ARM_OF = {name: arm for arm, name in layout.GATE.items()}


def csv_rows(clip, kind):
    with clip.with_name(f"{clip.stem}.{kind}.csv").open(encoding="utf-8") as file:
        return [{k: ARM_OF.get(v, v) for k, v in row.items()} for row in csv.DictReader(file)]


@pytest.fixture(scope="module", params=CLIPS, ids=lambda p: p.stem)
def clip(request):
    return request.param


@pytest.fixture(scope="module")
def table(clip):
    t = pq.read_table(clip.with_name(clip.stem + ".truth.parquet"))
    return {k: t[k].to_numpy(zero_copy_only=False) for k in t.column_names}


def camera_of(clip):
    return CAMERAS[clip.stem.split("_")[1]]


def test_clip_is_what_is_promised(clip, table):
    assert clip.stat().st_size <= 6_000_000
    with av.open(str(clip)) as source:
        stream = source.streams.video[0]
        assert (stream.width, stream.height) == (1280, 720)
        assert stream.codec_context.name == "h264"
        times = [f.time for f in source.decode(stream)]
    assert len(times) == table["frame"].max() + 1
    assert np.allclose(np.diff(times), np.diff(times)[0])
    named = dt.datetime.strptime(clip.stem[-15:], "%Y%m%d-%H%M%S").replace(
        tzinfo=dt.timezone(dt.timedelta(hours=7))
    )
    assert table["time"].min() == np.datetime64(named.astimezone(dt.UTC).replace(tzinfo=None), "us")


def test_positions_project_into_the_boxes(clip, table):
    camera = camera_of(clip)
    uv, _ = camera.project(
        np.column_stack([table["ground_x"], table["ground_y"], np.full(len(table["frame"]), 0.4)])
    )
    inside = (
        (uv[:, 0] >= table["full_x1"] - 1)
        & (uv[:, 0] <= table["full_x2"] + 1)
        & (uv[:, 1] >= table["full_y1"] - 1)
        & (uv[:, 1] <= table["full_y2"] + 1)
    )
    assert inside.all()


def test_visible_boxes_lie_in_full_boxes(table):
    seen = np.isfinite(table["visible_x1"].astype(float))
    assert seen.mean() > 0.7
    for low, k in (("x1", -1), ("y1", -1), ("x2", 1), ("y2", 1)):
        over = k * (table[f"visible_{low}"][seen].astype(float) - table[f"full_{low}"][seen])
        height = table["full_y2"][seen] - table["full_y1"][seen]
        assert np.quantile(over / np.maximum(height, 40), 0.999) < 0.10


def test_each_vehicle_is_there_once_a_frame_and_moves_as_fast_as_it_says(table):
    keys = table["frame"].astype(np.int64) * 10_000_000 + table["vehicle"]
    assert len(np.unique(keys)) == len(keys)
    order = np.lexsort((table["frame"], table["vehicle"]))
    f, v = table["frame"][order], table["vehicle"][order]
    x, y, s = (table[k][order].astype(float) for k in ("ground_x", "ground_y", "speed_kmh"))
    same = (np.diff(v) == 0) & (np.diff(f) == 1)
    moved = np.hypot(np.diff(x), np.diff(y))[same] * 10 * 3.6
    assert np.quantile(np.abs(moved - s[1:][same]), 0.99) < 2.0


def test_crossings_follow_from_the_positions(clip, table):
    expected = Counter()
    for number in np.unique(table["vehicle"]):
        rows = np.flatnonzero(table["vehicle"] == number)
        rows = rows[np.argsort(table["frame"][rows])]
        path = np.column_stack([table["ground_x"][rows], table["ground_y"][rows]]).astype(float)
        for i in range(len(rows) - 1):
            if table["frame"][rows[i + 1]] - table["frame"][rows[i]] != 1:
                continue
            for gate in layout.ARMS:
                a = layout.ARM[gate]
                along, across = a.along(path[i : i + 2])
                if (along[0] > a.gate) == (along[1] > a.gate):
                    continue
                at = np.interp(0.0, np.sort(along - a.gate), across[np.argsort(along)])
                if abs(at) < a.reach:
                    expected[int(number), gate, "in" if along[0] > a.gate else "out"] += 1
    written = Counter(
        (int(r["vehicle"]), r["gate"], r["direction"])
        for r in csv_rows(clip, "crossings")
        if r["basis"] == "ground"
    )
    assert expected == written


def test_both_bases_count_the_same_vehicles(clip):
    rows = csv_rows(clip, "crossings")
    count = {
        b: Counter((r["gate"], r["direction"]) for r in rows if r["basis"] == b) for b in ("ground", "box")
    }
    for key in set(count["ground"]) | set(count["box"]):
        assert abs(count["ground"][key] - count["box"][key]) <= 4, key  # those at the first and last moment


def test_crossings_add_up_to_movements_and_minutes(clip):
    ground = [r for r in csv_rows(clip, "crossings") if r["basis"] == "ground"]
    moves = csv_rows(clip, "movements")
    for direction, column in (("in", "from"), ("out", "to")):
        assert Counter(r["gate"] for r in ground if r["direction"] == direction) == Counter(
            m[column] for m in moves if m[column]
        )
    for m in moves:
        assert not m["from"] or m["from"] == m["driven_from"]
        assert not m["to"] or m["to"] == m["driven_to"]
        if m["from"] and m["to"]:
            assert layout.turn(m["from"], m["to"]) == m["turn"]
    for class_name in ("all", *truth.CLASSES):
        for direction in ("in", "out"):
            total = sum(
                int(r[f"count_{direction}"]) for r in csv_rows(clip, "minutes") if r["class"] == class_name
            )
            assert total == sum(
                r["direction"] == direction and class_name in ("all", r["class"]) for r in ground
            )


def test_flow_is_density_times_speed(clip):
    checked = 0
    for r in csv_rows(clip, "minutes"):
        if r["speed_kmh"] and float(r["density_per_km"]) > 0.5:
            assert float(r["edie_flow_per_hour"]) == pytest.approx(
                float(r["density_per_km"]) * float(r["speed_kmh"]), rel=0.01, abs=0.5
            )
            checked += 1
    assert checked >= 2


def test_view_is_the_camera(clip):
    name = clip.stem.split("_")[1]
    data = yaml.safe_load((clip.parent / f"hoa-ban_{name}.view.yaml").read_text(encoding="utf-8"))
    camera = CAMERAS[name]
    for point in data["calibration"]["points"]:
        ground = camera.ground(np.array([point["image"]]) * [camera.width, camera.height])[0]
        assert np.allclose(ground, point["ground"], atol=0.05)
    assert {ARM_OF[g["id"]] for g in data["gates"]} == set(truth.visible_gates(camera))
    for m in data["movements"]:
        assert layout.turn(ARM_OF[m["from"]], ARM_OF[m["to"]]) == m["turn"]
    median, worst = view.homography_error(camera)
    assert median < 0.10
    assert worst < 0.30
