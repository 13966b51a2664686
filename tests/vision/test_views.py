"""Views: what is saved is loaded again, and every mistake is told with file, line and field."""

import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from vision import View, ViewError, load_view, save_view
from vision.geometry import polygon_area

GATE = """gates:
  - id: north
    line: [[0.1, 0.5], [0.9, 0.5]]
"""
ZONE = "zones:\n  - id: box\n    kind: roi\n    polygon: {}\n"
MOVEMENT = "movements:\n  - id: m1\n    from: {}\n    to: {}\n    turn: {}\n"
ARMS = "approaches:\n  - id: bac\n"
CALIBRATION = """calibration:
  points:
    - {image: [0.1, 0.5], ground: [0, 0]}
    - {image: [0.9, 0.5], ground: [9, 0]}
    - {image: [0.9, 0.9], ground: [9, -9]}
    - {image: [0.1, 0.9], ground: [0, -9]}
"""
RECTANGLE = (
    "calibration:\n  rectangle: {corners: [[0, 0], [1, 0], [1, 1], [0, 1]], length_m: 12, width_m: 4}\n"
)
LEFT = MOVEMENT.format("north", "north", "left")

FRACTIONS = st.floats(-0.5, 1.5)
METRES = st.integers(-(10**10), 10**10).map(lambda n: n / 1e3)
DEGREES = st.integers(-90 * 10**7, 90 * 10**7).map(lambda n: n / 1e7)
POINTS = st.tuples(FRACTIONS, FRACTIONS)
IDS = st.from_regex(r"\A[A-Za-z0-9][A-Za-z0-9_-]{0,20}\Z")
# YAML knows no control characters, and no text file keeps half of a surrogate pair.
WORDS = st.text(st.characters(blacklist_categories=("Cs", "Cc")), max_size=30)


TRIANGLES = st.lists(POINTS, min_size=3, max_size=3).filter(
    lambda corners: polygon_area(np.asarray(corners)) > 1e-3
)


@st.composite
def calibrations(draw: st.DrawFn) -> dict[str, Any]:
    key, places = draw(
        st.sampled_from([("ground", st.tuples(METRES, METRES)), ("lonlat", st.tuples(DEGREES, DEGREES))])
    )
    points = draw(st.lists(st.tuples(POINTS, places), min_size=4, max_size=6))
    corners = draw(st.lists(POINTS, min_size=4, max_size=4))
    known = draw(
        st.sampled_from(
            [
                {"points": [{"image": image, key: place} for image, place in points]},
                {"rectangle": {"corners": corners, "length_m": 12, "width_m": 4.25}},
            ]
        )
    )
    lens = {"k1": draw(st.integers(-999, 999)) / 1e4, "aspect": draw(st.sampled_from([1.25, 1.5]))}
    return {**known, "distortion": draw(st.sampled_from([None, lens])), "valid": draw(st.none() | TRIANGLES)}


@st.composite
def views(draw: st.DrawFn) -> View:
    gates = draw(st.lists(IDS, min_size=1, max_size=4, unique=True))
    lines = [draw(st.tuples(POINTS, POINTS).filter(lambda ends: math.dist(*ends) > 1e-3)) for _ in gates]
    triangles = draw(st.lists(TRIANGLES, max_size=2))
    arms = draw(st.lists(IDS, max_size=3, unique=True))
    approach = st.none() | (st.sampled_from(arms) if arms else WORDS)
    pairs = draw(st.lists(st.tuples(st.sampled_from(gates), st.sampled_from(gates)), max_size=4, unique=True))
    data = {
        "version": draw(st.integers(1, 1000)),
        "name": draw(WORDS),
        "proposed": draw(st.booleans()),
        "approaches": [{"id": arm, "lanes": draw(st.none() | st.integers(1, 8))} for arm in arms],
        "gates": [
            {"id": name, "name": draw(WORDS), "line": line, "approach": draw(approach)}
            for name, line in zip(gates, lines, strict=True)
        ],
        "zones": [
            {
                "id": f"z{number}",
                "kind": draw(st.sampled_from(["roi", "approach", "no_stop"])),
                "polygon": each,
            }
            for number, each in enumerate(triangles)
        ],
        "movements": [
            {"id": f"m{number}", "from": origin, "to": destination, "turn": draw(st.sampled_from(TURNS))}
            for number, (origin, destination) in enumerate(pairs)
        ],
    }
    data["calibration"] = draw(st.none() | calibrations())
    return View.model_validate(data)


TURNS = ["left", "through", "right", "u_turn"]


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(view=views())
def test_what_is_saved_is_loaded_again(view: View, tmp_path: Path) -> None:
    save_view(view, tmp_path / "view.yaml", "heading")
    assert load_view(tmp_path / "view.yaml") == view


def test_a_saved_view_reads_well(tmp_path: Path) -> None:
    view = View.model_validate(
        {
            "name": "Ngã tư Láng Hạ – Giảng Võ",
            "gates": [{"id": "bac", "name": "nhánh Bắc", "line": [[0.1, 0.5], [0.9, 1]]}],
            "movements": [{"id": "quay-dau", "from": "bac", "to": "bac", "turn": "u_turn"}],
        }
    )
    save_view(view, tmp_path / "view.yaml", "Đề xuất\nHãy sửa")
    assert (tmp_path / "view.yaml").read_text(encoding="utf-8") == (
        "# Đề xuất\n"
        "# Hãy sửa\n"
        "version: 1\n"
        "name: Ngã tư Láng Hạ – Giảng Võ\n"
        "gates:\n"
        "- id: bac\n"
        "  name: nhánh Bắc\n"
        "  line: [[0.1, 0.5], [0.9, 1.0]]\n"
        "movements:\n"
        "- id: quay-dau\n"
        "  from: bac\n"
        "  to: bac\n"
        "  turn: u_turn\n"
    )


@pytest.mark.parametrize("name", ["no", "on", "1", "1e3", "null", "2026-03-10", "0x1F"])
def test_an_id_that_yaml_takes_for_something_else_survives(name: str, tmp_path: Path) -> None:
    view = View.model_validate({"gates": [{"id": name, "name": name, "line": [[0, 0], [1, 1]]}]})
    save_view(view, tmp_path / "view.yaml")
    assert load_view(tmp_path / "view.yaml").gates[0].id == name


def test_a_view_is_of_no_particular_resolution() -> None:
    view = View.model_validate(yaml.safe_load(GATE + ZONE.format("[[0, 0], [1, 0], [1, 1]]")))
    assert view.gate_lines((640, 360)).tolist() == [[[64, 180], [576, 180]]]
    assert view.gate_lines((1920, 1080)).tolist() == [[[192, 540], [1728, 540]]]
    assert [each.tolist() for each in view.polygons("roi", (640, 360))] == [[[0, 0], [640, 0], [640, 360]]]
    assert view.polygons("no_stop", (640, 360)) == []


def test_an_approach_zone_knows_its_stop_line() -> None:
    def stop_line(**zone: str) -> str | None:
        gates = [
            {"id": name, "line": [[0, 0.5], [1, 0.5]], "approach": arm}
            for name, arm in (("n", "bac"), ("e1", "dong"), ("e2", "dong"))
        ]
        triangle = [[0, 0], [1, 0], [1, 1]]
        zones = [{"id": "z", "kind": "approach", "polygon": triangle, **zone}]
        view = View.model_validate({"gates": gates, "zones": zones})
        gate = view.stop_line(view.zones[0])
        return gate.id if gate else None

    assert stop_line(approach="bac") == "n", "the approach's only gate"
    assert stop_line(approach="dong") is None, "two gates: it must be said which"
    assert stop_line(approach="dong", stop_line="e2") == "e2"
    assert stop_line(stop_line="n") == "n"
    assert stop_line() is None


def test_without_a_list_of_approaches_any_name_will_do() -> None:
    view = View.model_validate(yaml.safe_load(GATE + "    approach: nhánh Bắc\n"))
    assert view.gates[0].approach == "nhánh Bắc"


@pytest.mark.parametrize(
    ("text", "place", "problem"),
    [
        pytest.param(GATE + "colour: red\n", "line 4: colour: ", "no such field", id="unknown field"),
        pytest.param(
            GATE + "    colour: red\n",
            "line 4: gates.0.colour: ",
            "no such field",
            id="unknown field of gate",
        ),
        pytest.param(
            GATE.replace("line:", "lines:"), "line 3: gates.0.lines: ", "no such field", id="misspelt field"
        ),
        pytest.param("name: x\n", "line 1: gates: ", "missing", id="no gates"),
        pytest.param("name: x\ngates: []\n", "line 2: gates: ", "at least 1", id="empty list of gates"),
        pytest.param("name: x\ngates:\n  - id: a\n", "line 3: gates.0.line: ", "missing", id="gate, no line"),
        pytest.param(GATE.replace("0.9", "0.1"), "line 3: gates.0.line: ", "same point", id="zero length"),
        pytest.param(
            GATE + ZONE.format("[[0, 0], [1, 1], [1, 0], [0, 1]]"),
            "line 7: zones.0.polygon: ",
            "crosses itself",
            id="self-crossing polygon",
        ),
        pytest.param(
            GATE + ZONE.format("[[0, 0], [0.5, 0.5], [1, 1]]"),
            "line 7: zones.0.polygon: ",
            "no area",
            id="flat polygon",
        ),
        pytest.param(
            GATE + ZONE.format("[[0, 0], [1, 1]]"),
            "line 7: zones.0.polygon: ",
            "at least 3",
            id="two corners",
        ),
        pytest.param(
            GATE + MOVEMENT.format("north", "south", "left"),
            "line 7: movements.0.to: ",
            "there is no gate 'south'; gates: north",
            id="unknown gate",
        ),
        pytest.param(
            GATE + MOVEMENT.format("north", "north", "leftish"),
            "line 8: movements.0.turn: ",
            "'left', 'through', 'right' or 'u_turn'",
            id="unknown turn",
        ),
        pytest.param(
            GATE + LEFT + LEFT.removeprefix("movements:\n").replace("m1", "m2"),
            "line 9: movements.1: ",
            "same pair of gates",
            id="same pair twice",
        ),
        pytest.param(
            GATE + GATE.removeprefix("gates:\n"),
            "line 4: gates.1.id: ",
            "two gates are called 'north'",
            id="same id twice",
        ),
        pytest.param(GATE + GATE, "line 4: gates: ", "twice", id="same field twice"),
        pytest.param(
            GATE.replace("0.9", "640"), "line 3: gates.0.line.1.0: ", "shares of the picture", id="pixels"
        ),
        pytest.param(GATE.replace("0.9", ".nan"), "line 3: gates.0.line.1.0: ", "finite", id="no number"),
        pytest.param(
            GATE.replace("0.9, 0.5", "0.9"), "line 3: gates.0.line.1.1: ", "missing", id="half a point"
        ),
        pytest.param(
            GATE.replace("north", "nút giao"), "line 2: gates.0.id: ", "pattern", id="no identifier"
        ),
        pytest.param(GATE.replace("north", "1"), "line 2: gates.0.id: ", "string", id="id is a number"),
        pytest.param(
            GATE + "    approach: nam\n" + ARMS,
            "line 4: gates.0.approach: ",
            "there is no approach 'nam'; approaches: bac",
            id="unknown approach of a gate",
        ),
        pytest.param(
            GATE + ZONE.format("[[0, 0], [1, 0], [1, 1]]") + "    approach: nam\n" + ARMS,
            "line 8: zones.0.approach: ",
            "there is no approach 'nam'; approaches: bac",
            id="unknown approach of a zone",
        ),
        pytest.param(
            GATE + ARMS + "  - id: bac\n",
            "line 6: approaches.1.id: ",
            "two approaches are called 'bac'",
            id="same approach twice",
        ),
        pytest.param(
            GATE + ARMS + "    bearing_deg: 360\n",
            "line 6: approaches.0.bearing_deg: ",
            "less than 360",
            id="no bearing",
        ),
        pytest.param(
            GATE + ARMS + "    lanes: 0\n", "line 6: approaches.0.lanes: ", "equal to 1", id="no lanes"
        ),
        pytest.param(
            GATE + ZONE.format("[[0, 0], [1, 0], [1, 1]]").replace("roi", "approach") + "    stop_line: x\n",
            "line 8: zones.0.stop_line: ",
            "there is no gate 'x'; gates: north",
            id="unknown stop line",
        ),
        pytest.param(
            GATE + ZONE.format("[[0, 0], [1, 0], [1, 1]]") + "    stop_line: north\n",
            "line 8: zones.0.stop_line: ",
            "only a zone of the kind approach",
            id="stop line of a region",
        ),
        pytest.param(
            GATE + CALIBRATION.replace("    - {image: [0.1, 0.9], ground: [0, -9]}\n", ""),
            "line 5: calibration.points: ",
            "3 points are too few; measure four or more",
            id="three points",
        ),
        pytest.param(
            GATE + CALIBRATION.replace("ground: [9, 0]", "lonlat: [106.1, 21.2]"),
            "line 7: calibration.points.1: ",
            "use one",
            id="metres and degrees",
        ),
        pytest.param(
            GATE + CALIBRATION.replace(", ground: [9, 0]", ""),
            "line 7: calibration.points.1: ",
            "give either ground: [x, y] in metres or lonlat",
            id="point not measured",
        ),
        pytest.param(
            GATE + CALIBRATION.replace("ground: [9, 0]", "lonlat: [21.2, 106.1]"),
            "line 7: calibration.points.1.lonlat.1: ",
            "equal to 90",
            id="latitude first",
        ),
        pytest.param(
            GATE + CALIBRATION + RECTANGLE.removeprefix("calibration:\n"),
            "line 4: calibration: ",
            "give either points or a rectangle",
            id="points and rectangle",
        ),
        pytest.param(
            GATE + "calibration: {valid: [[0, 0], [1, 0], [1, 1]]}\n",
            "line 4: calibration: ",
            "give either points or a rectangle",
            id="neither",
        ),
        pytest.param(
            GATE + RECTANGLE.replace("12", "-12"),
            "line 5: calibration.rectangle.length_m: ",
            "greater than 0",
            id="negative length",
        ),
        pytest.param(
            GATE + CALIBRATION + "  valid: [[0, 0], [1, 1], [1, 0], [0, 1]]\n",
            "line 10: calibration.valid: ",
            "crosses itself",
            id="valid region crosses itself",
        ),
        pytest.param(
            GATE + CALIBRATION + "  distortion: {k1: 20}\n",
            "line 10: calibration.distortion.k1: ",
            "less than or equal to 2",
            id="coefficient in other units",
        ),
        pytest.param(GATE + "version: two\n", "line 4: version: ", "integer", id="wrong type"),
        pytest.param(GATE + "version: 0\n", "line 4: version: ", "or equal to 1", id="version nought"),
        pytest.param("gates: north\n", "line 1: gates: ", "list", id="text for a list"),
        pytest.param(GATE + "name: [1,\n", "line 5: ", "correct the YAML", id="syntax"),
        pytest.param(GATE + "\tname: x\n", "line 4: ", "'\\t'", id="tabulator"),
        pytest.param(GATE + "name: !!python/name:os.system\n", "line 4: ", "constructor", id="code"),
        pytest.param("", "line 1: gates: ", "missing", id="empty file"),
        pytest.param("# nothing yet\n", "line 1: gates: ", "missing", id="only a comment"),
        pytest.param("- north\n", "line 1: gates: ", "missing", id="a list"),
    ],
)
def test_a_mistake_is_told_with_file_line_and_field(
    text: str, place: str, problem: str, tmp_path: Path
) -> None:
    path = tmp_path / "cam 1.yaml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ViewError) as raised:
        load_view(path)
    message = str(raised.value)
    assert message.startswith(f"{path}: {place}")
    assert problem in message
    assert "\n" not in message


def test_the_first_of_several_mistakes_is_told_and_the_others_counted(tmp_path: Path) -> None:
    (tmp_path / "v.yaml").write_text(GATE.replace("0.5", "5") + "version: two\n")
    with pytest.raises(ViewError, match=r"\(and 2 more\)$"):
        load_view(tmp_path / "v.yaml")


def test_a_file_that_is_not_text(tmp_path: Path) -> None:
    path = tmp_path / "v.yaml"
    path.write_bytes(GATE.encode("utf-16"))
    with pytest.raises(ViewError, match=r"v\.yaml: it is not UTF-8 text"):
        load_view(path)
    path.write_bytes(b"\x00\x01")
    with pytest.raises(ViewError, match=r"v\.yaml: .*YAML"):
        load_view(path)


def test_a_file_that_is_missing_or_a_folder(tmp_path: Path) -> None:
    with pytest.raises(ViewError, match=r"absent\.yaml: No such file"):
        load_view(tmp_path / "absent.yaml")
    with pytest.raises(ViewError, match="Is a directory"):
        load_view(tmp_path)


def test_a_view_that_contains_itself(tmp_path: Path) -> None:
    (tmp_path / "v.yaml").write_text("gates: &all\n  - *all\n")
    with pytest.raises(ViewError, match="contains itself"):
        load_view(tmp_path / "v.yaml")


def test_a_mark_at_the_beginning_as_windows_writes_it_does_no_harm(tmp_path: Path) -> None:
    (tmp_path / "v.yaml").write_bytes(b"\xef\xbb\xbf" + GATE.encode())
    assert load_view(tmp_path / "v.yaml").gates[0].id == "north"


def test_saving_where_one_may_not(tmp_path: Path) -> None:
    view = View.model_validate(yaml.safe_load(GATE))
    with pytest.raises(ViewError, match="cannot write"):
        save_view(view, tmp_path / "absent" / "view.yaml")
