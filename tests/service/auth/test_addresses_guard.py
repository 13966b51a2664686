"""What may be opened: cameras of allowed networks; never this machine or metadata, however it is written."""

import socket
import threading
from collections.abc import Iterator, Sequence
from ipaddress import ip_network
from pathlib import Path

import pytest

from service.auth.addresses_guard import NetworkPolicy, check_address, check_form
from service.auth.settings import AuthError
from vision import SourceError, open_source

DEFAULT = NetworkPolicy()
NAMES = {
    "cam.example.vn": ["10.0.0.5"],
    "cam6.example.vn": ["2001:db8:1::5"],
    "metadata.example.vn": ["169.254.169.254"],
    "mixed.example.vn": ["10.0.0.5", "127.0.0.1"],
    "here.example.vn": ["::1"],
    "linked.example.vn": ["fe80::1%eth0"],
    "xn--ti-fka.example.vn": ["192.168.1.9"],
    "localhost": ["127.0.0.1"],
    "2130706433": ["127.0.0.1"],
    "127.1": ["127.0.0.1"],
}


def look_up(host: str, port: int) -> Sequence[str]:
    assert port
    return NAMES.get(host.rstrip(".").lower(), [])


@pytest.mark.parametrize(
    ("address", "opened"),
    [
        ("rtsp://10.0.0.5/1", "rtsp://10.0.0.5/1"),
        ("rtsp://172.16.0.5:8554/a/b?channel=1", "rtsp://172.16.0.5:8554/a/b?channel=1"),
        ("rtsp://192.168.1.5", "rtsp://192.168.1.5"),
        ("rtsp://100.64.0.9/1", "rtsp://100.64.0.9/1"),
        ("rtsp://203.0.113.9/1", "rtsp://203.0.113.9/1"),
        ("rtsps://me:p%40ss@10.0.0.5/1", "rtsps://me:p%40ss@10.0.0.5/1"),
        ("RTSP://10.0.0.5/1", "rtsp://10.0.0.5/1"),
        ("rtsp://me:p@ss@10.0.0.5/1", "rtsp://me:p%40ss@10.0.0.5/1"),
        ("rtsp://[fd00::5]:554/1", "rtsp://[fd00::5]:554/1"),
        ("rtsp://cam.example.vn/1", "rtsp://10.0.0.5/1"),
        ("rtsp://cam.example.vn./1", "rtsp://10.0.0.5/1"),
        ("rtsp://me:pw@CAM.example.vn:8554/1", "rtsp://me:pw@10.0.0.5:8554/1"),
        ("rtsp://cam6.example.vn/1", "rtsp://[2001:db8:1::5]/1"),
        ("rtsp://xn--ti-fka.example.vn/1", "rtsp://192.168.1.9/1"),
    ],
)
def test_cameras_are_opened_by_the_number_that_was_checked(address: str, opened: str) -> None:
    assert check_address(address, DEFAULT, look_up).address == opened


@pytest.mark.parametrize(
    "address",
    [
        # this machine
        "rtsp://127.0.0.1/1",
        "rtsp://127.8.9.1/1",
        "rtsp://localhost/1",
        "rtsp://LOCALHOST./1",
        "rtsp://0.0.0.0/1",
        "rtsp://[::1]/1",
        "rtsp://[::]/1",
        "rtsp://here.example.vn/1",
        # an IPv4 address inside one of IPv6
        "rtsp://[::ffff:127.0.0.1]/1",
        "rtsp://[::ffff:7f00:1]/1",
        "rtsp://[::127.0.0.1]/1",
        "rtsp://[64:ff9b::7f00:1]/1",
        "rtsp://[64:ff9b::a9fe:a9fe]/1",
        "rtsp://[2002:7f00:1::]/1",
        "rtsp://[2001:0:4136:e378:8000:63bf:80ff:fffe]/1",
        "rtsp://[::ffff:0:127.0.0.1]/1",
        # link-local and metadata
        "rtsp://169.254.169.254/latest/meta-data",
        "rtsp://[fe80::1]/1",
        "rtsp://[fd00:ec2::254]/1",
        "rtsp://100.100.100.200/1",
        "rtsp://168.63.129.16/1",
        "rtsp://metadata.example.vn/1",
        "rtsp://linked.example.vn/1",
        # multicast, broadcast, reserved
        "rtsp://224.0.0.1/1",
        "rtsp://255.255.255.255/1",
        "rtsp://[ff02::1]/1",
        # numbers that some programs read otherwise
        "rtsp://2130706433/1",
        "rtsp://0x7f000001/1",
        "rtsp://0x7f.0.0.1/1",
        "rtsp://0177.0.0.1/1",
        "rtsp://127.1/1",
        "rtsp://127.0.0.1./1",
        "rtsp://10.0.0.05/1",
        "rtsp://10.0.0/1",
        # signs that become others
        "rtsp://①②⑦.⓪.⓪.①/1",
        "rtsp://127。0。0。1/1",
        "rtsp://ｌｏｃａｌｈｏｓｔ/1",
        "rtsp://loc%61lhost/1",
        "rtsp://127.0.0.1%00.example.vn/1",
        "rtsp://ca\u00admera.example.vn/1",
        # cards
        "rtsp://[fe80::1%25eth0]/1",
        "rtsp://[::1%lo]/1",
        # logins that hide the host
        "rtsp://10.0.0.5@127.0.0.1/1",
        "rtsp://10.0.0.5:554@127.0.0.1:80/1",
        "rtsp://me@10.0.0.5@127.0.0.1/1",
        "rtsp://10.0.0.5\\@127.0.0.1/1",
        "rtsp://127.0.0.1\\@10.0.0.5/1",
        "rtsp://127.0.0.1#@10.0.0.5/1",
        "rtsp://127.0.0.1?@10.0.0.5/1",
        "rtsp://127.0.0.1:554\t@10.0.0.5/1",
        "rtsp://127.0.0.1\r\nHost: x@10.0.0.5/1",
        # one bad address among good ones
        "rtsp://mixed.example.vn/1",
        # not a host at all
        "rtsp:///1",
        "rtsp://@/1",
        "rtsp://[::1/1",
        "rtsp://10.0.0.5:99999/1",
        "rtsp://10.0.0.5:0/1",
        "rtsp://10.0.0.5:port/1",
        "rtsp://me:pa/ss@10.0.0.5/1",
        "rtsp://no such host/1",
        "rtsp://unknown.example.vn/1",
        # other kinds
        "http://10.0.0.5/1",
        "https://10.0.0.5/1",
        "file:///etc/passwd",
        "file:/etc/passwd",
        "FILE:///etc/passwd",
        "ftp://10.0.0.5/1",
        "gopher://10.0.0.5/1",
        "tcp://10.0.0.5:80",
        "udp://10.0.0.5:80",
        "concat:/etc/passwd|/etc/hosts",
        "concatf:/etc/passwd",
        "subfile,,start,0,end,9,,:/etc/passwd",
        "pipe:0",
        "data:video/mp4;base64,AAAA",
        "crypto:/etc/passwd",
        "rtsp+file://10.0.0.5/1",
        "/etc/passwd",
        "../../etc/passwd",
        "loop:/etc/passwd",
        "/dev/video0",
        "",
    ],
)
def test_what_is_never_opened(address: str) -> None:
    with pytest.raises(SourceError) as caught:
        check_address(address, DEFAULT, look_up)
    assert "\n" not in str(caught.value)


def test_secrets_do_not_stand_in_the_refusal() -> None:
    for address in (
        "rtsp://me:s3cret@127.0.0.1/1",
        "rtsp://me:s3cret@10.0.0.5:port/1?token=s3cret",
        "http://me:s3cret@10.0.0.5/1",
        "rtsp://me:s3cret@ho st/1",
    ):
        with pytest.raises(SourceError) as caught:
            check_address(address, DEFAULT, look_up)
        assert "s3cret" not in str(caught.value)


def test_a_list_of_networks_allows_these_and_no_others() -> None:
    policy = NetworkPolicy.from_environment({"NGATU_CAMERA_NETWORKS": "10.20.0.0/16, 127.0.0.1/32 ::1/128"})
    for address in ("rtsp://10.20.3.4/1", "rtsp://127.0.0.1:8554/1", "rtsp://[::1]/1"):
        assert check_address(address, policy, look_up).address == address
    for address in ("rtsp://10.21.0.1/1", "rtsp://127.0.0.2/1", "rtsp://203.0.113.9/1", "rtsp://[fd00::1]/1"):
        with pytest.raises(SourceError):
            check_address(address, policy, look_up)
    assert NetworkPolicy.from_environment({}) == DEFAULT
    with pytest.raises(AuthError, match="NGATU_CAMERA_NETWORKS"):
        NetworkPolicy.from_environment({"NGATU_CAMERA_NETWORKS": "10.0.0.1/8"})


def test_a_name_that_changes_its_mind_is_asked_once() -> None:
    asked: list[str] = []

    def rebinding(host: str, port: int) -> Sequence[str]:
        asked.append(host)
        return ["10.0.0.5"] if len(asked) == 1 else ["127.0.0.1"]

    checked = check_address("rtsp://rebind.example.vn/1", DEFAULT, rebinding)
    assert (checked.address, checked.host, asked) == (
        "rtsp://10.0.0.5/1",
        "rebind.example.vn",
        [checked.host],
    )


def test_the_systems_own_names_are_looked_up() -> None:
    allowed = NetworkPolicy(networks=(ip_network("127.0.0.0/8"), ip_network("::1/128")))
    assert check_address("rtsp://localhost/1", allowed).number in ("127.0.0.1", "::1")
    with pytest.raises(SourceError):
        check_address("rtsp://localhost/1", DEFAULT)


def test_files_only_below_the_listed_folders(tmp_path: Path) -> None:
    clips, other = tmp_path / "clips", tmp_path / "clips-other"
    clips.mkdir()
    other.mkdir()
    (clips / "a.mp4").touch()
    (other / "b.mp4").touch()
    (clips / "link.mp4").symlink_to(other / "b.mp4")
    policy = NetworkPolicy(folders=(clips,))
    assert check_address(str(clips / "a.mp4"), policy).address == str(clips / "a.mp4")
    assert check_address(f"loop:{clips}/a.mp4", policy).address == f"loop:{clips}/a.mp4"
    for path in (other / "b.mp4", clips / "link.mp4", clips / ".." / "clips-other" / "b.mp4", clips / "none"):
        with pytest.raises(SourceError, match="NGATU_CAMERA_FOLDERS"):
            check_address(str(path), policy)
    environment = {"NGATU_CAMERA_FOLDERS": str(clips)}
    assert NetworkPolicy.from_environment(environment).folders == (clips,)


@pytest.mark.parametrize(
    ("address", "fine"),
    [
        ("rtsp://me:${CAM_1}@10.0.0.5/1", True),
        ("rtsp://me:${CAM_1}@unknown.example.vn/1", True),
        ("rtsp://me:${CAM_1}@127.0.0.1/1", False),
        ("rtsp://me:${CAM_1}@localhost/1", False),
        ("rtsp://metadata.google.internal/1", False),
        ("rtsp://${HOST}/1", False),
        ("${ADDRESS}", False),
        ("file:///etc/passwd", False),
    ],
)
def test_an_address_may_be_kept_before_its_name_is_known(address: str, fine: bool) -> None:
    if fine:
        check_form(address, DEFAULT)
        return
    with pytest.raises(SourceError):
        check_form(address, DEFAULT)


@pytest.fixture
def redirecting() -> Iterator[tuple[int, list[bytes]]]:
    """A camera that sends whoever asks on to another address; what was asked of that."""
    asked: list[bytes] = []
    target = socket.create_server(("127.0.0.1", 0))
    camera = socket.create_server(("127.0.0.1", 0))
    for server in (target, camera):
        server.settimeout(20)

    def answer() -> None:
        try:
            connection, _ = camera.accept()
            with connection:
                connection.settimeout(5)
                while data := connection.recv(4096):
                    number = data.decode().split("CSeq: ")[1].split("\r\n")[0]
                    place = f"rtsp://127.0.0.1:{target.getsockname()[1]}/inside"
                    reply = f"RTSP/1.0 302 Found\r\nCSeq: {number}\r\nLocation: {place}\r\n\r\n"
                    connection.sendall(reply.encode())
        except OSError:
            pass

    def listen() -> None:
        try:
            connection, _ = target.accept()
            with connection:
                connection.settimeout(5)
                asked.append(connection.recv(4096))
        except OSError:
            pass

    threads = [threading.Thread(target=each, daemon=True) for each in (answer, listen)]
    for thread in threads:
        thread.start()
    yield camera.getsockname()[1], asked
    camera.close()
    target.close()


def test_a_redirection_by_a_camera_carries_nothing_but_a_greeting(
    redirecting: tuple[int, list[bytes]],
) -> None:
    # FFmpeg follows it and cannot be told not to; docs/security.md says what that leaves open.
    port, asked = redirecting
    with pytest.raises(SourceError) as caught:
        open_source(f"rtsp://me:s3cret@127.0.0.1:{port}/1", open_timeout=4, read_timeout=4)
    assert "s3cret" not in str(caught.value)
    assert all(each.startswith(b"OPTIONS rtsp://") and b"s3cret" not in each for each in asked)
