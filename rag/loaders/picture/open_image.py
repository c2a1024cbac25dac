"""Opens a picture file with Pillow, within a size limit of our own, and turns all kinds of damage into a reason.

Knows no passage: this module only opens files and reads headers.
"""

from __future__ import annotations

import io
import re
import struct
import warnings
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from PIL import Image

from rag.errors import UnreadableDocument
from rag.loaders.base import Limits
from rag.loaders.picture.raw_preview import find_preview
from rag.loaders.plain_reasons import SAVE_AS_PNG, damage

# The accepted formats, whatever the suffix. Pillow knows some forty more; without them a hostile file reaches fewer parsers.
FORMATS = ("JPEG", "PNG", "WEBP", "GIF", "BMP", "TIFF", "AVIF", "HEIF", "PSD")

# What Pillow and its plugins raise on truncated, zeroed and bit-flipped files;
# tests/unit/loaders/picture/test_picture.py keeps looking for more.
DAMAGE = (
    OSError,
    SyntaxError,
    ValueError,
    EOFError,
    IndexError,
    KeyError,
    TypeError,
    AttributeError,
    OverflowError,
    ZeroDivisionError,
    RuntimeError,
    MemoryError,
    struct.error,
    zlib.error,
    Image.DecompressionBombError,
)

_PARSER_ERRORS = (IndexError, KeyError, TypeError, AttributeError, OverflowError, ZeroDivisionError, struct.error)
_CODEC_ERROR = re.compile(r"(de|en)coder error -?\d+( when reading image file)?")
_UNSUPPORTED = re.compile("(?i)(unsupported|unknown|unrecognized|.*not (supported|implemented|been built in))")
_NO_SIZE = "not identified by this driver"  # Pillow's words for a header without a size

# Files of brand `mif1` may be either: what the AVIF decoder calls damaged, libheif may decode, or name the damage.
_ISO_FORMATS = ("AVIF", "HEIF")
# To `Image.open`, these mean "another format".
_REFUSALS: tuple[type[Exception], ...] = (SyntaxError, IndexError, TypeError, struct.error)

# Pillow warns of each odd tag on stderr; a file that cannot be read is reported with its reason anyway.
warnings.filterwarnings("ignore", category=UserWarning, module=r"PIL\.")

_ORIENTATION = 0x0112

_TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}


@contextmanager
def open_picture(file: Path, limits: Limits) -> Iterator[Image.Image]:
    """The picture with its header read and no pixel decoded. Damage found here or in the block becomes UnreadableDocument."""
    try:
        with file.open("rb") as stream:
            image = _shown(stream)
            check_size(image.size, limits)
            with image:
                yield image
    except DAMAGE as error:
        raise UnreadableDocument(describe(error)) from error


def check_size(size: tuple[int, int], limits: Limits) -> None:
    """Raises UnreadableDocument where a header claims more pixels than `limits.max_source_pixels`, or none."""
    width, height = size
    if width < 1 or height < 1:
        raise UnreadableDocument(f"is {width:,} × {height:,} pixels: it is empty")
    if width * height > limits.max_source_pixels:
        raise UnreadableDocument(
            f"is {width:,} × {height:,} pixels; the limit is max_source_pixels = {limits.max_source_pixels:,}"
        )


def describe(error: BaseException) -> str:
    """The reason a person reads in the report, from an error raised while a picture was decoded."""
    if isinstance(error, FileNotFoundError | PermissionError | IsADirectoryError):
        return f"cannot be opened: {error.strerror}"
    if isinstance(error, MemoryError):
        return "needs more memory than a reader is given (--max-memory)"
    if isinstance(error, Image.DecompressionBombError):
        return "unpacks to far more pixels than the limit max_source_pixels"
    said = " ".join(str(error).split())[:160]
    if said == _NO_SIZE:
        return "contains no picture that can be decoded"
    if isinstance(error, _PARSER_ERRORS) or _CODEC_ERROR.fullmatch(said):  # their texts are meant for authors of decoders
        return "is damaged: its parts do not fit together"
    if _UNSUPPORTED.match(said):
        return f"cannot be decoded: {said}; {SAVE_AS_PNG}"
    return f"is damaged: {damage(said)}" if said else "is damaged"


def turn_upright(image: Image.Image, orientation: int) -> Image.Image:
    """The picture as the camera was held (EXIF 2.32, tag 0x0112); an unknown value turns nothing."""
    return image.transpose(_TURNS[orientation]) if orientation in _TURNS else image


def orientation(image: Image.Image) -> int:
    """EXIF orientation, 1 to 8; 1 where there is none or it cannot be read."""
    try:
        value = image.getexif().get(_ORIENTATION, 1)
    except DAMAGE:
        return 1
    return value if isinstance(value, int) and 1 <= value <= 8 else 1


def _shown(stream: IO[bytes]) -> Image.Image:
    """The picture, or the one that a camera put into its raw file for showing, with the date and orientation of that file."""
    preview = find_preview(stream)
    stream.seek(0)
    if preview is None:
        return _parse(stream)
    stream.seek(preview.start)
    image = _parse(io.BytesIO(stream.read(preview.size)))
    exif = image.getexif()
    for tag, value in preview.exif.items():
        exif.setdefault(tag, value)
    return image


def _parse(stream: IO[bytes]) -> Image.Image:
    """What `Image.open(stream, formats=FORMATS)` gives, without its bomb check.

    That check only warns below 179 million pixels, and above that raises before the size is known; both depend on a global
    setting. `check_size` replaces it.
    """
    prefix = stream.read(16)
    if not prefix:
        raise UnreadableDocument("is empty")
    names: tuple[str, ...] = FORMATS
    refusals = _REFUSALS
    if prefix[4:8] == b"ftyp":
        _register_heif()
        names, refusals = _ISO_FORMATS[: 1 if prefix[8:12] in (b"avif", b"avis") else 2], DAMAGE
    Image.init()
    reasons = []
    for name in names:
        factory, accept = Image.OPEN.get(name, (None, None))
        if factory is None or (accept is not None and accept(prefix) is not True):
            continue
        stream.seek(0)
        try:
            return factory(stream, "")
        except refusals as error:
            reasons.append(describe(error))
    raise UnreadableDocument(reasons[-1] if reasons else f"is not a picture in a supported format ({', '.join(FORMATS)})")


def _register_heif() -> None:
    """iPhone pictures. Registered only when one is found: libheif is 20 MB of code that most folders never need."""
    if "HEIF" not in Image.OPEN:
        import pillow_heif

        pillow_heif.register_heif_opener()
