"""Tells screenshots from other pictures: by name, by metadata, by pixels.

Knows no passage and opens no file: it gets an open picture, and decodes it only if name and metadata do not decide.
"""

from __future__ import annotations

import unicodedata
from collections import Counter
from functools import cache
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

from rag.loaders.picture.open_image import DAMAGE
from rag.loaders.picture.pixels import flatten
from rag.loaders.picture.text_lines import text_lines

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from rag.types import Pixels

# What operating systems call their screenshots, in many languages.
_NAMES = (
    "screenshot", "screen shot", "screen_shot", "screen-shot", "screencap", "screen capture", "screengrab", "simulator screen",
    "bildschirmfoto", "capture d'ecran", "capture d ecran", "captura de pantalla", "captura de ecra", "captura de tela",
    "schermata", "schermafbeelding", "skarmavbild", "skarmklipp", "skjermbilde", "skærmbillede", "snimek obrazovky",
    "zrzut ekranu", "ekran goruntusu", "ekran resmi", "captura de ecran", "kepernyofoto", "kepernyokep", "nayttokuva",
    "tangkapan layar", "anh chup man hinh", "снимок экрана", "скриншот", "знімок екрана", "στιγμιοτυπο οθονης",
    "截图", "截圖", "截屏", "屏幕快照", "螢幕快照", "スクリーンショット", "画面キャプチャ", "스크린샷",
    "לכידת מסך", "صورة الشاشة", "لقطة شاشة", "ภาพหน้าจอ",
)  # fmt: skip

# Programs that only take screenshots, by the name they write into PNG text chunks and EXIF Software.
_PROGRAMS = (
    "screenshot", "spectacle", "flameshot", "ksnip", "greenshot", "sharex", "snipping", "lightshot", "scrot",
)  # fmt: skip

_MAKE, _SOFTWARE, _EXIF_IFD, _USER_COMMENT = 0x010F, 0x0131, 0x8769, 0x9286

# Screens at scale 1: desktops and laptops, tablets, phones (portrait only: 640 × 360 would make any 1280 × 720 a phone).
_SCREENS = frozenset(
    {
        (1024, 768), (1152, 864), (1280, 720), (1280, 768), (1280, 800), (1280, 960), (1280, 1024), (1360, 768), (1366, 768),
        (1440, 810), (1440, 900), (1470, 956), (1512, 982), (1536, 864), (1600, 900), (1600, 1200), (1680, 1050), (1728, 1117),
        (1792, 1120), (1920, 1080), (1920, 1200), (2048, 1152), (2256, 1504), (2560, 1080), (2560, 1440), (2560, 1600),
        (2880, 1800), (3440, 1440), (3840, 2160), (1200, 800), (768, 1024), (810, 1080), (820, 1180), (834, 1194),
        (1080, 810), (1180, 820), (1194, 834),
        (320, 568), (360, 640), (360, 740), (360, 780), (360, 800), (375, 667), (375, 812), (384, 854), (390, 844), (393, 852),
        (402, 874), (412, 892), (412, 915), (414, 736), (414, 896), (428, 926), (430, 932), (440, 956),
        (1080, 2340), (1080, 2400), (1170, 2532), (1440, 3200), (750, 1334),
    }
)  # fmt: skip

_MAX_PIXELS = 20_000_000  # pixels; a 5K screen has 15 million
_MIN_SIDE = 300  # pixels
_MIN_FLATNESS = 0.6  # share of neighbours within two grey levels: screens have 0.83 and more; noise, foliage and water less
_NEAR_EDGE = 12  # pixels at scale 1: windows, bars and terminal text begin this close to an edge
_CORNER = 32  # pixels at scale 1: the lines of a padded terminal begin this close to the top and to the left


def looks_like_screenshot(name: str, image: Image.Image) -> bool:
    """Whether the picture called `name` shows a screen. Decodes it only when its name and its tags do not decide."""
    if _is_named_screenshot(name) or _is_tagged_screenshot(image):
        return True
    if image.format not in ("PNG", "WEBP", "BMP") or _from_camera(image) or getattr(image, "is_animated", False):
        return False
    width, height = image.size
    if min(width, height) < _MIN_SIDE or width * height > _MAX_PIXELS:
        return False
    return shows_windows(np.asarray(flatten(image)))


def shows_windows(pixels: Pixels) -> bool:
    """Whether RGB pixels (height, width, 3) look like windows, pages or a terminal rather than a chart, a diagram or a scene.

    A screen has many lines of small text, several of which begin at the same x, and something reaches one of its edges or the
    lines begin in its top left corner. A chart or a diagram keeps a distance from all four edges, or the same distance from
    all if it was cropped; its labels are short or far apart. Tested on 33 pages and terminals rendered by a browser (29 found;
    a login box and a dialog in the middle of an empty screen are missed) and on 90 charts, diagrams, slides, scenes and pages
    of text (none taken for a screen).
    """
    margins = _margins(pixels)
    if max(margins) - min(margins) <= 8 and min(margins) > 0:
        return False
    height, width, _ = pixels.shape
    scales = _screen_scales(width, height)
    lines_needed, aligned_needed = (4, 3) if scales else (8, 5)
    grey = Image.fromarray(pixels).convert("L")
    if _flatness(np.asarray(grey)) < _MIN_FLATNESS:
        return False
    for scale in scales or (1,):  # 2 and 3: high-density screens, whose text is that many times larger
        if min(margins) > _CORNER * scale:
            continue
        lines = text_lines(np.asarray(grey.reduce(scale)))
        long = [line for line in lines if line.width >= 80]
        beginnings = Counter(line.left for line in lines)
        aligned = max((beginnings[x] + beginnings[x + 8] for x in beginnings), default=0)
        reaches_a_side = min(margins) <= _NEAR_EDGE * scale and len(long) >= lines_needed and aligned >= aligned_needed
        top, left = margins[0] // scale, margins[2] // scale
        fills_the_corner = max(top, left) <= _CORNER and sum(line.left <= left + 16 for line in long) >= 6
        if reaches_a_side or fills_the_corner:
            return True
    return False


def _is_named_screenshot(name: str) -> bool:
    plain = _plain(name)
    return any(pattern in plain for pattern in _plain_names())


@cache
def _plain_names() -> tuple[str, ...]:
    return tuple(map(_plain, _NAMES))


def _plain(text: str) -> str:
    """Lower case without accents; typographic apostrophes and narrow spaces replaced (macOS writes both)."""
    decomposed = unicodedata.normalize("NFKD", text.casefold()).replace("’", "'")
    return "".join(character for character in decomposed if not unicodedata.combining(character))


def _is_tagged_screenshot(image: Image.Image) -> bool:
    """macOS writes `Screenshot` as EXIF UserComment; the screenshot programs of Linux and Windows name themselves as Software."""
    written = [str(image.info.get(key, "")) for key in ("Software", "Comment", "Description", "Title")]
    try:
        exif = image.getexif()
        comment = exif.get_ifd(_EXIF_IFD).get(_USER_COMMENT, b"")
        written += [str(exif.get(_SOFTWARE, "")), comment.decode("latin-1") if isinstance(comment, bytes) else str(comment)]
    except DAMAGE:
        pass
    return any(program in text.lower() for text in written for program in _PROGRAMS)


def _from_camera(image: Image.Image) -> bool:
    try:
        return bool(image.getexif().get(_MAKE))
    except DAMAGE:
        return False


def _screen_scales(width: int, height: int) -> tuple[int, ...]:
    """Those of the scales 1, 2 and 3 at which this is the size of a screen."""
    return tuple(n for n in (1, 2, 3) if width % n == 0 and height % n == 0 and (width // n, height // n) in _SCREENS)


def _flatness(grey: NDArray[np.uint8]) -> float:
    """The share of horizontal neighbours that differ by two grey levels at most."""
    return float((np.abs(np.diff(grey.astype(np.int16), axis=1)) <= 2).mean())


def _margins(pixels: Pixels) -> tuple[int, int, int, int]:
    """Widths in pixels of the margins in the colour of the top left corner: top, bottom, left, right."""
    differs = (np.abs(pixels.astype(np.int16) - pixels[0, 0].astype(np.int16)) > 3).any(axis=2)
    rows, columns = np.flatnonzero(differs.any(axis=1)), np.flatnonzero(differs.any(axis=0))
    height, width = differs.shape
    if not len(rows):
        return height, height, width, width
    return int(rows[0]), int(height - 1 - rows[-1]), int(columns[0]), int(width - 1 - columns[-1])
