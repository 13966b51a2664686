"""Which addresses ngatu opens for somebody: cameras of allowed networks, never this machine or metadata.

What a request or the registry names is opened by the service, from inside its network: without a guard an
address could reach what its author cannot (server-side request forgery). A name is looked up once, each of
its addresses is checked, and the one to open is the number that was checked: a name that points elsewhere a
moment later changes nothing.
"""

import ipaddress
import os
import re
import socket
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from service.auth.settings import AuthError
from vision import SourceError
from vision.sources import mask_address

Network = ipaddress.IPv4Network | ipaddress.IPv6Network
IPAddress = ipaddress.IPv4Address | ipaddress.IPv6Address
Resolver = Callable[[str, int], Sequence[str]]

SCHEMES = ("rtsp", "rtsps")
DEFAULT_PORTS = {"rtsp": 554, "rtsps": 322}

NEVER: tuple[Network, ...] = tuple(
    ipaddress.ip_network(each)
    for each in (
        "0.0.0.0/8", "127.0.0.0/8", "169.254.0.0/16", "192.0.0.0/24", "192.88.99.0/24", "198.18.0.0/15",
        "224.0.0.0/4", "240.0.0.0/4",
        "100.100.100.200/32", "168.63.129.16/32",  # metadata of clouds that stands among ordinary addresses
        "::/128", "::1/128", "fe80::/10", "fec0::/10", "ff00::/8", "100::/64",
        "fd00:ec2::/32", "fd20:ce::/32",
    )
)  # fmt: skip
"""This machine, link-local, multicast, reserved, and clouds' metadata; opened only where listed."""

# Addresses of IPv6 that carry one of IPv4, which is where they lead.
_CARRIERS: tuple[tuple[ipaddress.IPv6Network, int], ...] = (
    (ipaddress.IPv6Network("::ffff:0:0/96"), 0),
    (ipaddress.IPv6Network("::ffff:0:0:0/96"), 0),
    (ipaddress.IPv6Network("64:ff9b::/96"), 0),
    (ipaddress.IPv6Network("64:ff9b:1::/48"), 0),
    (ipaddress.IPv6Network("::/96"), 0),
    (ipaddress.IPv6Network("2002::/16"), 80),
)

_URL = re.compile(r"^([A-Za-z][A-Za-z0-9+.-]*)://([^/?#]*)(.*)$", re.DOTALL)
_NAME = re.compile(
    r"^(?=.{1,253}$)[A-Za-z0-9_](?:[A-Za-z0-9_-]{0,61}[A-Za-z0-9])?(?:\.[A-Za-z0-9_](?:[A-Za-z0-9_-]{0,61}[A-Za-z0-9])?)*$"
)
_NUMBERLIKE = re.compile(r"^(?:0[xX][0-9a-fA-F]*|[0-9]+)$")
_UNPRINTED = re.compile(r"[\x00-\x20\x7f\\]")


@dataclass(frozen=True, slots=True)
class NetworkPolicy:
    """What may be opened.

    Attributes:
        networks: only these; a listed one is allowed even where NEVER says otherwise. None allows every
            network but those of NEVER.
        schemes: of addresses.
        folders: files below these may be opened; none by default.
    """

    networks: tuple[Network, ...] | None = None
    schemes: tuple[str, ...] = SCHEMES
    folders: tuple[Path, ...] = ()

    @staticmethod
    def from_environment(environment: Mapping[str, str] = os.environ) -> "NetworkPolicy":
        """The policy of NGATU_CAMERA_NETWORKS (``10.20.0.0/16, 192.168.7.0/24``) and NGATU_CAMERA_FOLDERS.

        Raises:
            AuthError: one of them is not right.
        """
        listed = environment.get("NGATU_CAMERA_NETWORKS", "").replace(",", " ").split()
        try:
            networks = tuple(ipaddress.ip_network(each) for each in listed)
        except ValueError as error:
            raise AuthError(f"NGATU_CAMERA_NETWORKS: {error}; write 10.20.0.0/16, 192.168.7.0/24") from None
        folders = [each for each in environment.get("NGATU_CAMERA_FOLDERS", "").split(os.pathsep) if each]
        return NetworkPolicy(networks or None, folders=tuple(Path(each) for each in folders))


@dataclass(frozen=True, slots=True)
class Checked:
    """An address that may be opened.

    Attributes:
        address: what to open: the host is the number that was checked. It may hold a password.
        host: the host as it was written, empty for a file.
        number: the address it has, None for a file or where no name was looked up.
    """

    address: str
    host: str
    number: str | None


def check_address(
    address: str, allowed: NetworkPolicy | None = None, resolve: Resolver | None = None
) -> Checked:
    """See that an address may be opened, looking its name up once; open what this returns, nothing else.

    Args:
        address: with its secrets filled in, as ``resolve_address`` gives it.
        allowed: what may be opened; None is the policy of the environment.
        resolve: looks a host name up; for tests.

    Raises:
        SourceError: it may not be opened; the message is one sentence, secrets are masked.
    """
    policy = allowed if allowed is not None else NetworkPolicy.from_environment()
    path = _path_of(address)
    if path is not None:
        return Checked(_allowed_path(address, path, policy), "", None)
    parts = _split(address, policy)
    numbers = (resolve or _look_up)(parts.host, parts.port) if parts.number is None else [parts.number]
    if not numbers:
        raise SourceError(f"{mask_address(address)}: the host {parts.host} is not known here; check its name")
    # All of them: one bad among good ones is how a name is made to change its mind.
    for number in numbers:
        _refuse_number(address, _parsed(number), policy)
    return Checked(parts.with_host(numbers[0]), parts.host, numbers[0])


def check_form(address: str, allowed: NetworkPolicy | None = None) -> None:
    """See that an address may be kept: as :func:`check_address`, but no name is looked up, and secrets may
    stand in it as ``${NAME}`` before the host.

    Raises:
        SourceError: it may not.
    """
    policy = allowed if allowed is not None else NetworkPolicy.from_environment()
    path = _path_of(address)
    if path is not None:
        _allowed_path(address, path, policy)
        return
    parts = _split(address, policy)
    if parts.number is not None:
        _refuse_number(address, _parsed(parts.number), policy)
    elif parts.host.rstrip(".").lower().endswith(("localhost", ".internal", ".localdomain")):
        _refuse(address, f"the host {parts.host} is this machine or a service of its network")


@dataclass(frozen=True, slots=True)
class _Parts:
    scheme: str
    login: str
    host: str
    number: str | None
    port: int
    explicit_port: str
    rest: str

    def with_host(self, number: str) -> str:
        host = f"[{number}]" if ":" in number else number
        # FFmpeg takes the last @ for the end of the login; here it is the only one.
        login = f"{self.login.replace('@', '%40')}@" if self.login else ""
        return f"{self.scheme}://{login}{host}{self.explicit_port}{self.rest}"


def _split(address: str, policy: NetworkPolicy) -> _Parts:
    text = address.strip()
    matched = _URL.match(text)
    if matched is None or matched[1].lower() not in policy.schemes:
        kinds = ", ".join(f"{scheme}://" for scheme in policy.schemes)
        raise SourceError(
            f"{mask_address(text)}: this kind of address is not opened; write {kinds}user@host/path"
        )
    if _UNPRINTED.search(text):
        raise SourceError(
            f"{matched[1]}://…: an address has no spaces, backslashes or unprinted signs in it; "
            "write them as %20 and the like"
        )
    login, at, place = matched[2].rpartition("@")
    if place.startswith("["):
        host, closed, port = place[1:].partition("]")
        if not closed:
            _refuse(text, "the host lacks its ]")
    else:
        host, colon, port = place.partition(":")
        port = colon + port
    number = _number(text, host, bracketed=place.startswith("["))
    if port and not (re.fullmatch(r":[0-9]{1,5}", port) and 0 < int(port[1:]) < 65536):
        _refuse(text, "its port is no number; a / ? # or : in a password is written %2F %3F %23 %3A")
    scheme = matched[1].lower()
    return _Parts(
        scheme,
        login if at else "",
        host,
        number,
        int(port[1:]) if port else DEFAULT_PORTS.get(scheme, 554),
        port,
        matched[3],
    )


def _number(address: str, host: str, bracketed: bool) -> str | None:
    """The host as a number, if it is one; None for a name.

    Raises:
        SourceError: it is neither, or a number written so that programs read it in different ways.
    """
    if "%" in host:
        _refuse(address, "the host names a network card or hides a sign; write it plainly")
    if not host.isascii():
        _refuse(address, "the host has signs that are not ASCII; write its number, or its name in xn-- form")
    if bracketed:
        try:
            return str(ipaddress.IPv6Address(host))
        except ValueError:
            _refuse(address, "the host in brackets is no IPv6 address")
    try:
        return str(ipaddress.IPv4Address(host))
    except ValueError:
        pass
    last = host.rstrip(".").rpartition(".")[2]
    if not host or _NUMBERLIKE.match(last):
        _refuse(address, "the host is no address; write four numbers such as 10.0.0.5, or a name")
    if not _NAME.match(host.removesuffix(".")):
        _refuse(address, "the host is no name")
    return None


def _refuse_number(address: str, number: IPAddress, policy: NetworkPolicy) -> None:
    for each in _all_of(number):
        if _is_in(each, policy.networks or ()):
            continue
        if _is_in(each, NEVER):
            _refuse(
                address,
                f"{each} is this machine, link-local or reserved; list it in NGATU_CAMERA_NETWORKS if meant",
            )
        if policy.networks is not None:
            _refuse(address, f"{each} is in none of the networks of NGATU_CAMERA_NETWORKS")


def _is_in(number: IPAddress, networks: Sequence[Network]) -> bool:
    return any(network.version == number.version and number in network for network in networks)


def _all_of(number: IPAddress) -> list[IPAddress]:
    """An address and, where it carries one of IPv4, that as well: it leads there."""
    if isinstance(number, ipaddress.IPv4Address):
        return [number]
    if number.ipv4_mapped is not None:
        return [number.ipv4_mapped]
    found: list[IPAddress] = [number]
    for network, shift in _CARRIERS:
        if number in network and int(number) > 1:
            found.append(ipaddress.IPv4Address((int(number) >> shift) & 0xFFFFFFFF))
    if number.teredo is not None:
        found += number.teredo
    return found


def _parsed(number: str) -> IPAddress:
    return ipaddress.ip_address(number.partition("%")[0])


def _look_up(host: str, port: int) -> Sequence[str]:
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        return []
    return list(dict.fromkeys(str(each[4][0]) for each in found))


def _path_of(address: str) -> str | None:
    """The path of what is a file and no address of a network."""
    text = address.strip()
    if text.startswith("loop:"):
        return text.removeprefix("loop:")
    # FFmpeg's other protocols (concat:, subfile:, pipe:, data:) have no // and would pass for file names.
    return None if re.match(r"[A-Za-z][A-Za-z0-9+.,-]*:", text) else text


def _allowed_path(address: str, path: str, policy: NetworkPolicy) -> str:
    if not path or "\x00" in path:
        raise SourceError("the address is empty; write rtsp://user@host/path")
    try:
        real = Path(path).resolve(strict=True)
    except (OSError, RuntimeError, ValueError):
        real = None
    if real is None or not any(real.is_relative_to(folder.resolve()) for folder in policy.folders):
        # The same words whether it exists or not: nobody learns what files there are.
        raise SourceError(
            f"{mask_address(path)}: only files below the folders of NGATU_CAMERA_FOLDERS are opened"
        )
    return f"loop:{real}" if address.strip().startswith("loop:") else str(real)


def _refuse(address: str, problem: str) -> None:
    raise SourceError(f"{mask_address(address)}: {problem}")
