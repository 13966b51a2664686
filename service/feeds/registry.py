"""The kinds of receivers, one line each: a new one is registered here."""

from typing import Any

from service.feeds.mqtt import MqttReceiver
from service.feeds.ngsi_ld_push import BrokerReceiver
from service.feeds.receiver import Receiver
from service.feeds.webhooks import Webhook

RECEIVERS: dict[str, type[Receiver[Any]]] = {
    BrokerReceiver.KIND: BrokerReceiver,
    MqttReceiver.KIND: MqttReceiver,
    Webhook.KIND: Webhook,
}
"""Kinds by the name that ``kind`` in feeds.yaml takes."""
