"""incidents.csv: one row an incident, as it was told last."""

import csv
import json
from pathlib import Path

import pytest

from service.incident_output import INCIDENT_FIELDS, IncidentLog, write_incidents
from tests.vision.scenes import SIZE, Car, follow, straight
from vision import NgatuError, VehicleClass, View
from vision.incidents import Incident

VIEW = View.model_validate(
    {
        "gates": [{"id": "gate", "line": [[0.1, 0.3], [0.9, 0.3]]}],
        "zones": [
            {"id": "kerb", "kind": "no_stop", "polygon": [[0, 0.5], [1, 0.5], [1, 1], [0, 1]]},
            {"id": "far", "kind": "approach", "polygon": [[0, 0], [1, 0], [1, 0.1], [0, 0.1]]},
        ],
    }
)


def rows_of(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_a_parked_car_is_one_row(tmp_path: Path) -> None:
    log = IncidentLog(VIEW, SIZE, None)
    told = [
        told
        for time, tracks in follow([Car(straight((640, 550), (0, 0)))], 70, 5)
        for told in log.add(time, tracks, [])
    ]
    assert [incident.end for incident in told] == [None], "told once while it lasts"
    log.finish([])
    log.write(tmp_path / "incidents.csv")
    (row,) = rows_of(tmp_path / "incidents.csv")
    assert tuple(row) == INCIDENT_FIELDS
    assert (row["kind"], row["place"], row["class"], row["cut"]) == ("standing", "kerb", "car", "yes")
    assert (row["start"], row["end"]) == ("1970-01-01T00:16:40.000Z", "1970-01-01T00:17:49.800Z")
    assert json.loads(row["evidence"])["stood_s"] == pytest.approx(69.8, abs=0.1)
    assert json.loads(row["thresholds"])["standing_s"] == 60


def test_what_is_unknown_is_empty_and_rows_are_in_order_of_time(tmp_path: Path) -> None:
    later = Incident(1, "blocked_junction", 50.0, None, False, "junction", (0.5, 0.4))
    crossing = ("wrong_way", 10.0, 12.0, False, "gate", (0.1, 0.2), 7, VehicleClass.CAR)
    write_incidents(tmp_path / "incidents.csv", [later, Incident(2, *crossing)])
    first, second = rows_of(tmp_path / "incidents.csv")
    assert (first["number"], first["vehicle"], first["x"], first["y"]) == ("2", "7", "0.1000", "0.2000")
    assert (second["end"], second["vehicle"], second["class"], second["evidence"]) == ("", "", "", "{}")


def test_without_a_view_there_is_no_file(tmp_path: Path) -> None:
    log = IncidentLog(None, SIZE, None)
    log.finish([])
    log.write(tmp_path / "incidents.csv")
    assert not list(tmp_path.iterdir())


def test_nothing_told_is_an_empty_table(tmp_path: Path) -> None:
    log = IncidentLog(VIEW, SIZE, None)
    log.write(tmp_path / "incidents.csv")
    assert rows_of(tmp_path / "incidents.csv") == []


def test_a_folder_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(NgatuError, match=r"cannot write .*incidents\.csv: .*; choose another --out folder"):
        write_incidents(tmp_path / "none" / "incidents.csv", [])
