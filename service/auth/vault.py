"""Secrets that addresses name as ``${name}``: sealed, written by people, read by workers only."""

import hashlib
import os
import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from itertools import chain
from typing import Any

from sqlalchemy import Connection, delete, select, update

from service.auth.addresses_guard import NetworkPolicy, check_form
from service.auth.problems import Problem
from service.auth.trail import audit
from service.registry.addresses import clear_secret, names_in, resolve_address, without_password
from service.registry.records import ADDRESSES
from service.storage.base import upsert_into
from service.storage.sealing import SealingError, seal, unseal
from service.storage.tables import Camera, Secret
from vision import SourceError

_ADDRESSES = tuple(getattr(Camera, field) for field in ADDRESSES)

NAME = r"^[A-Za-z_][A-Za-z0-9_]{0,63}$"


def put_secret(connection: Connection, by: str, name: str, value: str, now: datetime) -> None:
    """Keep a secret, or another value under its name; the audit says that it changed, never what it is."""
    if not re.fullmatch(NAME, name):
        raise Problem(
            422, "not valid", "a name has letters, digits and _, and begins with no digit", "path.name"
        )
    existed = connection.scalar(select(Secret.name).where(Secret.name == name)) is not None
    values = {"name": name, "sealed": seal(value), "changed_at": now}
    written = upsert_into(connection, Secret.__table__).values(values)  # type: ignore[arg-type]
    changed = {"sealed": values["sealed"], "changed_at": now}
    connection.execute(written.on_conflict_do_update(index_elements=["name"], set_=changed))
    audit(connection, by, "secret.change" if existed else "secret.add", f"secret {name}", now=now)


def reseal(connection: Connection) -> int:
    """Seal every address and secret with the first key: after a change of keys, or for rows from before there
    was one. Returns how many; those whose key is not here stay as they are.
    """
    done = 0
    for pk, *addresses in connection.execute(select(Camera.pk, *_ADDRESSES)).all():
        again = dict(zip(_ADDRESSES, addresses, strict=True))
        connection.execute(update(Camera).where(Camera.pk == pk).values(again))
        done += sum(map(bool, addresses))
    for secret in connection.execute(select(Secret.name, Secret.sealed)).all():
        sealed = seal(unseal(secret.sealed))
        connection.execute(update(Secret).where(Secret.name == secret.name).values(sealed=sealed))
        done += 1
    return done


def drop_secret(connection: Connection, by: str, name: str, now: datetime) -> None:
    """Forget a secret.

    Raises:
        Problem: 404, there is none; 409, a camera's present address names it.
    """
    if connection.scalar(select(Secret.name).where(Secret.name == name)) is None:
        raise Problem(404, "no such secret", f"there is no secret {name!r}", "path.name")
    if users := [camera for camera, names in _named(connection) if name in names]:
        raise Problem(409, "in use", f"the address of {users[0]} names it; change that first", "path.name")
    connection.execute(delete(Secret).where(Secret.name == name))
    audit(connection, by, "secret.drop", f"secret {name}", now=now)


def list_secrets(connection: Connection) -> Sequence[Any]:
    """The name of each secret, and when it was changed; what it is stays here."""
    return connection.execute(select(Secret.name, Secret.changed_at).order_by(Secret.name)).all()


def load_secrets(connection: Connection) -> dict[str, str]:
    """Every secret open, for ``resolve_address``; never show or store them.

    Raises:
        SealingError: the key is missing or another one.
    """
    return {row.name: unseal(row.sealed) for row in connection.execute(select(Secret.name, Secret.sealed))}


def open_address(connection: Connection, address: str, environment: Mapping[str, str] = os.environ) -> str:
    """A camera's address with its secrets filled in, from the vault first, then from the environment.

    Raises:
        SourceError: a secret that it names is nowhere.
        SealingError: the key is missing or another one.
    """
    return resolve_address(address, environment, load_secrets(connection) if names_in(address) else {})


def key_problem(connection: Connection) -> str | None:
    """What is wrong with the key, in a sentence: None where everything sealed can be opened."""
    sealed = connection.execute(select(Secret.sealed)).scalars().all()
    addresses = connection.execute(select(*_ADDRESSES).where(Camera.valid_to.is_(None))).all()
    try:
        for text in (*sealed, *chain(*addresses)):  # an address comes open, or sealed without its key
            unseal(text)
    except SealingError as error:
        return str(error)
    return None


def accept_address(
    connection: Connection,
    by: str,
    camera: str,
    address: str,
    now: datetime,
    policy: NetworkPolicy | None = None,
    kind: str = "cam",
) -> str:
    """What the registry keeps of an address that somebody typed: a password in it goes into the vault.

    Args:
        connection: a transaction that writes.
        by: login of who typed it.
        camera: id of the camera.
        address: as typed; it may hold a password in clear, or ``${NAME}`` of the vault.
        now: the present.
        policy: which addresses are allowed; None is that of the environment.
        kind: what the secret's name begins with: ``cam`` of an address, ``sub`` of a substream.

    Raises:
        SourceError: the address is not allowed, or names a secret that is not in the vault. Else somebody
            could have variables of the service's environment sent to a host of their choice.
    """
    text = address.strip()
    if not text:
        return ""
    check_form(text, policy)
    known = {row.name for row in list_secrets(connection)}
    # What came in by `ngatu city import`, at the console, may go on naming variables of the environment.
    known |= {name for _, names in _named(connection) for name in names}
    if unknown := [name for name in names_in(text) if name not in known]:
        raise SourceError(f"there is no secret {unknown[0]}; add it first, or write the password itself")
    bare, password = without_password(text, secret_name(camera, kind))
    if password is not None:
        put_secret(connection, by, secret_name(camera, kind), password, now)
    if left := clear_secret(bare):
        raise SourceError(
            f"the address holds {left} in clear; add it as a secret and write ${{NAME}} in its place"
        )
    return bare


def secret_name(camera: str, kind: str = "cam") -> str:
    """The name under which a camera's password is kept.

    Example:
        >>> secret_name("hoa-ban_cam1")
        'cam_hoa_ban_cam1_0c1b0c'
    """
    return f"{kind}_{camera.replace('-', '_')[:50]}_{hashlib.sha256(camera.encode()).hexdigest()[:6]}"


def _named(connection: Connection) -> list[tuple[str, list[str]]]:
    """The cameras in force, and what secrets their addresses name."""
    rows = connection.execute(select(Camera.camera_id, *_ADDRESSES).where(Camera.valid_to.is_(None)))
    return [(camera, [name for each in addresses for name in names_in(each)]) for camera, *addresses in rows]
