"""What a test reads from the page: the names of the cards, the query in the address. Knows no server."""

from __future__ import annotations

from urllib.parse import parse_qs, urlsplit

from playwright.sync_api import Page


def names(page: Page) -> list[str]:
    return page.locator(".card h3").all_text_contents()  # not the inner texts: cards outside the window are not laid out


def asked(page: Page) -> dict[str, list[str]]:
    return parse_qs(urlsplit(page.url).query)
