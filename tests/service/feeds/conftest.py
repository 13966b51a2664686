"""The city and the callers of the interface's tests, for feeds as well."""

from tests.service.api.conftest import _own_key, app, as_role, clock, engine, filled, hub, reader, viewer

__all__ = ["_own_key", "app", "as_role", "clock", "engine", "filled", "hub", "reader", "viewer"]
