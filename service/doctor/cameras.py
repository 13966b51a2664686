"""Checks of the registry's cameras: whether each address is complete, and a picture comes from it."""

import time
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor

from sqlalchemy import Connection

from service.auth.addresses_guard import check_address
from service.auth.vault import load_secrets
from service.doctor import Finding
from service.registry import Camera, city_at, resolve_address
from service.registry.store import load_history
from service.storage.sealing import SealingError
from vision import SourceError, open_source

PATIENCE = 4.0
"""Seconds in which a camera must answer, and in which its first picture must come."""

AT_ONCE = 8
"""Cameras that are asked at the same time."""


def check_cameras(connection: Connection, environment: Mapping[str, str], now: float) -> Iterator[Finding]:
    """Open each camera that the registry has now, in the order of their names."""
    city = city_at(load_history(connection), now).values()
    cameras = sorted((each for each in city if isinstance(each, Camera)), key=lambda each: each.id)
    if not cameras:
        yield Finding("camera", "attention", "camera_none")
        return
    with ThreadPoolExecutor(AT_ONCE) as pool:
        secrets = _secrets(connection)
        yield from pool.map(lambda camera: _check(camera, environment, secrets), cameras)


def _secrets(connection: Connection) -> Mapping[str, str]:
    try:
        return load_secrets(connection)
    except SealingError:  # told by the cameras whose address needs one
        return {}


def _check(camera: Camera, environment: Mapping[str, str], secrets: Mapping[str, str]) -> Finding:
    about: dict[str, object] = {"camera": camera.id}
    if not camera.address:
        return Finding("camera", "attention", "camera_no_address", about)
    try:
        address = resolve_address(camera.address, environment, secrets)
    except SourceError as error:
        return Finding("camera", "fault", "camera_secret", {**about, "problem": str(error)})
    began = time.monotonic()
    try:
        checked = check_address(address).address
        with open_source(checked, threads=1, open_timeout=PATIENCE, read_timeout=PATIENCE) as source:
            about |= {
                "codec": source.codec,
                "size": "{}x{}".format(*source.size),
                "seconds": round(time.monotonic() - began, 1),
            }
    except SourceError as error:
        return Finding("camera", "fault", "camera_fault", {**about, "problem": str(error)})
    return Finding("camera", "ok", "camera_ok", about)
