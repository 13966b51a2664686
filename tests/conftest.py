"""Fixtures for any test: real clips where they are there, tiny clips, an RTSP server, a browser."""

import json
import logging
import os
import shutil
import signal
import struct
import subprocess
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import av
import numpy as np
import pytest
from numpy.typing import NDArray

if TYPE_CHECKING:
    from playwright.sync_api import Browser

# A server that runs through the session is told things all the time: nobody wants to read each request.
for _name in ("httpx", "httpx2"):
    logging.getLogger(_name).setLevel(logging.WARNING)

MakeClip = Callable[..., Path]

# Tests seal with a key of their own, and leave no key file in anybody's settings.
os.environ.setdefault("NGATU_KEY", "YSBrZXkgb2YgbmdhdHUncyB0ZXN0cywgMzIgYnl0ZXM=")
# Processes of pytest-xdist are told the width of a window: tables of the tests have none.
os.environ.pop("COLUMNS", None)
SYSTEM_PYTHON = "/usr/bin/python3"
"""It has GStreamer's bindings, which no environment of ours can install."""


def missing(part: str, reason: str) -> NoReturn:
    """Skip the test, or fail it where the environment variable NGATU_REQUIRE lists ``part``."""
    if part in os.environ.get("NGATU_REQUIRE", "").replace(",", " ").split():
        pytest.fail(f"NGATU_REQUIRE asks for {part}: {reason}")
    pytest.skip(reason)


@pytest.fixture(autouse=True)
def _logging_as_before() -> Iterator[None]:
    """A command that sets up logging within a test writes to that test's output only."""
    root, hook = logging.getLogger(), threading.excepthook
    handlers, level = list(root.handlers), root.level
    yield
    for handler in [each for each in root.handlers if each not in handlers]:
        root.removeHandler(handler)
    root.setLevel(level)
    threading.excepthook = hook


@pytest.fixture(scope="session")
def testdata() -> Path:
    """The folder of real clips, models and labels that NGATU_TESTDATA names."""
    folder = os.environ.get("NGATU_TESTDATA")
    if not folder or not Path(folder).is_dir():
        missing("data", "NGATU_TESTDATA does not name a folder")
    return Path(folder)


def picture(number: int, size: tuple[int, int] = (128, 96)) -> NDArray[np.uint8]:
    """A BGR test picture: a gradient, a red top left corner, and a lower half whose grey tells ``number``."""
    width, height = size
    image = np.zeros((height, width, 3), np.uint8)
    image[..., 1] = np.linspace(40, 200, width, dtype=np.uint8)
    image[: height // 4, : width // 4] = (0, 0, 255)
    image[height // 2 :] = 20 + number * 10 % 220
    return image


def _make_clip(
    path: Path,
    frames: int | Sequence[NDArray[np.uint8]],
    fps: float = 25.0,
    *,
    codec: str = "libx264",
    size: tuple[int, int] = (128, 96),
    times: Sequence[float] | None = None,
    rotation: int = 0,
    created: str | None = None,
    options: dict[str, str] | None = None,
    container_options: dict[str, str] | None = None,
    pix_fmt: str = "yuv420p",
) -> Path:
    """Write a video and return its path.

    Args:
        path: the file; its suffix chooses the container.
        frames: how many test pictures, or BGR pictures.
        fps: frames per second.
        codec: FFmpeg's name of the encoder.
        size: of the test pictures.
        times: presentation time of each frame in seconds, for a variable rate; else even by ``fps``.
        rotation: degrees counter-clockwise by which a player must turn the picture.
        created: the container's ``creation_time``.
        options: of the encoder.
        container_options: of the container.
        pix_fmt: pixel format of the video.
    """
    pictures = [picture(n, size) for n in range(frames)] if isinstance(frames, int) else list(frames)
    defaults = {
        "libx264": {"preset": "ultrafast", "g": "10", "qp": "12"},
        "libx265": {"preset": "ultrafast"},
        "mpeg4": {"qmax": "3"},
    }
    chosen = dict(defaults.get(codec, {}), **(options or {}))
    if codec == "libx265":
        chosen["x265-params"] = "log-level=none:keyint=10:bframes=2:pools=1:qp=12"
    if path.suffix == ".mp4":
        container_options = {"movflags": "faststart", **(container_options or {})}
    rate = Fraction(fps).limit_denominator(1001)
    base = Fraction(1, 30000) if times else 1 / rate
    with av.open(str(path), "w", options=container_options or {}) as container:
        if created:
            container.metadata["creation_time"] = created
        stream: Any = container.add_stream(codec, rate=rate)
        stream.height, stream.width = pictures[0].shape[:2]
        stream.pix_fmt = pix_fmt
        stream.options = chosen
        stream.codec_context.thread_count = 1
        stream.codec_context.time_base = base
        if rotation:
            stream.set_display_rotation(rotation)
        for number, image in enumerate(pictures):
            frame = av.VideoFrame.from_ndarray(image, format="bgr24")
            frame = frame.reformat(format=pix_fmt)
            frame.pts = round(times[number] / base) if times else number
            frame.time_base = base
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    return path


@pytest.fixture(scope="session")
def make_clip() -> MakeClip:
    """``make_clip(path, frames, fps, codec=...)`` writes a tiny video: see ``_make_clip``."""
    return _make_clip


@dataclass
class RtspServer:
    """A running server and how to reach it."""

    process: subprocess.Popen[str]
    open_address: str
    protected: str
    """host:port/path, to be prefixed with a login"""
    user: str = "admin"
    password: str = "s3cr3t@w0rd"  # noqa: S105 - of a server that lives as long as a test

    def fall_silent(self) -> None:
        """Stop sending without closing the connection, as a camera does whose power fails."""
        self.process.send_signal(signal.SIGSTOP)


def _require_rtsp() -> None:
    probe = "import gi; gi.require_version('GstRtspServer', '1.0'); from gi.repository import GstRtspServer"
    try:
        subprocess.run([SYSTEM_PYTHON, "-c", probe], check=True, capture_output=True, timeout=30)
    except (OSError, subprocess.SubprocessError):
        missing("rtsp", "the Debian packages gir1.2-gst-rtsp-server-1.0 and python3-gi are not installed")


@pytest.fixture
def rtsp_server(tmp_path: Path) -> Iterator[RtspServer]:
    """GStreamer's RTSP server on this machine, playing a clip of 30 s."""
    _require_rtsp()
    clip = _make_clip(tmp_path / "loop.mp4", 750, 25, options={"qp": "20", "bf": "0"})
    script = Path(__file__).with_name("rtsp_server.py")
    command = [SYSTEM_PYTHON, str(script), str(clip), RtspServer.user, RtspServer.password]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as process:
        try:
            assert process.stdout is not None
            line = process.stdout.readline()
            if not line:
                missing("rtsp", "the RTSP server did not start")
            ports = json.loads(line)
            yield RtspServer(
                process, f"rtsp://127.0.0.1:{ports['open']}/stream", f"127.0.0.1:{ports['protected']}/stream"
            )
        finally:
            process.kill()


@dataclass
class RtspCameras:
    """A running server with several cameras, each of which can be made to fail."""

    process: subprocess.Popen[str]
    ports: dict[str, int]
    logins: dict[str, str]

    def address(self, camera: str, login: str | None = None) -> str:
        """Where a camera plays; ``login`` is ``user:password``, by default the right one."""
        login = self.logins.get(camera, "") if login is None else login
        return f"rtsp://{login}{'@' if login else ''}127.0.0.1:{self.ports[camera]}/stream"

    def do(self, camera: str, what: str) -> None:
        """One of cut, back, silent, freeze, garble, slow: see rtsp_server.py."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(json.dumps({"camera": camera, "do": what}) + "\n")
        self.process.stdin.flush()
        assert self.process.stdout.readline() == "done\n"


def write_units(clip: Path, path: Path) -> Path:
    """A clip of H.264 without B-frames as access units, which rtsp_server.py replays as a camera."""
    with av.open(str(clip)) as container, path.open("wb") as file:
        stream = container.streams.video[0]
        to_bytes = av.BitStreamFilterContext("h264_mp4toannexb", stream)
        for packet in container.demux(stream):
            for unit in to_bytes.filter(packet) if packet.size else ():
                file.write(struct.pack(">IB", unit.size, unit.is_keyframe))
                file.write(bytes(unit))
    return path


MakeCameras = Callable[..., RtspCameras]


@contextmanager
def start_cameras(
    folder: Path, clips: dict[str, Path], fps: float = 10.0, logins: dict[str, str] | None = None
) -> Iterator[RtspCameras]:
    """A server whose cameras replay clips; files go into ``folder``."""
    about: dict[str, dict[str, object]] = {}
    for name, clip in clips.items():
        user, _, password = (logins or {}).get(name, "").partition(":")
        units = write_units(clip, folder / f"{name}.units")
        about[name] = {"file": str(units), "fps": fps, "user": user, "password": password}
    command = [SYSTEM_PYTHON, str(Path(__file__).with_name("rtsp_server.py")), "--cameras", json.dumps(about)]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=subprocess.DEVNULL, text=True) as process:
        try:
            assert process.stdout is not None
            line = process.stdout.readline()
            if not line:
                missing("rtsp", "the RTSP server did not start")
            yield RtspCameras(process, json.loads(line), logins or {})
        finally:
            process.kill()


@pytest.fixture
def rtsp_cameras(tmp_path: Path) -> Iterator[MakeCameras]:
    """``rtsp_cameras({"cam1": clip, ...}, fps=10, logins={"cam1": "user:password"})`` starts a server."""
    _require_rtsp()
    with ExitStack() as started:

        def start(
            clips: dict[str, Path], fps: float = 10.0, logins: dict[str, str] | None = None
        ) -> RtspCameras:
            return started.enter_context(start_cameras(tmp_path, clips, fps, logins))

        yield start


@pytest.fixture(scope="session")
def browser() -> "Iterator[Browser]":
    """The system's Chromium."""
    program = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if program is None:
        missing("browser", "Chromium is not installed (Debian: chromium)")
    try:
        from playwright.sync_api import sync_playwright
    except ImportError:
        missing("browser", "the Python package playwright is not installed")
    # Chromium refuses to start its sandbox as root, as in a container; the pages here are our own.
    flags = ["--no-sandbox"] if os.geteuid() == 0 else []
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=program, args=flags)
        yield chromium
        chromium.close()
