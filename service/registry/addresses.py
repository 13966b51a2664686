"""Camera addresses: secrets stand in them as ${NAME} of the environment, never in clear."""

import re
from collections.abc import Mapping

from vision.errors import SourceError
from vision.sources import mask_address

_PLACEHOLDER = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)\}")
_USERINFO = re.compile(r"^([A-Za-z][A-Za-z0-9+.-]*://)(.*)@(.*)$", re.DOTALL)


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


def resolve_address(address: str, environment: Mapping[str, str]) -> str:
    """The address to open, with the secrets of the environment filled in. Never show or store it.

    Raises:
        SourceError: a variable that it names is not set.
    """
    missing = [name for name in _PLACEHOLDER.findall(address) if not environment.get(name)]
    if missing:
        raise SourceError(
            f"{mask_address(address)}: the environment variable {missing[0]} is not set; "
            "set it where ngatu starts"
        )
    return _PLACEHOLDER.sub(lambda match: environment[match[1]], address)
