"""``ngatu city`` as a user meets it: the sample city into a fresh database, differences, exports."""

from pathlib import Path

import pytest
import yaml
from typer.testing import CliRunner, Result

from service.city_cli import app, sample_city
from tests.service.registry.cities import SMALL
from vision import NgatuError, load_view


@pytest.fixture(autouse=True)
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of its own with an empty database."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("NGATU_DB", f"sqlite:///{tmp_path}/ngatu.db")
    monkeypatch.setenv("COLUMNS", "100")
    return tmp_path


def run(*arguments: str) -> str:
    result = CliRunner().invoke(app, list(arguments))
    assert result.exception is None, result.exception
    return result.output


def fault(*arguments: str) -> str:
    result: Result = CliRunner().invoke(app, list(arguments))
    assert isinstance(result.exception, NgatuError)
    return str(result.exception)


def test_the_sample_city_from_the_package_to_the_database_and_out_again() -> None:
    assert "ILLUSTRATIVE" in run("sample", "s.yaml")
    assert "s.yaml is there already" in fault("sample", "s.yaml")
    shown = run("import", "s.yaml", "--at", "2026-01-01")
    assert "sites      │  60" in shown
    assert "cameras    │  80" in shown
    assert "note: ILLUSTRATIVE: 60 of 60 sites are marked as not real" in shown
    assert "nothing was changed; run it again with --apply" in shown
    assert "registry holds nothing" in fault("export")
    shown = run("import", "s.yaml", "--at", "2026-01-01", "--apply")
    assert "applied, valid from 2026-01-01 00:00+07:00 (revision 1)" in shown
    assert "BAC_GIANG_CAMERAS" not in shown
    assert "says all of this already; nothing to do" in run("import", "s.yaml", "--apply")
    assert "registry holds nothing at 2025-12-31" in fault("export", "--at", "2025-12-31")

    run("export", "--out", "city.yaml")
    run("export", "--format", "geojson", "--out", "sites.geojson")
    run("export", "--format", "csv", "--out", "tables")
    tables = [f"tables/{name}.csv" for name in ("sites", "approaches", "cameras", "targets")]
    for files in (["city.yaml"], tables, ["sites.geojson"]):
        assert "nothing to do" in run("import", *files, "--end-missing")
    assert load_view("tables/views/hoa-ban-cam1.view.yaml").version == 2


def test_the_sample_city_says_that_it_is_illustrative_and_holds_no_secret() -> None:
    text = sample_city()
    assert text.startswith("# ILLUSTRATIVE")
    data = yaml.safe_load(text)
    assert (len(data["sites"]), len(data["cameras"])) == (60, 80)
    addresses = [camera["address"] for camera in data["cameras"] if "address" in camera]
    assert all("${BAC_GIANG_CAMERAS}@192.0.2." in address for address in addresses)
    ours = {camera["id"] for camera in data["cameras"] if camera["site"] == "hoa-ban"}
    assert ours == {"hoa-ban-cam1", "hoa-ban-cam2"}


def test_a_difference_names_old_and_new_and_hides_addresses() -> None:
    Path("city.yaml").write_text(SMALL)
    assert "the registry begins now" in run("import", "city.yaml", "--apply")
    edited = (
        SMALL.replace("192.0.2.1", "192.0.2.9").replace("lanes: 2}", "lanes: 3}").replace("id: ga", "id: gx")
    )
    Path("city.yaml").write_text(edited.replace("site: ga", "site: gx"))
    shown = run("import", "city.yaml", "--at", "2031-05-01")
    assert "~ approach cho south: lanes: 2 → 3\n" in shown
    assert "~ camera cho-cam1: address: rtsp://***@192.0.2.1:554/1 → rtsp://***@192.0.2.9:554/1\n" in shown
    assert "+ site gx: Ga\n" in shown
    assert (
        "not in the files, left as they are (--end-missing would end them): camera ga-cam1, site ga" in shown
    )
    assert "CAM_1" not in shown
    Path("cameras.csv").write_text("id,substream\ncho-cam1,rtsp://viewer:${CAM_1}@192.0.2.1:554/2\n")
    shown = run("import", "cameras.csv")
    assert "~ camera cho-cam1: substream: (empty) → rtsp://***@192.0.2.1:554/2\n" in shown
    shown = run("import", "city.yaml", "--at", "2031-05-01", "--end-missing", "--apply")
    assert "- site ga ends\n" in shown
    assert "gx" not in run("export")
    assert "id: gx" in run("export", "--at", "2031-05-02")
    shown = run("import", "city.yaml", "--at", "2001-05-01")
    assert "figures from 2001-05-01 00:00+07:00 on will be computed anew" in shown
    assert "+ site gx: Ga (until 2031-05-01 00:00+07:00)\n" in shown


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["import", "absent.yaml"], "cannot read absent.yaml"),
        (["export", "--format", "csv"], "name a folder with --out"),
        (["export", "--at", "yesterday"], "--at 'yesterday': write a day or moment such as 2026-03-01"),
        (["export", "--at", "2026-01-01", "--tz", "Hanoi"], "--tz 'Hanoi' is no time zone"),
        (["export", "--out", "ngatu.db/x.yaml"], "cannot write ngatu.db/x.yaml"),
    ],
)
def test_mistakes(arguments: list[str], sentence: str) -> None:
    Path("city.yaml").write_text(SMALL)
    run("import", "city.yaml", "--apply")
    assert sentence in fault(*arguments)
