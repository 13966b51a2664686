"""NGSI-LD, push: entities are upserted in a context broker such as Orion-LD, Scorpio or Stellio."""

import json
import os
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, Literal, get_args

from pydantic import Field, SecretStr

from service.feeds.changes import camera_items, interval_items, movement_items
from service.feeds.http_post import Poster
from service.feeds.ngsi_ld import (
    CORE_CONTEXT,
    Entity,
    context,
    device_entity,
    flow_entities,
    movement_entity,
    with_context,
)
from service.feeds.receiver import (
    AgainError,
    FeedError,
    Item,
    Look,
    Receiver,
    ReceiverSettings,
    RefusedError,
    filled,
)

EntityType = Literal["TrafficFlowObserved", "OriginDestinationFlow", "Device"]
UPSERT = "/ngsi-ld/v1/entityOperations/upsert?options=update"
PASSING = ("timeout", "unavailable", "internal")
"""Words in a broker's error of one entity that say that it may take it later."""


class BrokerSettings(ReceiverSettings):
    """A context broker."""

    kind: Literal["ngsi-ld"] = Field(description="always so")
    url: str = Field(description="the broker; /ngsi-ld/v1/... is added to it")
    token: SecretStr | None = Field(None, description="bearer token, or ${NAME} of the environment")
    tenant: str | None = Field(None, max_length=100, description="NGSILD-Tenant")
    types: tuple[EntityType, ...] = Field(get_args(EntityType), description="types of entities to tell")
    context_url: str | None = Field(
        None, description="where the broker fetches our @context; left out: it travels in each entity"
    )
    provider: str | None = Field(None, max_length=200, description="dataProvider of the entities")
    ca_file: Path | None = Field(None, description="certificates to check the broker against")
    allow_http: bool = Field(False, description="let the token pass without TLS to another machine")


class BrokerReceiver(Receiver[BrokerSettings]):
    """Upserts entities in batches; the newest revision of an interval replaces the one before."""

    KIND = "ngsi-ld"
    SETTINGS = BrokerSettings
    BATCH = 50

    def __init__(self, settings: BrokerSettings) -> None:
        super().__init__(settings)
        self._poster = Poster(settings.url, settings.ca_file)
        token = filled(settings.token, os.environ, "token")
        if token and not self._poster.is_safe and not settings.allow_http:
            raise FeedError("url: the token would pass in clear; write https://, or set allow_http")
        self._headers = {"Content-Type": "application/ld+json", "Accept": "application/json"}
        self._headers |= {"Authorization": f"Bearer {token}"} if token else {}
        self._headers |= {"NGSILD-Tenant": settings.tenant} if settings.tenant else {}
        self._contexts = [settings.context_url or context()["@context"], CORE_CONTEXT]
        self._tz = "UTC"

    def collect(self, look: Look) -> Iterable[Item]:
        """Intervals, movements and cameras, as far as their types are wanted."""
        self._tz = look.tz
        sites, types = self.settings.sites, self.settings.types
        # Just after a start no worker was heard yet: that all cameras are offline would be no news.
        if "Device" in types and look.snapshot.workers:
            yield from camera_items(look, sites)
        if look.figures and "TrafficFlowObserved" in types:
            yield from interval_items(look, 900, sites)
        if look.figures and "OriginDestinationFlow" in types:
            yield from movement_items(look, sites)

    def deliver(self, items: Sequence[Item]) -> None:
        """One upsert; of one entity that occurs several times the last counts."""
        entities: dict[str, Entity] = {}
        for item in items:
            for entity in entities_of(item, self._tz, self.settings.provider):
                entities[entity["id"]] = with_context(entity, self._contexts)
        body = json.dumps(list(entities.values()), ensure_ascii=False).encode()
        status, answer = self._poster.post(UPSERT, body, self._headers)
        if status == 207:
            raise _partly(answer)

    def close(self) -> None:
        """Close the connection."""
        self._poster.close()


def entities_of(item: Item, tz: str, provider: str | None = None) -> list[Entity]:
    """The entities that an item is told as."""
    if item.topic == "approach":
        return list(flow_entities(item.content, provider))
    if item.topic == "movement":
        return [movement_entity(item.content, tz, provider)]
    return [device_entity(item.content, provider)]


def _partly(answer: bytes) -> AgainError | RefusedError:
    """What a 207 says: some entities were not taken."""
    try:
        errors: list[Any] = json.loads(answer).get("errors") or []
        first = errors[0] if errors else {}
        reason = json.dumps(first, ensure_ascii=False)[:300]
    except (ValueError, AttributeError):
        return AgainError("the broker's answer 207 cannot be read")
    if any(word in reason.lower() for word in PASSING):
        return AgainError(f"the broker did not take {len(errors)} entities: {reason}")
    return RefusedError(f"the broker did not take {len(errors)} entities: {reason}")
