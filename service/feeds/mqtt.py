"""MQTT: the live state of junctions and cameras, alarms and closed intervals, told to a broker."""

import json
import os
import ssl
import threading
import time
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, Literal

import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.reasoncodes import ReasonCode
from pydantic import Field, SecretStr

from service.api.hub import Snapshot
from service.feeds.changes import alarm_items, interval_items, movement_items
from service.feeds.http_post import LOCAL
from service.feeds.live_states import camera_state, junction_states
from service.feeds.receiver import AgainError, FeedError, Item, Look, Receiver, ReceiverSettings, filled
from service.registry import City

KEEPALIVE = 30
"""A broker that hears nothing for one and a half times as long tells our last will, s."""
PATIENCE = 10.0
"""Longest wait for a broker to connect or to acknowledge, s."""
ONLINE, OFFLINE = b"online", b"offline"


class MqttSettings(ReceiverSettings):
    """A broker."""

    kind: Literal["mqtt"] = Field(description="always so")
    host: str = Field(min_length=1, description="the broker's name or address")
    port: int | None = Field(None, ge=1, le=65535, description="its port; 8883 with TLS, 1883 without")
    prefix: str = Field(
        "ngatu",
        min_length=1,
        max_length=100,
        pattern=r"^[^#+\s/]+(/[^#+\s/]+)*$",
        description="of all topics",
    )
    user: str | None = Field(None, description="login")
    password: SecretStr | None = Field(None, description="its password, or ${NAME} of the environment")
    tls: bool = Field(True, description="encrypted, and the broker's certificate checked")
    ca_file: Path | None = Field(None, description="certificates to check the broker against")
    cert_file: Path | None = Field(None, description="our own certificate, where the broker asks for one")
    key_file: Path | None = Field(None, description="its key")
    allow_plain: bool = Field(False, description="let the password pass without TLS to another machine")
    live: bool = Field(True, description="tell the live state")
    live_seconds: float = Field(5.0, ge=0.5, le=3600, description="tell what has not changed so often")
    intervals: Literal["1min", "15min", "none"] = Field("15min", description="closed intervals to tell")
    movements: bool = Field(True, description="tell movements by the hour")
    alarms: bool = Field(True, description="tell alarms")


class MqttReceiver(Receiver[MqttSettings]):
    """Publishes; what must not be lost with QoS 1, each message with an id by which repeats are known."""

    KIND = "mqtt"
    SETTINGS = MqttSettings
    BATCH = 100

    def __init__(self, settings: MqttSettings) -> None:
        super().__init__(settings)
        self._password = filled(settings.password, os.environ, "password")
        if self._password and not settings.tls and settings.host not in LOCAL and not settings.allow_plain:
            raise FeedError("tls: the password would pass in clear; set tls: true, or allow_plain: true")
        self._port = settings.port or (8883 if settings.tls else 1883)
        self._context = _tls(settings) if settings.tls else None
        self._client: paho.Client | None = None
        self._connected = threading.Event()
        self._refused: str | None = None
        self._shown: dict[str, tuple[str, float]] = {}

    def collect(self, look: Look) -> Iterable[Item]:
        """Alarms at once; intervals and movements when they are closed."""
        settings = self.settings
        if settings.alarms:
            yield from alarm_items(look, settings.sites)
        if look.figures and settings.intervals != "none":
            yield from interval_items(look, 60 if settings.intervals == "1min" else 900, settings.sites)
        if look.figures and settings.movements:
            yield from movement_items(look, settings.sites)

    def deliver(self, items: Sequence[Item]) -> None:
        """Publish with QoS 1 and wait until the broker has each."""
        client = self._reach()
        sent = []
        for item in items:
            body = json.dumps({"message_id": item.id, **item.content}, ensure_ascii=False).encode()
            sent.append(client.publish(self._topic(item), body, qos=1))
        until = time.monotonic() + PATIENCE
        for each in sent:
            if each.rc != paho.MQTT_ERR_SUCCESS or not self._acknowledged(each, until):
                # Our queue keeps it and sends it again: the client's own memory of it is given up.
                self._drop()
                raise AgainError(f"{self._where} did not acknowledge")

    def live(self, snapshot: Snapshot, city: City) -> None:
        """Publish the state of cameras and junctions, retained: changes at once, else now and then."""
        client = self._reach()
        if not self.settings.live:
            return
        sites = self.settings.sites
        states = {
            f"cameras/{each.camera}": camera_state(each)
            for each in snapshot.cameras
            if sites is None or each.site in sites
        }
        for site, told in junction_states(snapshot, city).items():
            if sites is None or site in sites:
                states[f"junctions/{site}"] = told
        for topic, (essence, state) in states.items():
            last = self._shown.get(topic)
            if last is None or last[0] != essence or snapshot.time - last[1] >= self.settings.live_seconds:
                body = json.dumps(state, ensure_ascii=False).encode()
                client.publish(f"{self.settings.prefix}/{topic}", body, qos=0, retain=True)
                self._shown[topic] = (essence, snapshot.time)
        for topic in [each for each in self._shown if each not in states]:
            # A camera or junction that is no more leaves nothing behind at the broker.
            client.publish(f"{self.settings.prefix}/{topic}", b"", qos=1, retain=True)
            del self._shown[topic]

    def close(self) -> None:
        """Say that we go, then go: after a proper good-bye a broker does not tell the last will."""
        client = self._client
        if client is not None and self._connected.is_set():
            told = client.publish(self._status, OFFLINE, qos=1, retain=True)
            self._acknowledged(told, time.monotonic() + 2.0)
            client.disconnect()
        self._drop()

    @property
    def _where(self) -> str:
        return f"the broker {self.settings.host}:{self._port}"

    @property
    def _status(self) -> str:
        return f"{self.settings.prefix}/status"

    def _topic(self, item: Item) -> str:
        content, prefix = item.content, self.settings.prefix
        if item.topic == "alarm":
            return f"{prefix}/alarms"
        if item.topic == "approach":
            return f"{prefix}/intervals/{content['site']}/{content['approach']}"
        return f"{prefix}/movements/{content['site']}/{content['camera']}/{content['movement']}"

    def _reach(self) -> paho.Client:
        """The client, connected.

        Raises:
            AgainError: the broker cannot be reached, or does not let us in.
        """
        if self._client is not None and self._connected.is_set():
            return self._client
        self._drop()
        client = self._made()
        try:
            client.connect(self.settings.host, self._port, keepalive=KEEPALIVE)
        except (OSError, ValueError) as error:
            reason = getattr(error, "strerror", None) or str(error)
            raise AgainError(f"{self._where} cannot be reached: {reason}") from None
        client.loop_start()
        self._client = client
        until = time.monotonic() + PATIENCE
        while not self._connected.wait(0.05) and self._refused is None and time.monotonic() < until:
            pass
        if not self._connected.is_set():
            reason = self._refused or "it does not answer"
            self._drop()
            raise AgainError(f"{self._where} does not let us in: {reason}")
        # What a new broker, or one that has forgotten, must be told: that we are there, and all states.
        self._shown.clear()
        client.publish(self._status, ONLINE, qos=1, retain=True)
        return client

    def _made(self) -> paho.Client:
        client = paho.Client(
            CallbackAPIVersion.VERSION2,
            client_id=f"ngatu-{self.settings.name}",
            protocol=paho.MQTTv311,
            clean_session=True,
            reconnect_on_failure=False,
        )
        client.connect_timeout = PATIENCE
        client.max_queued_messages_set(10_000)
        client.will_set(self._status, OFFLINE, qos=1, retain=True)
        if self.settings.user:
            client.username_pw_set(self.settings.user, self._password)
        if self._context is not None:
            client.tls_set_context(self._context)
        self._refused = None

        def connected(_client: paho.Client, _data: Any, _flags: Any, code: ReasonCode, _more: Any) -> None:
            if code.is_failure:
                self._refused = str(code)
            else:
                self._connected.set()

        def disconnected(_client: paho.Client, _data: Any, _flags: Any, code: ReasonCode, _more: Any) -> None:
            self._refused = self._refused or str(code)
            self._connected.clear()

        client.on_connect, client.on_disconnect = connected, disconnected
        return client

    def _drop(self) -> None:
        client, self._client = self._client, None
        if client is not None:
            client.on_disconnect = None
            client.loop_stop()
            if (sock := client.socket()) is not None:
                sock.close()
        self._connected.clear()

    def _acknowledged(self, told: paho.MQTTMessageInfo, until: float) -> bool:
        """Whether the broker has it; a connection that is lost meanwhile is not waited for."""
        while time.monotonic() < until:
            try:
                told.wait_for_publish(0.05)
            except (RuntimeError, ValueError):
                return False
            if told.is_published():
                return True
            if not self._connected.is_set():
                return False
        return False


def _tls(settings: MqttSettings) -> ssl.SSLContext:
    try:
        context = ssl.create_default_context(cafile=str(settings.ca_file) if settings.ca_file else None)
        if settings.cert_file is not None:
            context.load_cert_chain(settings.cert_file, settings.key_file)
    except OSError as error:
        named = settings.cert_file if settings.ca_file is None else settings.ca_file
        raise FeedError(f"ca_file: the certificates in {named} cannot be read: {error}") from None
    return context
