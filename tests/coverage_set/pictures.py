"""Pictures of text: a sign, a page that lies on its side, a screenshot, a fax of two pages.

Knows no reader.
"""

from __future__ import annotations

import io

from PIL import Image

from tests.coverage_set.sample import Sample, drawn


def _saved(image: Image.Image, name: str, **options: object) -> bytes:
    stream = io.BytesIO()
    image.save(stream, name, **options)
    return stream.getvalue()


def _sign() -> Image.Image:
    return drawn(
        [(40, 40, 40, "NO SWIMMING"), (40, 110, 26, "strong current at the sluice"), (40, 160, 26, "fine 250 euro")], (520, 240)
    )


def _notice() -> Image.Image:
    rows = [
        "Notice of closure",
        "The swing bridge will not open",
        "between six and nine in the morning",
        "while the bearings are renewed.",
    ]
    return drawn([(40, 40 + 50 * at, 26, words) for at, words in enumerate(rows)], (620, 300))


def _window() -> Image.Image:
    image = drawn(
        [(20, 10, 18, "File Edit View Help"), (20, 70, 22, "Connection lost"), (20, 110, 18, "Retry in 30 seconds")], (480, 180)
    )
    return image


def _fax() -> bytes:
    pages = [
        drawn([(40, 40, 28, "Fax to the pilot station")], (520, 120)),
        drawn([(40, 40, 28, "Two tugs for Friday, please")], (520, 120)),
    ]
    first, *others = [page.convert("1") for page in pages]
    return _saved(first, "TIFF", save_all=True, append_images=others, compression="group4")


SAMPLES = [
    Sample("sign.png", lambda: _saved(_sign(), "PNG"), "NO SWIMMING strong current at the sluice fine 250 euro"),
    Sample(
        "sideways.jpg",
        lambda: _saved(_notice().rotate(90, expand=True), "JPEG", quality=92),
        "Notice of closure The swing bridge will not open between six and nine in the morning while the bearings are renewed",
    ),
    Sample(
        "window.webp",
        lambda: _saved(_window(), "WEBP", lossless=True),
        "File Edit View Help Connection lost Retry in 30 seconds",
    ),
    Sample("fax.tiff", _fax, "Fax to the pilot station Two tugs for Friday please"),
]
