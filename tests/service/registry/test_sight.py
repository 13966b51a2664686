"""Views that do not show what their junction needs are found, each with what to do."""

from pathlib import Path

import pytest

from service.registry import (
    Approach,
    Camera,
    CameraView,
    Owner,
    Record,
    RegistryError,
    Site,
    plan_import,
    read_files,
)
from service.registry.calibrated import calibration_fit
from service.registry.sight import mismatches
from tests.service.registry.cities import SMALL, calibrated, view_of
from vision.calibration import fit_calibration


def junction(*records: Record) -> dict[tuple[str, ...], Record]:
    basic = (
        Site(id="s", kind="junction"),
        Camera(id="c", site="s"),
        Camera(id="d", site="s"),
        Approach(site="s", id="north"),
        Approach(site="s", id="south"),
        Approach(site="s", id="lane", required=False),
    )
    return {each.ref: each for each in (*basic, *records)}


def owns(camera: str, *approaches: str) -> list[Owner]:
    return [Owner(site="s", approach=name, camera=camera) for name in approaches]


def sees(camera: str, *approaches: str) -> CameraView:
    return CameraView(camera=camera, view=view_of(approaches))


WELL = [sees("c", "north", "south"), *owns("c", "north", "south")]


@pytest.mark.parametrize(
    ("records", "texts"),
    [
        pytest.param([], [], id="nothing drawn yet"),
        pytest.param(WELL, [], id="all is well"),
        pytest.param(
            [sees("c", "north", "south", "west"), *owns("c", "north", "south")],
            [
                "the view of c names west, which s does not have; "
                "correct the name in the view or add the approach"
            ],
            id="an approach that the junction does not have",
        ),
        pytest.param(
            [sees("c", "north"), *owns("c", "north", "south")],
            ["s: no view shows south; draw it, or say that it need not be seen"],
            id="a required approach in no view",
        ),
        pytest.param(
            [sees("c", "north", "south"), *owns("c", "north"), *owns("d", "south")],
            ["d owns south of s, which its view does not show; draw it there or let another camera own it"],
            id="an owner that does not see what it owns",
        ),
        pytest.param(
            [sees("c", "north", "south"), *owns("c", "north")],
            ["s: no camera owns south, so it has no figures; name one in owner"],
            id="seen and nobody's",
        ),
    ],
)
def test_what_does_not_agree(records: list[Record], texts: list[str]) -> None:
    assert [each.text for each in mismatches(junction(*records))] == texts


def test_points_that_give_no_mapping_are_told() -> None:
    off: list[dict[str, object]] = [
        {"image": [0.5, 0.65], "ground": [60.0, 7.0]},
        {"image": [0.4, 0.5], "ground": [-20.0, 1.0]},
    ]
    city = junction(CameraView(camera="c", view=calibrated(*off)), *owns("c", "north"))
    texts = [each.text for each in mismatches(city)]
    assert texts[0].startswith("the view of c gives no speed and density: the points ")


def test_a_zone_without_an_approach_is_one_of_its_own() -> None:
    """So it is for the estimator, whose figures would belong to no approach of the junction."""
    zone = {"id": "left", "kind": "approach", "polygon": [[0.1, 0.1], [0.5, 0.1], [0.3, 0.5]]}
    view = CameraView.model_validate(
        {"camera": "c", "view": {**view_of(("north",)).model_dump(), "zones": [zone]}}
    )
    assert [each.code for each in mismatches(junction(view, *owns("c", "north")))] == [
        "unknown_approach",
        "not_in_view",
    ]


def test_an_import_refuses_a_name_and_notes_the_rest(tmp_path: Path) -> None:
    file = tmp_path / "city.yaml"
    file.write_text(SMALL.replace("approach: north}", "approach: nord}"))
    with pytest.raises(RegistryError, match=r"site 'cho' has no approach 'nord'; its approaches: north, so"):
        plan_import({}, read_files([file]), 10.0)
    file.write_text(SMALL)
    assert plan_import({}, read_files([file]), 10.0).notes == (
        "cho: no view shows south; draw it, or say that it need not be seen",
    )


def test_what_is_kept_of_a_calibration() -> None:
    assert calibration_fit(view_of(())) is None
    four = calibration_fit(calibrated())
    assert four is not None
    assert four["error_m"] is None  # four points always agree
    view = calibrated({"image": [0.5, 0.9], "ground": [5.2, 0]}, {"image": [0.5, 0.4], "ground": [5.0, 20]})
    fit = calibration_fit(view)
    assert fit is not None
    assert 0 < fit["error_m"] < 1
    assert view.calibration is not None
    assert fit["definition"]["version"] == fit_calibration(view.calibration).version
    assert fit["definition"]["points"] == 6
