"""Camera addresses given over HTTP: what is secret in them is sealed, and a test opens them in a child."""

import os
import time
from datetime import UTC, datetime
from threading import BoundedSemaphore

from sqlalchemy import Connection

from service.api.open_once import open_once
from service.api.services import Services
from service.api.shapes import CameraTest
from service.auth.access import Caller
from service.auth.addresses_guard import NetworkPolicy, check_address
from service.auth.problems import Problem
from service.auth.sandbox import Limits, SandboxError, run_limited
from service.auth.vault import accept_address, open_address
from vision.sources import mask_address

AT_ONCE = 2
"""Addresses that are tried at the same time: each decodes a picture."""

MEMORY = 2 * 2**30
"""Most memory of the process that opens an address, bytes of address space."""

_turns = BoundedSemaphore(AT_ONCE)


def kept_address(
    connection: Connection,
    services: Services,
    caller: Caller,
    camera: str,
    address: str | None,
    before: str,
    kind: str = "cam",
) -> str:
    """The address as the registry may hold it; a password in it goes into the vault.

    Args:
        connection: a transaction that writes.
        services: the service's parts.
        caller: who gave it.
        camera: id of the camera.
        address: as it was given; None, or what ``before`` looks like masked, keeps what is there.
        before: what is there; empty for none.
        kind: see :func:`service.auth.vault.accept_address`.

    Raises:
        NgatuError: it is not allowed here.
    """
    if address is None or (before and address == mask_address(before)):
        return before
    now = datetime.fromtimestamp(services.clock(), UTC)
    return accept_address(connection, caller.login, camera, address, now, services.settings.networks, kind)


def tried(services: Services, address: str, registered: bool) -> CameraTest:
    """Open an address once and decode a picture, in a process with limited memory and time.

    Args:
        services: the service's parts.
        address: as the registry has it, or as somebody typed it.
        registered: whether it is the registry's: only then it may name variables of the environment.

    Raises:
        NgatuError: the address is not allowed here.
        Problem: others are being tried, 503.
    """
    with services.reading() as connection:
        whole = open_address(connection, address, os.environ if registered else {})
    checked = check_address(whole, services.settings.networks)
    later = {"Retry-After": "5"}
    if not _turns.acquire(timeout=services.settings.test_seconds):
        raise Problem(
            503, "busy", "other addresses are being tried; try again in a few seconds", headers=later
        )
    try:
        return _opened(checked.address, services)
    finally:
        _turns.release()


def _opened(address: str, services: Services) -> CameraTest:
    """Open it in a sandbox: what answers there is nobody's whom we trust."""
    began, seconds = time.monotonic(), services.settings.test_seconds
    policy = services.settings.networks or NetworkPolicy.from_environment()
    limits = Limits(
        memory=MEMORY,
        cpu_s=int(seconds) + 2,
        wall_s=seconds + 5,
        file_size=0,
        readable=tuple(policy.folders),
        network=True,
    )
    try:
        found = run_limited(open_once, (address, seconds), limits)
    except SandboxError as error:
        found = {"problem": f"no picture came: {error}; is the camera on, and the address right?"}
    took = round(time.monotonic() - began, 2)
    if "problem" in found:
        return CameraTest(works=False, seconds=took, problem=mask_address(str(found["problem"])))
    return CameraTest(works=True, seconds=took, **found)
