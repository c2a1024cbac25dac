"""Small files that ask for gigabytes or for hours.

Knows the formats' own ways of promising more than they hold.
"""

from __future__ import annotations

import io
import re
import struct
import zipfile
import zlib
from collections.abc import Iterator

from PIL import Image

from tests.contracts.test_loaders import picture, video
from tests.faults.hostile.bad import Bad, filled

HUGE = 60_000  # pixels a side


def _chunk(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))


def png(width: int, height: int, rows: int, *more: bytes) -> bytes:
    """A grey PNG that declares `height` rows and holds `rows` of zeros."""
    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    squeeze = zlib.compressobj(9)
    row = bytes(width + 1)
    body = b"".join(squeeze.compress(row) for _ in range(rows)) + squeeze.flush()
    return b"\x89PNG\r\n\x1a\n" + _chunk(b"IHDR", header) + b"".join(more) + _chunk(b"IDAT", body) + _chunk(b"IEND", b"")


def pdf(pages: str, *objects: str) -> bytes:
    """A PDF of these objects, numbered from 3; `pages` is the body of object 2, the page tree."""
    bodies = ["<< /Type /Catalog /Pages 2 0 R >>", pages, *objects]
    out, offsets = b"%PDF-1.7\n", []
    for number, body in enumerate(bodies, start=1):
        offsets.append(len(out))
        out += f"{number} 0 obj\n{body}\nendobj\n".encode("latin-1")
    table = "".join(f"{offset:010} 00000 n \n" for offset in offsets)
    size = len(bodies) + 1
    end = f"xref\n0 {size}\n0000000000 65535 f \n{table}trailer\n<< /Size {size} /Root 1 0 R >>\nstartxref\n{len(out)}\n%%EOF\n"
    return out + end.encode()


def _stream(content: bytes, filters: str = "/FlateDecode") -> str:
    return f"<< /Length {len(content)} /Filter {filters} >>\nstream\n{content.decode('latin-1')}\nendstream"


def _page(box: str = "0 0 200 200", contents: str = "") -> str:
    return f"<< /Type /Page /Parent 2 0 R /MediaBox [{box}] /Resources << >> {contents} >>"


def pdfs() -> Iterator[Bad]:
    """PDFs whose pages are huge, endless, nested in themselves, or unpack without end."""
    one = "<< /Type /Pages /Kids [3 0 R] /Count 1 >>"
    zeros = zlib.compress(zlib.compress(bytes(400_000_000), 9), 9)
    strokes = zlib.compress(b"0 0 m 200 200 l S " * 300_000, 9)
    nested = zlib.compress(b"q " * 2_000_000, 9)
    yield Bad("bombs/pdf/page-14400.pdf", filled(pdf(one, _page("0 0 14400 14400"))), "indexed")
    yield Bad("bombs/pdf/page-1e9.pdf", filled(pdf(one, _page("0 0 1000000000 1000000000"))), "either")
    yield Bad("bombs/pdf/page-thin.pdf", filled(pdf(one, _page("0 0 0.001 14400"))), "either")
    yield Bad("bombs/pdf/page-nan.pdf", filled(pdf(one, _page("0 0 nan 100"))), "either")
    yield Bad("bombs/pdf/page-negative.pdf", filled(pdf(one, _page("100 100 -100 -100"))), "either")
    kids = " ".join("3 0 R" for _ in range(100_000))
    many = f"<< /Type /Pages /Kids [{kids}] /Count 100000 >>"
    yield Bad("bombs/pdf/100000-pages.pdf", filled(pdf(many, _page())), "skipped", "100,000 pages")
    lie = "<< /Type /Pages /Kids [3 0 R] /Count 2147483647 >>"
    yield Bad("bombs/pdf/count-lies.pdf", filled(pdf(lie, _page())), "either")
    loop = "<< /Type /Pages /Kids [2 0 R] /Count 1 >>"
    yield Bad("bombs/pdf/tree-of-itself.pdf", filled(pdf(loop)), "either")
    yield Bad(
        "bombs/pdf/flate-of-flate.pdf",
        filled(pdf(one, _page(contents="/Contents 4 0 R"), _stream(zeros, "[/FlateDecode /FlateDecode]"))),
        "either",
    )
    eight = zlib.compressobj(9)
    whole = zlib.compress(b"".join(eight.compress(bytes(10_000_000)) for _ in range(800)) + eight.flush(), 9)
    endless = pdf(one, _page(contents="/Contents 4 0 R"), _stream(whole, "[/FlateDecode /FlateDecode]"))
    yield Bad("bombs/pdf/flate-of-8-gigabytes.pdf", filled(endless), "skipped", "memory")
    yield Bad("bombs/pdf/strokes.pdf", filled(pdf(one, _page(contents="/Contents 4 0 R"), _stream(strokes))), "either")
    yield Bad("bombs/pdf/saved-states.pdf", filled(pdf(one, _page(contents="/Contents 4 0 R"), _stream(nested))), "either")
    own = "<< /XObject << /X 5 0 R >> >>"
    form = f"<< /Type /XObject /Subtype /Form /BBox [0 0 9 9] /Resources {own} /Length 5 >>\nstream\n/X Do\nendstream"
    draws = _stream(zlib.compress(b"/X Do"))
    within = f"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 99 99] /Resources {own} /Contents 4 0 R >>"
    yield Bad("bombs/pdf/form-of-itself.pdf", filled(pdf(one, within, draws, form)), "either")
    image = "<< /Type /XObject /Subtype /Image /Width 60000 /Height 60000 /ColorSpace /DeviceGray /BitsPerComponent 8 "
    squeezed = zlib.compress(bytes(1_000_000), 9).decode("latin-1")
    shown = f"{image}/Filter /FlateDecode /Length {len(squeezed)} >>\nstream\n{squeezed}\nendstream"
    placed = _stream(zlib.compress(b"200 0 0 200 0 0 cm /X Do"))
    yield Bad("bombs/pdf/picture-60000.pdf", filled(pdf(one, within, placed, shown)), "either")
    yield Bad("bombs/pdf/deep-array.pdf", filled(b"%PDF-1.4\n1 0 obj\n" + b"[" * 500_000 + b"\nendobj\n%%EOF"), "skipped", ".")
    yield Bad("bombs/pdf/only-header.pdf", filled(b"%PDF-1.7\n"), "skipped", "cut off|damaged")


def pictures() -> Iterator[Bad]:
    """Pictures that declare more pixels, frames or bytes than there are, or are all they declare."""
    limit = "pixels; the limit"
    yield Bad("bombs/picture/png-60000.png", filled(png(HUGE, HUGE, 300)), "skipped", limit)
    yield Bad("bombs/picture/png-real.png", filled(png(HUGE, 10_000, 10_000)), "skipped", limit)
    yield Bad("bombs/picture/png-lies.png", filled(png(9_000, 9_000, 3)), "either")
    yield Bad("bombs/picture/png-zero.png", filled(png(0, 0, 0)), "skipped", ".")
    yield Bad("bombs/picture/png-thin.png", filled(png(1, 4_000_000, 4_000_000)), "either")
    note = zlib.compress(bytes(300_000_000), 9)
    yield Bad("bombs/picture/png-text.png", filled(png(40, 40, 40, _chunk(b"zTXt", b"note\0\0" + note))), "either")
    yield Bad("bombs/picture/png-profile.png", filled(png(40, 40, 40, _chunk(b"iCCP", b"x\0\0" + note))), "either")
    for suffix, at, new in (
        ("bmp", 18, struct.pack("<ii", HUGE, HUGE)),
        ("gif", 6, struct.pack("<HH", 65_535, 65_535)),
        ("webp", 24, b"\xff\xff\xff\xff\xff\xff"),
    ):
        content = bytearray(picture(suffix.upper()))
        content[at : at + len(new)] = new
        yield Bad(f"bombs/picture/{suffix}-lies.{suffix}", filled(bytes(content)), "either")
    jpeg = bytearray(picture("JPEG"))
    start = jpeg.index(b"\xff\xc0")
    jpeg[start + 5 : start + 9] = struct.pack(">HH", 65_500, 65_500)
    yield Bad("bombs/picture/jpeg-lies.jpg", filled(bytes(jpeg)), "skipped", limit)
    scans = picture("JPEG")[:-2] + b"\xff\xda\x00\x08\x01\x01\x00\x00\x3f\x00" * 100_000
    yield Bad("bombs/picture/jpeg-scans.jpg", filled(scans), "either")
    yield Bad("bombs/picture/tiff-loop.tiff", filled(b"II*\0\x08\0\0\0\0\0\x08\0\0\0"), "skipped", ".")
    tags = struct.pack("<HHII", 256, 4, 1, HUGE) + struct.pack("<HHII", 257, 4, 1, HUGE)
    yield Bad("bombs/picture/tiff-60000.tiff", filled(b"II*\0\x08\0\0\0\x02\0" + tags + bytes(4)), "skipped", ".")
    many = io.BytesIO()
    frames = [Image.new("P", (64, 64), number % 200) for number in range(1500)]
    frames[0].save(many, "GIF", save_all=True, append_images=frames[1:], duration=20)
    yield Bad("bombs/picture/gif-1500-frames.gif", filled(many.getvalue()), "indexed")
    vectors = b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script><text>harbour</text></svg>'
    yield Bad("bombs/picture/script.svg", filled(vectors), "either")


def _zip(*members: tuple[str, bytes]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        for name, content in members:
            archive.writestr(name, content)
    return out.getvalue()


def office() -> Iterator[Bad]:
    """Zip and XML bombs under the names of office documents."""
    laugh = '<?xml version="1.0"?><!DOCTYPE l [<!ENTITY a "ha">' + "".join(
        f'<!ENTITY {b} "{f"&{a};" * 10}">' for a, b in zip("abcdefgh", "bcdefghi", strict=True)
    )
    w = 'xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"'
    laughing = f"{laugh}]><w:document {w}><w:body><w:p><w:r><w:t>&i;</w:t></w:r></w:p></w:body></w:document>".encode()
    outside = (
        f'<!DOCTYPE d [<!ENTITY x SYSTEM "file:///etc/passwd">]><w:document {w}><w:body><w:t>&x;</w:t></w:body></w:document>'
    )
    deep = f"<w:document {w}><w:body>{'<w:p>' * 200_000}".encode()
    for suffix, part in (("docx", "word/document.xml"), ("pptx", "ppt/presentation.xml"), ("xlsx", "xl/workbook.xml")):
        types = ("[Content_Types].xml", b"<Types/>")
        yield Bad(
            f"bombs/{suffix}/zeros.{suffix}", filled(_zip(types, (part, bytes(200_000_000)))), "skipped", "bomb|unpacks|limit"
        )
        yield Bad(f"bombs/{suffix}/laughs.{suffix}", filled(_zip(types, (part, laughing))), "skipped", "entities")
        yield Bad(f"bombs/{suffix}/outside.{suffix}", filled(_zip(types, (part, outside.encode()))), "skipped", "entities")
        yield Bad(f"bombs/{suffix}/deep.{suffix}", filled(_zip(types, (part, deep))), "skipped", ".")
        yield Bad(f"bombs/{suffix}/other.{suffix}", filled(_zip(("readme.txt", b"hello"))), "skipped", "another kind of zip")
        crowd = [(f"{part}.{number}.xml", b"") for number in range(21_000)]
        yield Bad(f"bombs/{suffix}/members.{suffix}", filled(_zip((part, b"<x/>"), *crowd)), "skipped", "bomb")
        escape = _zip((part, b"<x/>"), ("../../../../tmp/escaped.xml", b"<x/>"))
        yield Bad(f"bombs/{suffix}/escape.{suffix}", filled(escape), "skipped", ".")
        locked = bytearray(_zip((part, b"<x/>")))
        at = locked.rindex(b"PK\x01\x02")
        locked[at + 8] |= 1
        locked[6] |= 1
        yield Bad(f"bombs/{suffix}/locked.{suffix}", filled(bytes(locked)), "skipped", "encrypted")
    container = b'<container><rootfiles><rootfile full-path="a.opf"/></rootfiles></container>'
    yield Bad(
        "bombs/epub/endless.epub", filled(_zip(("META-INF/container.xml", container), ("a.opf", container))), "skipped", "."
    )
    yield Bad("bombs/epub/laughs.epub", filled(_zip(("META-INF/container.xml", laughing))), "skipped", "entities")
    yield Bad("bombs/zip/nested.zip", filled(_zip(("a.zip", _zip(("b.zip", bytes(1_000_000)))))), "skipped", "damaged archive")


def _motion_jpeg() -> bytes:
    import av

    stream = io.BytesIO()
    with av.open(stream, "w", format="avi") as container:
        track = container.add_stream("mjpeg", rate=8, width=160, height=96, pix_fmt="yuvj420p")
        for number in range(24):
            container.mux(track.encode(av.VideoFrame.from_image(Image.new("RGB", (160, 96), (10 * number, 90, 200)))))
        container.mux(track.encode())
    return stream.getvalue()


def videos() -> Iterator[Bad]:
    """Containers that promise days of film, huge frames, or go round in circles."""
    whole = video("mp4", "libx264")
    for name, box in (("duration", b"mvhd"), ("track", b"tkhd"), ("samples", b"stsz"), ("chunks", b"stco"), ("times", b"stts")):
        changed = bytearray(whole)
        at = changed.index(box)
        changed[at + 16 : at + 24] = b"\x7f\xff\xff\xff" * 2
        yield Bad(f"bombs/video/{name}-lies.mp4", filled(bytes(changed)), "either")
    yield Bad(
        "bombs/video/nested-boxes.mp4",
        filled(b"\0\0\0\x18ftypmp42\0\0\0\0mp42isom" + b"\x00\x10\x00\x00moov" * 60_000),
        "skipped",
        ".",
    )
    yield Bad("bombs/video/ts-of-nothing.ts", filled((b"\x47\x1f\xff\x10" + b"\xff" * 184) * 20_000), "skipped", ".")
    yield Bad(
        "bombs/video/mkv-header.mkv", filled(b"\x1a\x45\xdf\xa3\x01\xff\xff\xff\xff\xff\xff\xff" + bytes(100)), "skipped", "."
    )
    yield Bad("bombs/video/audio-only.mp4", filled(whole[:4] + b"ftypM4A " + whole[12:]), "skipped", "sound")
    huge = re.sub(rb"(\xff\xc0\x00\x11\x08)....", b"\\1\xff\xdc\xff\xdc", _motion_jpeg(), flags=re.DOTALL)
    yield Bad("bombs/video/frames-of-4-gigapixels.avi", filled(huge), "skipped", ".")
    yield Bad("bombs/video/repeated.ts", filled(video("mpegts", "libx264") * 60), "either")


def _part(kind: bytes, content: bytes) -> bytes:
    return kind + struct.pack(">I", len(content)) + content + bytes(len(content) % 2)


def _djvu(width: int, height: int, *parts: bytes) -> bytes:
    """A page of that size in a DjVu file of its own."""
    info = _part(b"INFO", struct.pack(">HHBBHBB", width, height, 24, 0, 0x6400, 22, 1))
    return b"AT&T" + _part(b"FORM", b"DJVU" + info + b"".join(parts))


def read_by_programs() -> Iterator[Bad]:
    """DjVu and XPS files that promise pages, pixels and bytes without end. Where no program is installed, that is the reason."""
    absent = "is read by a program that is not installed"
    wavelets = _part(b"BG44", struct.pack(">BBBBHHB", 0, 100, 1, 2, 65_535, 65_535, 0) + b"\x55" * 3000)
    shapes = _part(b"Sjbz", b"\x00\x55" * 2000)
    yield Bad("bombs/huge-page.djvu", filled(_djvu(65_000, 65_000, shapes)), "skipped", f"65,000 × 65,000 pixels|{absent}")
    yield Bad("bombs/huge-picture.djvu", filled(_djvu(100, 100, wavelets)), "skipped", f"page 1 cannot be rendered|{absent}")
    yield Bad("bombs/shapes.djvu", filled(_djvu(9_000, 9_000, shapes)), "either")
    page = _djvu(100, 100, shapes)[4:]
    count = 60_000
    start = 16 + 8 + 3 + 4 * count + 1
    directory = _part(b"DIRM", struct.pack(f">BH{count}I", 0x81, count, *[start] * count))
    many = b"AT&T" + _part(b"FORM", b"DJVM" + directory + page)
    yield Bad("bombs/one-page-often.djvu", filled(many), "skipped", f"more than 5,000 pages|{absent}")
    more = struct.pack(">BH", 0x81, 65_535)
    lying = b"AT&T" + _part(b"FORM", b"DJVM" + _part(b"DIRM", more) + page)
    yield Bad("bombs/lying-directory.djvu", filled(lying), "skipped", f"directory of its pages|no pages|more than|{absent}")
    elsewhere = struct.pack(">BH9I", 0x81, 9, *[0xFFFFFFF0] * 9)
    yield Bad("bombs/elsewhere.djvu", filled(b"AT&T" + _part(b"FORM", b"DJVM" + _part(b"DIRM", elsewhere))), "skipped")
    sequence = b'<FixedDocumentSequence xmlns="http://schemas.microsoft.com/xps/2005/06"><DocumentReference Source="/a.fdoc"/>'
    yield Bad("bombs/unfinished.xps", filled(_zip(("a.fdseq", sequence), ("_rels/.rels", b"<Relationships"))), "skipped")
    yield Bad("bombs/zeros.xps", filled(_zip(("a.fdseq", bytes(200_000_000)))), "skipped")


def bombs() -> Iterator[Bad]:
    """All of them."""
    yield from pdfs()
    yield from pictures()
    yield from office()
    yield from videos()
    yield from read_by_programs()
