"""Webhooks against a real receiver: signed, told again until taken, opened nowhere but where they may."""

import base64
import hashlib
import hmac
import json
import ssl
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from sqlalchemy import Engine

from service.alarms.store import clear, insert_alarm
from service.api.hub import LiveHub
from service.auth.vault import put_secret
from service.feeds.receiver import AgainError, FeedError, Item
from service.feeds.sender import Sender
from service.feeds.settings import load_receivers
from service.feeds.webhooks import Webhook, WebhookSettings, key_of
from service.storage.connect import writing
from tests.service.api.conftest import NOW, Clock

KEY = b"k" * 32
SECRET = "whsec_" + base64.b64encode(KEY).decode()
HERE = ("127.0.0.0/8",)


@dataclass
class Post:
    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def told(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.body)
        return found

    def verify(self, key: bytes = KEY, now: float = NOW.timestamp()) -> None:
        """As a receiver does by the standard: the signature holds, and the moment is about now."""
        number, at = self.headers["webhook-id"], self.headers["webhook-timestamp"]
        assert abs(now - int(at)) < 300
        mac = hmac.new(key, f"{number}.{at}.".encode() + self.body, hashlib.sha256).digest()
        given = [each.removeprefix("v1,") for each in self.headers["webhook-signature"].split(" ")]
        assert base64.b64encode(mac).decode() in given


@dataclass
class Operations:
    """Somebody's receiver; ``answers`` are given in turn, then 204."""

    posts: list[Post] = field(default_factory=list)
    answers: list[int] = field(default_factory=list)
    location: str = ""
    url: str = ""


@pytest.fixture
def operations() -> Iterator[Operations]:
    room = Operations()
    with Receiving(room) as server:
        room.url = f"http://127.0.0.1:{server.server_port}/hook?room=1"
        yield room


class Receiving:
    """A server that fills a room while it is open."""

    def __init__(self, room: Operations, context: ssl.SSLContext | None = None) -> None:
        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                headers = {name.lower(): value for name, value in self.headers.items()}
                room.posts.append(Post(self.path, headers, body))
                status = room.answers.pop(0) if room.answers else 204
                self.send_response(status)
                if room.location:
                    self.send_header("Location", room.location)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        if context is not None:
            self.server.socket = context.wrap_socket(self.server.socket, server_side=True)

    def __enter__(self) -> ThreadingHTTPServer:
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        return self.server

    def __exit__(self, *_: object) -> None:
        self.server.shutdown()
        self.server.server_close()


def webhook(url: str, clock: Clock, secret: str = SECRET, **more: Any) -> Webhook:
    told = {"kind": "webhook", "name": "room", "url": url, "secret": secret, "networks": HERE, **more}
    resolve = more.pop("resolve", None)
    told.pop("resolve", None)
    return Webhook(WebhookSettings.model_validate(told), {}, resolve, clock)


def raise_alarm(engine: Engine, at: datetime = NOW, **more: Any) -> dict[str, Any]:
    row = {
        "subject": f"jam square north {at.isoformat()}",
        "kind": "jam",
        "severity": "warning",
        "site_id": "square",
        "approach_id": "north",
        "camera_id": "cam1",
        "raised_at": at,
        "details": {"level": "jammed", "space_mean_speed_kmh": 4.2},
        **more,
    }
    with writing(engine) as connection:
        return insert_alarm(connection, row)


def sender(receiver: Webhook, engine: Engine, hub: LiveHub, path: Path, clock: Clock) -> Sender:
    return Sender(receiver, engine, hub, path / "room.db", clock=clock)


def test_an_alarm_is_told_as_new_and_end_with_one_id_signed(
    engine: Engine, hub: LiveHub, clock: Clock, tmp_path: Path, operations: Operations
) -> None:
    telling = sender(webhook(operations.url, clock), engine, hub, tmp_path, clock)
    row = raise_alarm(engine)
    with telling.open_queue() as queue:
        telling.turn(queue)
        clock.now += 60
        with writing(engine) as connection:
            clear(connection, row, clock.now, "over")
        telling.turn(queue)
        clock.now += 60
        telling.turn(queue)
    new, end = operations.posts
    assert new.path == "/hook?room=1"
    new.verify()
    end.verify(now=clock.now)
    assert [new.told["type"], end.told["type"]] == ["alarm.new", "alarm.end"]
    assert new.told["data"]["id"] == end.told["data"]["id"] == str(row["id"])
    assert new.headers["webhook-id"] != end.headers["webhook-id"]
    assert new.told["timestamp"] == "2026-03-10T12:00:00Z"
    data = new.told["data"]
    assert (data["site_name"], data["approach_name"]) == ("Ngã tư Quảng trường", "Lê Lợi")
    assert data["vi"]["title"] == "Ùn tắc"
    assert "4 km/h" in data["en"]["figures"]


def test_what_a_receiver_cannot_take_now_comes_again_with_the_same_id(
    engine: Engine, hub: LiveHub, clock: Clock, tmp_path: Path, operations: Operations
) -> None:
    operations.answers = [503, 401, 204]
    telling = sender(webhook(operations.url, clock), engine, hub, tmp_path, clock)
    raise_alarm(engine)
    raise_alarm(engine, NOW + timedelta(seconds=1))
    with telling.open_queue() as queue:
        for _ in range(4):
            telling.turn(queue)
            clock.now += 30
        assert queue.state().waiting == 0
    ids = [post.headers["webhook-id"] for post in operations.posts]
    assert ids[0] == ids[1] == ids[2] != ids[3]
    assert telling.state.problem is None
    for post in operations.posts:
        post.verify()


def test_what_a_receiver_refuses_does_not_hold_up_the_rest(
    engine: Engine, hub: LiveHub, clock: Clock, tmp_path: Path, operations: Operations
) -> None:
    operations.answers = [422]
    telling = sender(webhook(operations.url, clock), engine, hub, tmp_path, clock)
    raise_alarm(engine)
    raise_alarm(engine, NOW + timedelta(seconds=1))
    with telling.open_queue() as queue:
        telling.turn(queue)
        state = queue.state()
    assert (state.waiting, state.refused, len(operations.posts)) == (0, 1, 2)


def test_only_wished_alarms_are_told(
    engine: Engine, hub: LiveHub, clock: Clock, tmp_path: Path, operations: Operations
) -> None:
    receiver = webhook(operations.url, clock, severities=["critical"], alarms=["camera_lost"])
    telling = sender(receiver, engine, hub, tmp_path, clock)
    raise_alarm(engine)
    raise_alarm(engine, NOW + timedelta(seconds=1), severity="critical")
    raise_alarm(engine, NOW + timedelta(seconds=2), severity="critical", kind="camera_lost")
    with telling.open_queue() as queue:
        telling.turn(queue)
    assert [post.told["data"]["kind"] for post in operations.posts] == ["camera_lost"]


ITEM = Item("alarm/1", "1", {"type": "alarm.new"})


def deliver(receiver: Webhook) -> None:
    receiver._open_secrets({})
    receiver.deliver([ITEM])


@pytest.mark.parametrize(
    ("url", "networks", "told"),
    [
        ("https://127.0.0.1/hook", None, "this machine"),
        ("https://169.254.169.254/latest/meta-data", None, "link-local"),
        ("https://[::ffff:127.0.0.1]/hook", None, "this machine"),
        ("https://rebound.example/hook", None, "this machine"),
        ("http://10.0.0.5/hook", None, "not opened"),
        ("https://10.0.0.5/hook", ("10.1.0.0/16",), "none of the networks"),
        ("file:///etc/passwd", None, "not opened"),
    ],
)
def test_an_address_that_may_not_be_opened_is_not(
    url: str, networks: tuple[str, ...] | None, told: str, clock: Clock
) -> None:
    receiver = webhook(url, clock, networks=networks, resolve=lambda *_: ["127.0.0.1"])
    with pytest.raises(AgainError, match=told):
        deliver(receiver)


def test_a_redirect_leads_nowhere(clock: Clock, operations: Operations) -> None:
    other = Operations()
    with Receiving(other) as server:
        operations.answers, operations.location = [302], f"http://127.0.0.1:{server.server_port}/"
        with pytest.raises(AgainError, match="leads elsewhere"):
            deliver(webhook(operations.url, clock))
    assert not other.posts


def test_the_secret_comes_from_the_vault_and_a_new_one_signs_from_then_on(
    engine: Engine, hub: LiveHub, clock: Clock, tmp_path: Path, operations: Operations
) -> None:
    receiver = webhook(operations.url, clock, "${ROOM}", previous_secret=SECRET)
    telling = sender(receiver, engine, hub, tmp_path, clock)
    raise_alarm(engine)
    with telling.open_queue() as queue:
        with pytest.raises(FeedError, match="there is no secret ROOM"):
            telling.turn(queue)
        with writing(engine) as connection:
            put_secret(connection, "test", "ROOM", "n" * 30, datetime.now(UTC))
        telling.turn(queue)
    assert len(operations.posts) == 1
    operations.posts[0].verify(b"n" * 30)
    operations.posts[0].verify(KEY)


@pytest.mark.parametrize(("secret", "told"), [("tiny", "shorter"), ("whsec_!!", "no base 64")])
def test_a_bad_secret_is_one_sentence_and_is_not_repeated(secret: str, told: str) -> None:
    with pytest.raises(FeedError, match=told) as caught:
        key_of(secret, "webhook room: secret")
    assert secret not in str(caught.value)


def test_secrets_do_not_show(clock: Clock) -> None:
    receiver = webhook("https://user.example/T0KEN", clock)
    assert "T0KEN" not in repr(receiver.settings)
    assert SECRET not in repr(receiver.settings)


def test_it_is_one_entry_of_feeds_yaml(tmp_path: Path) -> None:
    file = tmp_path / "feeds.yaml"
    file.write_text(
        "receivers:\n  - {kind: webhook, name: room, url: 'https://room.example/hook', secret: '${ROOM}'}\n"
    )
    (found,) = load_receivers(file)
    assert isinstance(found, Webhook)
    file.write_text("receivers:\n  - {kind: webhook, name: room, url: 'x', secret: 'y', networks: [z]}\n")
    with pytest.raises(FeedError, match="networks"):
        load_receivers(file)


def certificate(folder: Path, name: str) -> tuple[Path, ssl.SSLContext]:
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(hours=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    file = folder / f"{name}.pem"
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    file.write_bytes(made.public_bytes(serialization.Encoding.PEM) + private)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(file)
    return file, context


def test_by_tls_the_name_is_checked_though_the_number_is_opened(clock: Clock, tmp_path: Path) -> None:
    file, context = certificate(tmp_path, "room.example")
    room = Operations()

    def looked_up(_host: str, _port: int) -> list[str]:
        return ["127.0.0.1"]

    with Receiving(room, context) as server:
        port = server.server_port
        deliver(webhook(f"https://room.example:{port}/hook", clock, ca_file=file, resolve=looked_up))
        with pytest.raises(AgainError, match="certificate"):
            deliver(webhook(f"https://other.example:{port}/hook", clock, ca_file=file, resolve=looked_up))
        with pytest.raises(AgainError, match="certificate"):
            deliver(webhook(f"https://room.example:{port}/hook", clock, resolve=looked_up))
    assert [post.headers["host"] for post in room.posts] == [f"room.example:{port}"]
