"""A camera's address is tried once, in a sandbox, before it is kept."""

from ipaddress import ip_network

import pytest
from sqlalchemy import create_engine

from service.api.camera_address import tried
from service.api.hub import LiveHub
from service.api.services import Services
from service.api.settings import ApiSettings
from service.auth.addresses_guard import NetworkPolicy
from tests.conftest import RtspServer


@pytest.fixture
def services() -> Services:
    policy = NetworkPolicy((ip_network("127.0.0.0/8"),))
    return Services(create_engine("sqlite://"), LiveHub(), ApiSettings(networks=policy))


@pytest.mark.rtsp
def test_a_real_camera_is_opened_once(rtsp_server: RtspServer, services: Services) -> None:
    good = tried(services, rtsp_server.open_address, registered=False)
    assert (good.works, good.width, good.height, good.codec) == (True, 128, 96, "h264")
    wrong = tried(services, f"rtsp://admin:wrong@{rtsp_server.protected}", registered=False)
    assert not wrong.works
    assert wrong.problem
    assert "password" in wrong.problem
    assert "wrong@" not in wrong.problem
