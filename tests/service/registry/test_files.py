"""Files of the city: what is written is read again, and every fault is told with file, line and field."""

import json
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings

from service.registry import City, History, RegistryError, Site, Version, city_at, plan_import, read_files
from service.registry.history import apply_changes
from service.registry.writing import csv_files, geojson_text, yaml_text
from tests.service.registry.cities import SMALL, cities, view_of
from vision import ViewError, save_view

SETTINGS = settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


def history_of(city: City) -> History:
    return {ref: (Version(record, 0.0),) for ref, record in city.items()}


def imported(*paths: Path, into: City | None = None, end_missing: bool = False) -> City:
    """The city once files are applied to another, empty by default."""
    history = history_of(into or {})
    plan = plan_import(history, read_files(paths), 10.0, end_missing)
    return city_at(apply_changes(history, plan.changes, plan.time), 10.0)


def write(folder: Path, name: str, text: str) -> Path:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


def tables(folder: Path, city: City) -> list[Path]:
    paths = [write(folder, name, text) for name, text in csv_files(city, "heading").items()]
    return [path for path in paths if path.suffix == ".csv"]


@SETTINGS
@given(city=cities())
def test_yaml_is_read_as_it_was_written(city: City, tmp_path: Path) -> None:
    text = yaml_text(city, "heading")
    again = imported(write(tmp_path, "city.yaml", text))
    assert again == city
    assert yaml_text(again, "heading") == text


@SETTINGS
@given(city=cities())
def test_csv_is_read_as_it_was_written(city: City, tmp_path: Path) -> None:
    assert imported(*tables(tmp_path, city)) == city


@SETTINGS
@given(city=cities())
def test_geojson_carries_the_sites_and_nothing_of_cameras(city: City, tmp_path: Path) -> None:
    text = geojson_text(city)
    assert "rtsp" not in text
    sites = {ref: record for ref, record in city.items() if isinstance(record, Site)}
    assert imported(write(tmp_path, "sites.geojson", text)) == sites


@SETTINGS
@given(before=cities(), city=cities())
def test_an_export_restores_the_city_whatever_it_is_now(before: City, city: City, tmp_path: Path) -> None:
    # A view may come back only with the drawing that its version always had, hence other versions here.
    other = {
        ref: record.model_copy(update={"view": view_of((), version=7)}) if ref[0] == "views" else record
        for ref, record in before.items()
    }
    path = write(tmp_path, "city.yaml", yaml_text(city, "heading"))
    restored = imported(path, into=other, end_missing=True)
    assert restored == city
    assert imported(*tables(tmp_path, city), into=other, end_missing=True) == city


def test_a_field_that_is_not_written_stays_and_an_empty_one_is_cleared(tmp_path: Path) -> None:
    city = imported(write(tmp_path, "city.yaml", SMALL))
    path = write(tmp_path, "sites.csv", "id,ward\ncho,\n")
    (site,) = [imported(path, into=city)["sites", "cho"]]
    assert isinstance(site, Site)
    assert (site.ward, site.name, site.is_key) == ("", "Ngã tư Chợ", True)


def test_spreadsheets_write_semicolons_and_a_byte_order_mark(tmp_path: Path) -> None:
    path = tmp_path / "Danh sách sites.csv"
    path.write_text("id;kind;name\n07210;junction;Ngã ba Á Lữ\n", encoding="utf-8-sig")
    (site,) = imported(path).values()
    assert site == Site(id="07210", kind="junction", name="Ngã ba Á Lữ")


def test_what_hangs_on_an_ended_or_moved_record_ends_with_it(tmp_path: Path) -> None:
    city = imported(write(tmp_path, "city.yaml", SMALL))
    moved = imported(write(tmp_path, "cameras.csv", "id,site\ncho-cam1,ga\n"), into=city)
    assert city.keys() - moved.keys() == {("owners", "cho", "north"), ("views", "cho-cam1")}
    less = SMALL.replace("  - {id: ga, kind: public_area, name: Ga, is_key: true}\n", "")
    less = less.replace("  - {id: ga-cam1, site: ga}\n", "")
    assert imported(write(tmp_path, "less.yaml", less), into=city) == city
    ended = imported(write(tmp_path, "less.yaml", less), into=city, end_missing=True)
    assert city.keys() - ended.keys() == {("sites", "ga"), ("cameras", "ga-cam1")}


def test_a_view_may_stand_in_a_file_of_its_own(tmp_path: Path) -> None:
    (tmp_path / "views").mkdir()
    save_view(view_of(("north",), version=2), tmp_path / "views" / "1.yaml")
    path = write(tmp_path, "cameras.csv", "id,view\ncho-cam1,views/1.yaml\n")
    city = imported(write(tmp_path, "city.yaml", SMALL))
    assert imported(path, into=city) != city
    (tmp_path / "views" / "1.yaml").unlink()
    with pytest.raises(ViewError, match=r"cannot read the view .*1\.yaml"):
        imported(path, into=city)


def yaml_with(old: str, new: str) -> str:
    assert old in SMALL
    return SMALL.replace(old, new, 1)


POINT = '{"type": "Feature", "geometry": %s, "properties": %s}'
COLLECTION = '{"type": "FeatureCollection", "features": [\n%s\n]}'
SITE = '{"id": "x", "kind": "junction"}'

FAULTS = [
    pytest.param("city.txt", "", "its name does not end in .yaml, .csv or .geojson", id="suffix"),
    pytest.param("city.yaml", "sites: [", "line 2: ", id="no yaml"),
    pytest.param("city.yaml", "sights: []", "line 1: there is no list of sites", id="no list"),
    pytest.param("city.yaml", "sites: &a\n  - *a", "line 2: *a: write it out", id="contains itself"),
    pytest.param("city.yaml", "sites: " + "[" * 3000 + "]" * 3000, "nest", id="too deep"),
    pytest.param("a.geojson", "[" * 100_000, "nested too deeply", id="json too deep"),
    pytest.param("city.yaml", "sites: {}", "line 1: sites: it is not a list", id="sites no list"),
    pytest.param("city.yaml", "sites: []\nplaces: []", "line 2: places: there is no such list", id="section"),
    pytest.param("city.yaml", "sites:\n  - x", "line 2: sites.0: it has no fields", id="row is text"),
    pytest.param("city.yaml", "sites:\n  - kind: junction", "line 2: sites.0.id: it is missing", id="no id"),
    pytest.param("city.yaml", "sites:\n  - id: x", "line 2: sites.0.kind: it is missing", id="no kind"),
    pytest.param(
        "city.yaml",
        yaml_with("kind: junction", "kind: crossing"),
        "line 3: sites.0.kind: Input should be 'junction' or 'public_area'",
        id="kind",
    ),
    pytest.param(
        "city.yaml",
        yaml_with("is_key", "iskey"),
        "line 5: sites.0.iskey: there is no such field",
        id="misspelt field",
    ),
    pytest.param(
        "city.yaml",
        yaml_with("is_key: true", "is_key: có"),
        "line 5: sites.0.is_key: write true or false",
        id="no truth value",
    ),
    pytest.param(
        "city.yaml",
        yaml_with("lat: 21.27", "lat: 21,27"),
        "line 6: sites.0.lat: write a number, with a point before the decimals",
        id="decimal comma",
    ),
    pytest.param(
        "city.yaml",
        yaml_with("lat: 21.27", "lat: 106.19"),
        "line 6: sites.0.lat: latitudes lie between -90 and 90, longitudes between -180 and 180; are the two",
        id="swapped position",
    ),
    pytest.param(
        "city.yaml",
        yaml_with("    lon: 106.19\n", ""),
        "line 2: sites.0.lon: it is missing; a position has both lat and lon",
        id="half a position",
    ),
    pytest.param(
        "city.yaml",
        yaml_with("lanes: 2", "lanes: two"),
        "line 11: sites.0.approaches.0.lanes: write a whole number",
        id="lanes in words",
    ),
    pytest.param(
        "city.yaml", yaml_with("id: cho\n", "id: chợ\n"), "line 2: sites.0.id: write a short name", id="id"
    ),
    pytest.param(
        "city.yaml",
        yaml_with("  - {id: ga,", "  - {id: cho,"),
        "city.yaml: line 13: sites.1.id: cho is there twice, first in {folder}/city.yaml line 2: keep one",
        id="site twice",
    ),
    pytest.param(
        "city.yaml",
        yaml_with("    site: cho\n", "    site: cho\n    site: ga\n"),
        "line 17: site: it is there twice; keep one",
        id="field twice",
    ),
    pytest.param(
        "city.yaml",
        yaml_with("{id: ga-cam1, site: ga}", "{id: cho-cam1, site: ga}"),
        "line 22: cameras.1.id: cho-cam1 is there twice, first in {folder}/city.yaml line 15: keep one; "
        "a camera belongs to one site",
        id="camera in two places",
    ),
    pytest.param(
        "city.yaml",
        yaml_with("{id: ga-cam1, site: ga}", "{id: ga-cam1, site: gaa}"),
        "line 22: cameras.1.site: there is no site 'gaa'",
        id="unknown site",
    ),
    pytest.param(
        "city.yaml",
        yaml_with("site: ga}", "site: ga, address: 'rtsp://viewer:${CAM_1}@192.0.2.1:554/1'}"),
        "line 22: cameras.1.address: camera 'cho-cam1' has the same address; one video source is one camera",
        id="one source twice",
    ),
    pytest.param(
        "city.yaml",
        yaml_with("site: ga}", "site: ga, substream: 'rtsp://viewer:${CAM_1}@192.0.2.1:554/1'}"),
        "line 22: cameras.1.substream: camera 'cho-cam1' has the same address; one video source is one",
        id="one source as a substream",
    ),
    pytest.param(
        "city.yaml",
        yaml_with("site: ga}", "site: ga, address: 'rtsp://192.0.2.2/1', substream: 'rtsp://192.0.2.2/1'}"),
        "line 22: cameras.1.substream: it is the address once more; give that of the camera's smaller stream",
        id="substream that is none",
    ),
    pytest.param(
        "city.yaml",
        yaml_with("owner: cho-cam1", "owner: ga-cam1"),
        "line 11: sites.0.approaches.0.owner: camera 'ga-cam1' belongs to 'ga'",
        id="owner elsewhere",
    ),
    pytest.param(
        "city.yaml",
        yaml_with("owner: cho-cam1", "owner: cam9"),
        "line 11: sites.0.approaches.0.owner: there is no camera 'cam9'",
        id="owner unknown",
    ),
    pytest.param(
        "city.yaml",
        yaml_with("approach: north}", "approach: nord}"),
        "line 18: cameras.0.view: site 'cho' has no approach 'nord'; its approaches: north, south",
        id="view of an unknown approach",
    ),
    pytest.param(
        "city.yaml",
        yaml_with("[0.9, 0.5]]", "[0.1, 0.5]]"),
        "line 21: cameras.0.view.gates.0.line: its two ends are the same point",
        id="fault inside a view",
    ),
    pytest.param(
        "city.yaml",
        yaml_with("kind: public_area, name: Ga, is_key: true", "kind: public_area, approaches: [{id: n}]"),
        "line 13: sites.1.approaches.0.site: 'ga' is a public area, which has no approaches",
        id="arms of a park",
    ),
    pytest.param(
        "city.yaml",
        yaml_with("0.9}", "90}"),
        "line 24: targets.0.share: write a share from 0 to 1",
        id="percent",
    ),
    pytest.param("list.csv", "id\nx\n", "its name does not say what it lists", id="csv of what"),
    pytest.param("sites.csv", "", "line 1: there are no column names", id="empty csv"),
    pytest.param("sites.csv", "id,kind,id\n", "line 1: id: the column is there twice", id="column twice"),
    pytest.param(
        "sites.csv",
        "id,kind\nx,junction\ny\n",
        "line 3: it has 1 cells, the first line has 2",
        id="short row",
    ),
    pytest.param("sites.csv", "id,kind\n,junction\n", "line 2: id: it is missing", id="csv without id"),
    pytest.param(
        "sites.csv", "id,kind,art\nx,junction,1\n", "line 2: art: there is no such field", id="csv column"
    ),
    pytest.param(
        "sites.csv", "id,kind,lat,lon\nx,junction,a,1\n", "line 2: lat: write a number", id="csv number"
    ),
    pytest.param(
        "cameras.csv", "id,site\nx,nowhere\n", "line 2: site: there is no site 'nowhere'", id="csv site"
    ),
    pytest.param("sites.csv", 'id,kind\n"x,junction\n', "line 2: ", id="csv quotes"),
    pytest.param("a.geojson", "{", "line 1: ", id="no json"),
    pytest.param("a.geojson", '{"type": "Feature"}', "line 1: type: it is not FeatureCollection", id="type"),
    pytest.param(
        "a.geojson",
        COLLECTION % POINT % ('{"type": "Polygon", "coordinates": []}', SITE),
        "line 2: features.0.geometry: a site is a Point",
        id="polygon",
    ),
    pytest.param(
        "a.geojson",
        COLLECTION % POINT % ('{"type": "Point", "coordinates": [21.27, 106.19]}', SITE),
        "line 2: features.0.lat: latitudes lie between -90 and 90",
        id="geojson swapped",
    ),
    pytest.param(
        "a.geojson",
        COLLECTION % POINT % ("null", '\n{"id": "x",\n"kind": "junction",\n"key": 1}'),
        "line 5: features.0.properties.key: there is no such field",
        id="geojson field",
    ),
]


@pytest.mark.parametrize(("name", "text", "sentence"), FAULTS)
def test_a_fault_is_one_sentence_with_file_line_and_field(
    name: str, text: str, sentence: str, tmp_path: Path
) -> None:
    path = write(tmp_path, name, text)
    with pytest.raises(RegistryError) as raised:
        imported(path)
    said = str(raised.value)
    assert said.startswith(f"{path}: ")
    assert sentence.replace("{folder}", str(tmp_path)) in said
    assert "\n" not in said


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(RegistryError, match=r"cannot read .*absent\.yaml: No such file"):
        read_files([tmp_path / "absent.yaml"])
    (tmp_path / "old.csv").write_bytes("tên\n".encode("cp1258", errors="replace") + b"\xff")
    with pytest.raises(RegistryError, match=r"old\.csv: it is not UTF-8 text; save it as UTF-8"):
        read_files([tmp_path / "old.csv"])


@pytest.mark.parametrize("field", ["address", "substream"])
@pytest.mark.parametrize(
    ("address", "secret"),
    [
        ("rtsp://admin:Abc@123@10.0.0.5/1", "a password"),
        ("rtsp://admin:${PW}x@10.0.0.5/1", "a password"),
        ("rtsp://10.0.0.5/1?channel=1&token=abcdef", "a key or token"),
        ("rtsp://10.0.0.5/user=admin_password=s3cret_channel=1_stream=0.sdp", "a key or token"),
        ("rtsp://admin:${PW}@10.0.0.5:554/cam?channel=1&subtype=0", None),
        ("rtsp://10.0.0.5/1?token=${TOKEN}", None),
        ("${CAM_1}", None),
        ("clips/cam1.mp4", None),
    ],
)
def test_a_secret_in_clear_is_refused_and_not_repeated(
    address: str, secret: str | None, field: str, tmp_path: Path
) -> None:
    rows = ["id,kind", "s,junction"], [f"id,site,{field}", f"c,s,{address}"]
    paths = [
        write(tmp_path, name, "\n".join(each))
        for name, each in zip(("sites.csv", "cameras.csv"), rows, strict=True)
    ]
    if secret is None:
        assert json.dumps(address)[1:-1] in yaml_text(imported(*paths), "")
        return
    with pytest.raises(RegistryError) as raised:
        imported(*paths)
    said = str(raised.value)
    assert f"cameras.csv: line 2: {field}: it holds {secret} in clear; write ${{NAME}} in its place" in said
    assert not any(word in said for word in ("Abc", "abcdef", "s3cret"))
