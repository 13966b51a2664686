"""Camera addresses: secrets stand in them as ${NAME} of the vault or the environment, never in clear."""

import re
from collections.abc import Mapping
from urllib.parse import quote

from service.storage.sealing import is_sealed, unseal
from vision.errors import SourceError
from vision.sources import mask_address

_PLACEHOLDER = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)\}")
_USERINFO = re.compile(r"^([A-Za-z][A-Za-z0-9+.-]*://)(.*)@(.*)$", re.DOTALL)
_PARTS = re.compile(r"^([A-Za-z][A-Za-z0-9+.-]*://)(?:(.*)@)?(\[[^\]]*\]|[^:/?#]*)(.*)$", re.DOTALL)
"""Scheme, login, host, and the rest with the port."""
_OURS = re.compile(r"^(?:NGATU_|PG[A-Z]|POSTGRES_|AWS_|AZURE_|GOOGLE_|GCP_)")
"""Variables that hold secrets of the service itself; no camera gets them, whoever writes its address."""


def clear_secret(address: str) -> str | None:
    """What in an address is a secret in clear, in words; None where there is none.

    A password must be ``${NAME}`` as a whole; the user's name may be in clear. In the rest of the address
    everything that :func:`vision.sources.mask_address` would hide counts as a secret.

    Example:
        >>> clear_secret("rtsp://admin:s3cret@10.0.0.5/1"), clear_secret("rtsp://admin:${CAM_1}@10.0.0.5/1")
        ('a password', None)
    """
    userinfo = _USERINFO.match(address)
    if userinfo:
        _, colon, password = userinfo[2].partition(":")
        if colon and not _PLACEHOLDER.fullmatch(password):
            return "a password"
        address = userinfo[1] + userinfo[3]
    hidden = _PLACEHOLDER.sub("***", address)
    return None if mask_address(hidden) == hidden else "a key or token"


def without_password(address: str, name: str) -> tuple[str, str | None]:
    """An address with ``${name}`` in place of its password, and the password; None where none is in clear.

    Example:
        >>> without_password("rtsp://admin:s3cret@10.0.0.5/1", "cam_1")
        ('rtsp://admin:${cam_1}@10.0.0.5/1', 's3cret')
    """
    userinfo = _USERINFO.match(address)
    if not userinfo:
        return address, None
    login, _, password = userinfo[2].partition(":")
    if not password or _PLACEHOLDER.fullmatch(password):
        return address, None
    return f"{userinfo[1]}{login}:${{{name}}}@{userinfo[3]}", password


def with_login_of(address: str, other: str) -> str:
    """An address with the login of another, where it has none (or only ``***``) and leads to the same host.

    Example:
        >>> with_login_of("rtsp://10.0.0.5/2", "rtsp://admin:${cam_1}@10.0.0.5:554/1")
        'rtsp://admin:${cam_1}@10.0.0.5/2'
    """
    here, there = _PARTS.match(address), _PARTS.match(other)
    if not here or not there or here[2] not in (None, "***") or not there[2]:
        return address
    same = all(here[part].lower() == there[part].lower() for part in (1, 3))
    return f"{here[1]}{there[2]}@{here[3]}{here[4]}" if same else address


def names_in(address: str) -> list[str]:
    """The secrets that an address names."""
    return _PLACEHOLDER.findall(address)


def resolve_address(
    address: str, environment: Mapping[str, str], secrets: Mapping[str, str] | None = None
) -> str:
    """The address to open, with its secrets filled in. Never show or store it.

    Args:
        address: as the registry holds it.
        environment: variables; those of the service itself (NGATU_…, PG…, of clouds) are not given out.
        secrets: of the vault, see ``service.auth.vault.load_secrets``; they come first.

    Raises:
        SourceError: a secret that it names is in neither.
        SealingError: the address came out of the database still sealed, since its key is not here.
    """
    if is_sealed(address):
        address = unseal(address)
    known = {name: value for name in names_in(address) if (value := _value(name, environment, secrets or {}))}
    missing = [name for name in names_in(address) if name not in known]
    if missing:
        raise SourceError(
            f"{mask_address(address)}: the environment variable {missing[0]} is not set, and no secret has "
            "that name; set it where ngatu starts, or add the secret"
        )
    userinfo = _USERINFO.match(address)
    if not userinfo:
        return _PLACEHOLDER.sub(lambda match: known[match[1]], address)
    # What would end the login before its end is written as a program reads it; FFmpeg writes it back.
    login = _PLACEHOLDER.sub(lambda match: quote(known[match[1]], safe=_PLAIN), userinfo[2])
    rest = _PLACEHOLDER.sub(lambda match: known[match[1]], userinfo[3])
    return f"{userinfo[1]}{login}@{rest}"


_PLAIN = "%!$&'()*+,;=:~^|`<>[]{}\""
"""Signs of a password that are left as they are; % too, since it may be written for an address already."""


def _value(name: str, environment: Mapping[str, str], secrets: Mapping[str, str]) -> str | None:
    return secrets.get(name) or (None if _OURS.match(name) else environment.get(name))
