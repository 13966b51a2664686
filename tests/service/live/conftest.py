"""The cameras of these tests are on this machine, which is allowed only where it is listed."""

import pytest


@pytest.fixture(autouse=True)
def _cameras_on_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NGATU_CAMERA_NETWORKS", "127.0.0.0/8")
    monkeypatch.setenv("NGATU_CAMERA_FOLDERS", "/")
