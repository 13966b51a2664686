"""Waiting for what a page shall show: the content policy forbids playwright's own wait_for_function."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from playwright.sync_api import Locator, LocatorAssertions


def expect(locator: "Locator") -> "LocatorAssertions":
    """Playwright's assertions, which try again until they hold; for a busy machine longer than usual."""
    from playwright.sync_api import expect as assertions

    assertions.set_options(timeout=30_000)
    return assertions(locator)
