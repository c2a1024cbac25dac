"""Takes the screenshots of the corpus: real pages in a real browser.

Knows which page is shot at which size and under which name.
"""

from __future__ import annotations

from samples.make.browser import take_screenshot
from samples.make.places import PAGES, place

PHONE = (390, 844)
SHOTS = (  # page, window in CSS pixels, device pixels per CSS pixel, name
    ("dashboard", (1366, 768), 1, "Screenshot 2026-03-14 at 09.12.44.png"),
    ("calendar", (1366, 768), 1, "Screenshot 2026-04-02 101530.png"),
    ("map", (1280, 800), 1, "Screenshot_20260509-121904.png"),
    ("notice-zh", (1366, 768), 1, "屏幕截图 2026-05-19.png"),
    ("settings", (1280, 800), 1, "a7f3.png"),
    ("traceback", (1280, 800), 1, "b21c.png"),
    ("editor", (1920, 1080), 1, "d90e.png"),
    ("error-dialog", (1280, 800), 1, "image (4).png"),
    ("chat-phone", PHONE, 2, "IMG_0043.png"),
    ("weather-phone", PHONE, 2, "IMG_0051.png"),
)


def save_screenshots() -> None:
    """screenshots/: four with names that say what they are, six without."""
    for page, window, scale, name in SHOTS:
        take_screenshot(PAGES / f"{page}.html", window, scale).save(place("screenshots", name), optimize=True)
