"""A real RTSP server for tests: plays clips as cameras do, and on command cuts off, freezes, garbles, slows.

Run with the system's Python, which has GStreamer's bindings; it prints one line of JSON with its ports.

    rtsp_server.py FILE USER PASSWORD    one MP4 at its own pace at /stream, on an open and a protected port
    rtsp_server.py --cameras JSON        {"name": {"file": F, "fps": R, "user": U, "password": P}, ..}: each
                                         on a port of its own at /stream, replayed for ever

A file of cameras holds access units of H.264: for each 4 bytes of length (big-endian), 1 byte that is 1 for
a key frame, then the unit as a byte stream; it begins with a key frame. Commands come on standard input, one
line of JSON each, such as {"camera": "name", "do": "cut"}, and are answered by one line:

    cut      nobody listens any more and all connections are closed      back     as it was
    silent   connections stay, but nothing is sent                       freeze   one picture again and again
    garble   bytes of most pictures are spoilt                           slow     a fifth of the rate
"""

import json
import random
import struct
import sys
from pathlib import Path

import gi

gi.require_version("Gst", "1.0")
gi.require_version("GstRtspServer", "1.0")
from gi.repository import GLib, Gst, GstRtspServer  # noqa: E402

ROLE = "viewer"
chance = random.Random(1)  # noqa: S311 - spoils pictures, keeps no secret
PLAYED = (
    "( appsrc name=source is-live=true do-timestamp=true format=time max-bytes=4000000 "
    "caps=video/x-h264,stream-format=byte-stream,alignment=au "
    "! rtph264pay name=pay0 pt=96 config-interval=-1 )"
)


def basic_auth(user: str, password: str) -> GstRtspServer.RTSPAuth:
    """Let in only those who know the password."""
    auth = GstRtspServer.RTSPAuth()
    token = GstRtspServer.RTSPToken()
    token.set_string("media.factory.role", ROLE)
    auth.add_basic(GstRtspServer.RTSPAuth.make_basic(user, password), token)
    return auth


def make_factory(launch: str, protected: bool) -> GstRtspServer.RTSPMediaFactory:
    """What plays at /stream."""
    factory = GstRtspServer.RTSPMediaFactory()
    factory.set_launch(launch)
    if protected:
        permissions = GstRtspServer.RTSPPermissions()
        permissions.add_role(ROLE)
        for right in ("media.factory.access", "media.factory.construct"):
            permissions.add_permission_for_role(ROLE, right, True)
        factory.set_permissions(permissions)
    return factory


def listen(
    factory: GstRtspServer.RTSPMediaFactory, auth: GstRtspServer.RTSPAuth | None, port: int = 0
) -> tuple[GstRtspServer.RTSPServer, int, int]:
    """A server on a port of this machine (0: any free one), its port, and its number in the main loop."""
    server = GstRtspServer.RTSPServer()
    server.set_address("127.0.0.1")
    server.set_service(str(port))
    if auth is not None:
        server.set_auth(auth)
    server.get_mount_points().add_factory("/stream", factory)
    number = server.attach(None)
    return server, server.get_bound_port(), number


def serve_file(path: str, auth: GstRtspServer.RTSPAuth | None) -> int:
    """Play an MP4 and return the port."""
    launch = f'( filesrc location="{path}" ! qtdemux ! rtph264pay name=pay0 pt=96 config-interval=1 )'
    server, port, _ = listen(make_factory(launch, auth is not None), auth)
    servers.append(server)
    return port


class Camera:
    """One camera that replays its clip for ever, from the beginning for each who connects."""

    def __init__(self, file: str, fps: float, user: str = "", password: str = "") -> None:
        self.units = list(read_units(file))
        self.interval_ms = round(1000 / fps)
        self.auth = basic_auth(user, password) if user else None
        self.mode = "back"
        self.factory = make_factory(PLAYED, self.auth is not None)
        self.factory.connect("media-configure", self.feed)
        self.server, self.port, self.number = listen(self.factory, self.auth)

    def feed(self, _factory: object, media: GstRtspServer.RTSPMedia) -> None:
        """Begin to push pictures to one who has connected."""
        source = media.get_element().get_by_name("source")
        state = {"at": 0, "tick": 0}
        timer = GLib.timeout_add(self.interval_ms, self.push, source, state)
        media.connect("unprepared", lambda _media: GLib.source_remove(timer))

    def push(self, source: Gst.Element, state: dict[str, int]) -> bool:
        """Send the next picture, as the mode says."""
        state["tick"] += 1
        if self.mode == "silent" or (self.mode == "slow" and state["tick"] % 5):
            return True
        unit, _ = self.units[state["at"] % len(self.units)]
        if self.mode == "freeze":
            unit = next(data for data, key in self.units if key)
        else:
            state["at"] += 1
        if self.mode == "garble" and len(unit) > 100 and chance.random() < 0.7:
            spoilt = bytearray(unit)
            for _ in range(max(3, len(unit) // 200)):
                spoilt[chance.randrange(60, len(unit))] = chance.randrange(256)
            unit = bytes(spoilt)
        source.emit("push-buffer", Gst.Buffer.new_wrapped(unit))
        return True

    def do(self, what: str) -> None:
        """Follow a command."""
        if what == "cut" and self.server is not None:
            GLib.source_remove(self.number)
            self.server.client_filter(lambda *_: GstRtspServer.RTSPFilterResult.REMOVE)
            self.server = None
        elif what == "back" and self.server is None:
            self.server, _, self.number = listen(self.factory, self.auth, self.port)
        self.mode = what


def read_units(file: str) -> object:
    """The access units of a file, each with whether it is a key frame."""
    with Path(file).open("rb") as opened:
        while head := opened.read(5):
            length, key = struct.unpack(">IB", head)
            yield opened.read(length), bool(key)


def obey(_channel: int, _condition: object, cameras: dict[str, Camera]) -> bool:
    """Read one command and follow it."""
    line = sys.stdin.readline()
    if not line:
        loop.quit()
        return False
    command = json.loads(line)
    cameras[command["camera"]].do(command["do"])
    print("done", flush=True)
    return True


servers: list[GstRtspServer.RTSPServer] = []  # a server ends when it is collected
loop = GLib.MainLoop()

if __name__ == "__main__":
    Gst.init(None)
    if sys.argv[1] == "--cameras":
        cameras = {name: Camera(**about) for name, about in json.loads(sys.argv[2]).items()}
        print(json.dumps({name: camera.port for name, camera in cameras.items()}), flush=True)
        GLib.io_add_watch(0, GLib.IO_IN | GLib.IO_HUP, obey, cameras)
    else:
        file, user, password = sys.argv[1:]
        ports = {"open": serve_file(file, None), "protected": serve_file(file, basic_auth(user, password))}
        print(json.dumps(ports), flush=True)
    loop.run()
