"""What axe-core says of a page. Knows no page of ours."""

from __future__ import annotations

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page


def violations(page: Page) -> list[str]:
    """Serious and critical findings of axe-core, each with the elements it means."""
    found = Axe().run(page).response["violations"]
    serious = [one for one in found if one["impact"] in ("serious", "critical")]
    return [
        f"{one['id']}: {node['html'][:200]} {node.get('failureSummary', '')[:300]}" for one in serious for node in one["nodes"]
    ]
