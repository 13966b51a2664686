"""A real RTSP server that plays one H.264 MP4 file at its own pace; prints its two ports, open and protected.

Run with the system's Python, which has GStreamer's bindings: rtsp_server.py FILE USER PASSWORD
"""

import json
import sys

import gi

gi.require_version("Gst", "1.0")
gi.require_version("GstRtspServer", "1.0")
from gi.repository import GLib, Gst, GstRtspServer  # noqa: E402

ROLE = "viewer"


def serve(path: str, auth: GstRtspServer.RTSPAuth | None) -> int:
    """Play ``path`` at /stream on a free port of this machine and return the port."""
    server = GstRtspServer.RTSPServer()
    server.set_address("127.0.0.1")
    server.set_service("0")
    factory = GstRtspServer.RTSPMediaFactory()
    factory.set_launch(
        f'( filesrc location="{path}" ! qtdemux ! rtph264pay name=pay0 pt=96 config-interval=1 )'
    )
    if auth is not None:
        server.set_auth(auth)
        permissions = GstRtspServer.RTSPPermissions()
        permissions.add_role(ROLE)
        for right in ("media.factory.access", "media.factory.construct"):
            permissions.add_permission_for_role(ROLE, right, True)
        factory.set_permissions(permissions)
    server.get_mount_points().add_factory("/stream", factory)
    server.attach(None)
    servers.append(server)
    return server.get_bound_port()


def basic_auth(user: str, password: str) -> GstRtspServer.RTSPAuth:
    """Let in only those who know the password."""
    auth = GstRtspServer.RTSPAuth()
    token = GstRtspServer.RTSPToken()
    token.set_string("media.factory.role", ROLE)
    auth.add_basic(GstRtspServer.RTSPAuth.make_basic(user, password), token)
    return auth


servers: list[GstRtspServer.RTSPServer] = []  # a server ends when it is collected

if __name__ == "__main__":
    file, user, password = sys.argv[1:]
    Gst.init(None)
    ports = {"open": serve(file, None), "protected": serve(file, basic_auth(user, password))}
    print(json.dumps(ports), flush=True)
    GLib.MainLoop().run()
