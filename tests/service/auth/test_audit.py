"""The audit: who did what, before and after, without secrets, and never changed."""

import re
from contextlib import suppress
from pathlib import Path

from sqlalchemy import Engine, select

from service.auth.access import audit
from service.auth.trail import masked
from service.storage.connect import reading, writing
from service.storage.tables import Audit
from tests.service.auth.people import START, House

SERVICE = Path(__file__).parents[3] / "service"


def test_a_deed_is_written_with_before_and_after(home: House) -> None:
    admin = home.person("chief", "administrator")
    home.person("an", "viewer")
    admin.patch("/v1/accounts/an", json={"role": "operator", "name": "Nguyễn An"})
    deed = admin.get("/v1/audit?limit=1").json()["items"][0]
    assert (deed["actor"], deed["action"], deed["what"]) == ("chief", "account.change", "account an")
    assert deed["detail"] == {
        "before": {"name": "", "role": "viewer"},
        "after": {"name": "Nguyễn An", "role": "operator"},
    }
    assert deed["time"] == START.isoformat().replace("+00:00", "Z")


def test_secrets_are_masked(engine: Engine) -> None:
    before = {
        "address": "rtsp://me:s3cret@10.0.0.5/1?token=s3cret",
        "password": "s3cret",
        "nested": [{"csrf_token": "s3cret", "api_key": "s3cret", "count": 3}],
        "note": "it was rtsp://me:s3cret@10.0.0.5/1",
        "secrets": ["s3cret"],
    }
    with writing(engine) as connection:
        audit(connection, "an", "camera.change", "camera rtsp://me:s3cret@10.0.0.5/1", before, {"ok": True})
    with reading(engine) as connection:
        row = connection.execute(select(Audit)).one()
    assert "s3cret" not in str(row)
    assert row.detail["before"]["nested"][0]["count"] == 3
    assert row.detail["after"] == {"ok": True}
    assert masked("x" * 5000).endswith(" …")


def test_it_is_undone_with_the_deed(engine: Engine) -> None:
    with suppress(ZeroDivisionError), writing(engine) as connection:
        audit(connection, "an", "camera.change", "camera cam1")
        raise ZeroDivisionError
    with reading(engine) as connection:
        assert connection.execute(select(Audit)).all() == []


def test_it_is_read_page_by_page(home: House) -> None:
    admin = home.person("chief", "administrator")
    with writing(home.engine) as connection:
        for number in range(25):
            audit(connection, "an", f"test.{number % 2}", f"thing {number}")
    found, cursor = [], None
    while True:
        query = "?limit=10&actor=an" + (f"&cursor={cursor}" if cursor else "")
        page = admin.get("/v1/audit" + query).json()
        found += [each["what"] for each in page["items"]]
        cursor = page["next"]
        if cursor is None:
            break
    assert found == [f"thing {number}" for number in range(24, -1, -1)]
    assert len(admin.get("/v1/audit?action=test.1").json()["items"]) == 12
    assert admin.get("/v1/audit?action=%25").json()["items"] == []
    assert home.person("binh", "engineer").get("/v1/audit").status_code == 403


def test_nothing_in_the_service_changes_or_removes_it() -> None:
    tables = re.compile(
        r"\b(?:update|delete)\(\s*(?:tables\.)?Audit\b|(?:UPDATE|DELETE FROM|TRUNCATE)\s+audit\b"
    )
    for path in sorted(SERVICE.rglob("*.py")):
        text = path.read_text(encoding="utf-8")
        assert not tables.search(text), path
