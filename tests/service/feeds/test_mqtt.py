"""MQTT against a real Mosquitto: retained states, last will, alarms, at least once, TLS and credentials."""

import json
import shutil
import socket
import ssl
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import paho.mqtt.client as paho
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from paho.mqtt.enums import CallbackAPIVersion
from sqlalchemy import Engine

from service.alarms.store import acknowledge, clear
from service.api.hub import LiveHub
from service.feeds.mqtt import MqttReceiver, MqttSettings
from service.feeds.receiver import AgainError
from service.feeds.sender import Sender
from service.live.messages import ApproachLive, CameraReport, WorkerReport
from service.storage.connect import writing
from tests.conftest import missing
from tests.service.api.conftest import Clock
from tests.service.feeds.test_sender import alarm

PROGRAM = shutil.which("mosquitto") or "/usr/sbin/mosquitto"


@dataclass
class Mosquitto:
    """A broker on this machine that can be stopped and started again."""

    folder: Path
    port: int
    lines: tuple[str, ...] = ("allow_anonymous true",)
    process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        file = self.folder / "mosquitto.conf"
        file.write_text(
            "\n".join([f"listener {self.port} 127.0.0.1", "persistence false", *self.lines]) + "\n"
        )
        command = [PROGRAM, "-c", str(file)]
        self.process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        until = time.monotonic() + 30
        while True:
            try:
                socket.create_connection(("127.0.0.1", self.port), 1).close()
                return
            except OSError:
                assert self.process.poll() is None, "Mosquitto ended"
                assert time.monotonic() < until, "Mosquitto does not listen"
                time.sleep(0.02)

    def stop(self) -> None:
        if self.process is not None:
            self.process.kill()
            self.process.wait(10)
            self.process = None


def free_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return int(taken.getsockname()[1])


@pytest.fixture
def mosquitto(tmp_path: Path) -> Iterator[Mosquitto]:
    if not Path(PROGRAM).exists():
        missing("mqtt", "Mosquitto is not installed (Debian: mosquitto)")
    broker = Mosquitto(tmp_path, free_port())
    broker.start()
    yield broker
    broker.stop()


@dataclass
class Listener:
    """A subscriber to everything; what it hears in order: topic, body, retained."""

    heard: list[tuple[str, Any, bool]] = field(default_factory=list)

    def of(self, topic: str) -> list[Any]:
        return [body for name, body, _ in list(self.heard) if name == topic]

    def wait(self, condition: Callable[["Listener"], Any], seconds: float = 20.0) -> Any:
        until = time.monotonic() + seconds
        while not (found := condition(self)):
            assert time.monotonic() < until, f"not heard: {[name for name, _, _ in self.heard]}"
            time.sleep(0.02)
        return found


@contextmanager
def listening(
    port: int, context: ssl.SSLContext | None = None, login: tuple[str, str] | None = None
) -> Iterator[Listener]:
    listener = Listener()
    client = paho.Client(CallbackAPIVersion.VERSION2, protocol=paho.MQTTv311)
    if context is not None:
        client.tls_set_context(context)
    if login is not None:
        client.username_pw_set(*login)

    def hear(_client: paho.Client, _data: Any, message: paho.MQTTMessage) -> None:
        body: Any = message.payload
        if body[:1] in (b"{", b"["):
            body = json.loads(body)
        listener.heard.append((message.topic, body, message.retain))

    ready: list[bool] = []
    client.on_message = hear
    client.on_connect = lambda *_: client.subscribe("ngatu/#", qos=1)
    client.on_subscribe = lambda *_: ready.append(True)
    client.connect("localhost" if context else "127.0.0.1", port)
    client.loop_start()
    try:
        listener.wait(lambda _: ready)
        yield listener
    finally:
        client.disconnect()
        client.loop_stop()


def settings(port: int, **other: Any) -> MqttSettings:
    told = {"kind": "mqtt", "name": "ops", "host": "127.0.0.1", "port": port, "tls": False}
    return MqttSettings.model_validate({**told, "backfill_hours": 12.0, **other})


def report(clock: Clock, state: str = "live", level: str = "busy") -> WorkerReport:
    arms = [
        ApproachLive(approach=name, level=level, flow_per_h=300.0, start=clock.now - 10, end=clock.now)
        for name in ("north", "south")
    ]
    camera = CameraReport.model_validate(
        {"camera": "cam1", "site": "square", "state": state, "since": clock.now, "frame_time": clock.now}
        | {"approaches": [each.model_dump() for each in arms], "last_minute": {"motorcycle": 5}}
    )
    return WorkerReport(worker="w1", started=clock.now, time=clock.now, cameras=[camera])


def test_states_are_retained_and_null_when_nobody_knows(
    mosquitto: Mosquitto, engine: Engine, hub: LiveHub, clock: Clock, tmp_path: Path
) -> None:
    hub.expect({"cam1": "square", "cam2": "square"})
    hub.take(report(clock), 1)
    receiver = MqttReceiver(settings(mosquitto.port))
    sender = Sender(receiver, engine, hub, tmp_path / "q.db", clock=clock)
    with sender.open_queue() as queue:
        sender.turn(queue)
        assert sender.state.problem is None
        with listening(mosquitto.port) as early:
            early.wait(lambda each: each.of("ngatu/junctions/square") and each.of("ngatu/status"))
        # Somebody who comes later hears at once how it stands.
        with listening(mosquitto.port) as late:
            state = late.wait(lambda each: each.of("ngatu/junctions/square"))[0]
            camera = late.wait(lambda each: each.of("ngatu/cameras/cam1"))[0]
            assert late.wait(lambda each: each.of("ngatu/status")) == [b"online"]
            assert all(retained for _, _, retained in late.heard)
            assert state["level"] == "busy"
            assert state["cameras"] == {"cam1": "live", "cam2": "offline"}
            assert {each["approach"]: each["flow_per_h"] for each in state["approaches"]} == {
                "north": 300.0,
                "south": 300.0,
            }
            assert camera["last_minute"] == {"motorcycle": 5}
            clock.now += 60  # its worker falls silent
            sender.turn(queue)
            gone = late.wait(lambda each: each.of("ngatu/junctions/square")[1:])[0]
            assert gone["level"] is None
            assert gone["cameras"]["cam1"] == "offline"
            assert gone["approaches"][0]["flow_per_h"] is None
            assert late.wait(lambda each: each.of("ngatu/cameras/cam1")[1:])[0]["last_minute"] is None
    receiver.close()


def test_the_last_will_says_that_we_are_gone(
    mosquitto: Mosquitto, engine: Engine, hub: LiveHub, clock: Clock
) -> None:
    with listening(mosquitto.port) as listener:
        receiver = MqttReceiver(settings(mosquitto.port))
        receiver.live(hub.snapshot(), {})
        listener.wait(lambda each: each.of("ngatu/status") == [b"online"])
        # The process dies: its connection breaks without a good-bye.
        client = receiver._client
        assert client is not None
        broken = client.socket()
        assert broken is not None
        broken.shutdown(socket.SHUT_RDWR)
        listener.wait(lambda each: each.of("ngatu/status")[-1] == b"offline")
        until = time.monotonic() + 20
        while receiver._connected.is_set():
            assert time.monotonic() < until
            time.sleep(0.02)
        receiver.live(hub.snapshot(), {})
        listener.wait(lambda each: each.of("ngatu/status") == [b"online", b"offline", b"online"])
        receiver.close()
        listener.wait(lambda each: each.of("ngatu/status")[3:] == [b"offline"])


def test_an_alarm_from_new_to_end(
    mosquitto: Mosquitto, engine: Engine, hub: LiveHub, clock: Clock, tmp_path: Path
) -> None:
    receiver = MqttReceiver(settings(mosquitto.port, intervals="none", movements=False, live=False))
    sender = Sender(receiver, engine, hub, tmp_path / "q.db", clock=clock)
    with sender.open_queue() as queue, listening(mosquitto.port) as listener:
        row = alarm(engine)
        sender.turn(queue)
        with writing(engine) as connection:
            seen = acknowledge(connection, row["id"], "operator")
            assert seen is not None
        clock.now += 3
        sender.turn(queue)
        with writing(engine) as connection:
            clear(connection, seen, clock.now, "over")
        clock.now += 3
        sender.turn(queue)
        alarms = listener.wait(lambda each: len(each.of("ngatu/alarms")) == 3 and each.of("ngatu/alarms"))
    receiver.close()
    assert [each["event"] for each in alarms] == ["new", "update", "end"]
    assert {each["id"] for each in alarms} == {str(row["id"])}
    assert len({each["message_id"] for each in alarms}) == 3
    assert not any(retained for topic, _, retained in listener.heard if topic == "ngatu/alarms")


def test_everything_comes_at_least_once_over_a_broken_broker(
    mosquitto: Mosquitto, engine: Engine, hub: LiveHub, clock: Clock, tmp_path: Path
) -> None:
    receiver = MqttReceiver(settings(mosquitto.port, live=False))
    sender = Sender(receiver, engine, hub, tmp_path / "q.db", clock=clock)
    mosquitto.stop()
    with sender.open_queue() as queue:
        sender.turn(queue)
        assert "cannot be reached" in str(sender.state.problem)
        assert sender.state.queue is not None
        waiting = sender.state.queue.waiting
        mosquitto.start()
        with listening(mosquitto.port) as listener:
            clock.now += 10
            sender.turn(queue)
            assert queue.state().waiting == 0
            heard = listener.wait(lambda each: len(messages(each)) >= waiting and messages(each))
            # The broker falls away with something on its way, and comes back.
        mosquitto.stop()
        alarm(engine)
        clock.now += 10
        sender.turn(queue)
        assert queue.state().waiting == 1
        mosquitto.start()
        with listening(mosquitto.port) as again:
            clock.now += 10
            sender.turn(queue)
            again.wait(lambda each: each.of("ngatu/alarms"))
    receiver.close()
    assert waiting == 9  # eight quarters of two approaches and a movement
    assert len({each["message_id"] for each in heard}) == 9
    assert {each["revision"] for each in heard if "revision" in each} == {1}


def messages(listener: Listener) -> list[dict[str, Any]]:
    return [body for _, body, _ in list(listener.heard) if isinstance(body, dict) and "message_id" in body]


def certificate(folder: Path) -> tuple[Path, Path]:
    """A certificate of localhost, signed by itself, and its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    files = folder / "server.crt", folder / "server.key"
    files[0].write_bytes(made.public_bytes(serialization.Encoding.PEM))
    files[1].write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
    )
    return files


def test_tls_and_credentials(mosquitto: Mosquitto, hub: LiveHub, monkeypatch: pytest.MonkeyPatch) -> None:
    cert, key = certificate(mosquitto.folder)
    logins = mosquitto.folder / "logins"
    tool = shutil.which("mosquitto_passwd") or "/usr/bin/mosquitto_passwd"
    subprocess.run([tool, "-b", "-c", str(logins), "ngatu", "s3cret"], check=True, capture_output=True)
    for file in (cert, key, logins):
        file.chmod(0o644)  # Mosquitto gives root's rights away before it reads them
    for folder in (mosquitto.folder, *mosquitto.folder.parents):
        if Path(tempfile.gettempdir()) in folder.parents:
            folder.chmod(0o755)
    mosquitto.stop()
    mosquitto.lines = (
        "allow_anonymous false",
        f"password_file {logins}",
        f"certfile {cert}",
        f"keyfile {key}",
    )
    mosquitto.start()
    monkeypatch.setenv("OPS_PASSWORD", "s3cret")
    safe = {"host": "localhost", "tls": True, "user": "ngatu"}
    right = settings(mosquitto.port, **safe, password="${OPS_PASSWORD}", ca_file=cert)  # noqa: S106
    receiver = MqttReceiver(right)
    with listening(mosquitto.port, ssl.create_default_context(cafile=cert), ("ngatu", "s3cret")) as listener:
        receiver.live(hub.snapshot(), {})
        listener.wait(lambda each: each.of("ngatu/status") == [b"online"])
        receiver.close()
    assert "s3cret" not in repr(right)
    wrong = MqttReceiver(settings(mosquitto.port, **safe, password="guess", ca_file=cert))  # noqa: S106
    with pytest.raises(AgainError, match=r"does not let us in: .*[Aa]uthori[sz]ed"):
        wrong.live(hub.snapshot(), {})
    unknown = MqttReceiver(settings(mosquitto.port, **safe, password="${OPS_PASSWORD}"))  # noqa: S106
    with pytest.raises(AgainError, match="certificate"):
        unknown.live(hub.snapshot(), {})
