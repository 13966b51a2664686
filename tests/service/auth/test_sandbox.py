"""What runs on a stranger's file has little memory, time and rights, and nothing else suffers with it."""

import socket
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from service.auth.sandbox import Limits, SandboxError, StoppedError, isolation, run_limited
from service.auth.uploads import UploadError, UploadRules, check_recording, kind_of, probe
from tests.conftest import MakeClip
from tests.service.auth import caged


def run(function: Any, *args: Any, **limits: Any) -> Any:
    return run_limited(function, args, Limits(**limits))


def needs(part: str) -> None:
    if part not in isolation():
        pytest.skip(f"this kernel does not give a process's {part} away")


def test_a_function_is_told_its_arguments_and_tells_its_result() -> None:
    told: list[Any] = []
    assert run_limited(caged.double, [4], progress=told.append) == {"double": 8}
    assert told == [0.5]
    assert {"memory", "time"} <= set(isolation())


@pytest.mark.parametrize(
    ("function", "limits", "problem"),
    [
        (caged.eat, {"memory": 2**30}, "it needs more than 1024 MiB of memory"),
        (caged.spin, {"cpu_s": 1}, "it took more than 1 s of computing"),
        (caged.sleep, {"wall_s": 1.0}, "it took more than 1 s and was stopped"),
        (caged.die, {}, "it ended without a result"),
        (caged.refuse, {}, r"rtsp://\*\*\*@10.0.0.5/1 cannot be opened: nothing answers."),
        (caged.answer_nonsense, {}, "it failed: "),
    ],
)
def test_what_goes_wrong_apart_is_one_sentence(function: Any, limits: Any, problem: str) -> None:
    with pytest.raises(SandboxError, match=problem) as caught:
        run(function, **limits)
    assert "\n" not in str(caught.value)


def test_it_is_stopped_when_asked() -> None:
    began = time.monotonic()
    with pytest.raises(StoppedError):
        run_limited(caged.sleep, stop=lambda: time.monotonic() > began + 0.5)
    assert time.monotonic() - began < 30


def test_it_knows_no_secrets_of_the_service(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PGPASSWORD", "s3cret")
    seen = run(caged.environment)
    assert "NGATU_KEY" not in seen
    assert "s3cret" not in str(seen)


def test_it_reads_and_writes_only_where_it_may(tmp_path: Path) -> None:
    needs("files")
    given, own = tmp_path / "given", tmp_path / "own"
    given.mkdir()
    own.mkdir()
    (given / "clip").write_text("hello")
    (tmp_path / "ngatu.db").write_text("hello")
    calls = [
        ["read", str(given / "clip")],
        ["read", str(tmp_path / "ngatu.db")],
        ["read", str(given / ".." / "ngatu.db")],
        ["parents_environment"],
        ["write", str(given / "clip")],
        ["write", str(given / "new")],
        ["write", str(own / "result")],
        ["write_much", str(own / "big")],
    ]
    refused = "refused: PermissionError"
    assert run(caged.several, calls, readable=(given,), writable=own, file_size=2**22) == [
        "hello", *[refused] * 5, "written", "refused: OSError",
    ]  # fmt: skip
    assert (own / "result").read_text() == "mine"
    assert run(caged.write, str(own / "result"), readable=(given,)) == refused


@pytest.fixture
def listening() -> Iterator[int]:
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


def test_it_has_no_network_unless_that_is_said(listening: int) -> None:
    needs("network")
    assert run(caged.connect, listening).startswith("refused")
    assert run(caged.connect, listening, network=True) == "connected"


def test_a_recording_is_looked_at_apart(make_clip: MakeClip, tmp_path: Path) -> None:
    clip = make_clip(tmp_path / "clip.mp4", 20)
    check_recording(clip)
    found = probe(clip)
    assert (found.codec, found.width, found.height) == ("h264", 128, 96)
    with pytest.raises(UploadError, match="codec h264 is not taken"):
        probe(clip, UploadRules(codecs=frozenset({"hevc"})))
    with pytest.raises(UploadError, match="128x96 are too large"):
        probe(clip, UploadRules(most_pixels=1000))


@pytest.mark.parametrize(
    ("head", "kind"),
    [
        (b"\x00\x00\x00\x20ftypisom" + bytes(600), ".mp4"),
        (b"\x00\x00\x00\x08wide\x00\x00\x00\x00mdat" + bytes(600), ".mp4"),
        (b"\x1a\x45\xdf\xa3" + bytes(600), ".mkv"),
        (b"RIFF\x00\x00\x00\x00AVI " + bytes(600), ".avi"),
        ((b"\x47" + bytes(187)) * 4, ".ts"),
        (b"\x00\x00\x01\xba" + bytes(600), ".mpg"),
        (b"#EXTM3U\n#EXT-X-MEDIA-SEQUENCE:0\n#EXTINF:10,\nfile:///etc/passwd\n", None),
        (b"ffconcat version 1.0\nfile /etc/passwd\n", None),
        (b"<?xml version='1.0'?><MPD/>", None),
        (b"v=0\r\nc=IN IP4 10.0.0.5\r\n", None),
        (b"\x7fELF" + bytes(600), None),
        (b"", None),
    ],
)
def test_a_container_is_known_by_its_beginning(head: bytes, kind: str | None, tmp_path: Path) -> None:
    assert kind_of(head) == kind
    path = tmp_path / "upload.mp4"
    path.write_bytes(head)
    if kind is None:
        with pytest.raises(UploadError, match=r"upload\.mp4 is no recording that is taken"):
            check_recording(path)
    else:
        check_recording(path)
