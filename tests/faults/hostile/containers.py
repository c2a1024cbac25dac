"""Files that hold others: endless ones, ones that lie about sizes, hold themselves, or lead out of their folder.

Knows zip, tar, mail, mailboxes, PDF and web pages; knows nothing of the program.
"""

from __future__ import annotations

import gzip
import io
import struct
import tarfile
import zipfile
import zlib
from base64 import encodebytes
from collections.abc import Iterator

from tests.contracts.test_loaders import picture
from tests.faults.hostile.bad import Bad, filled
from tests.faults.hostile.bombs import HUGE, pdf, png
from tests.unit.loaders.text.outlook_files import compound, forwarded, message

_WORDS = b"harbour tide and pilot boat\n" * 20
_PAGES = "<< /Type /Pages /Kids [3 0 R] /Count 1 >>"
_PAGE = "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 200 200] /Resources << >> >>"


def zipped(*members: tuple[str, bytes]) -> bytes:
    """A zip of these files."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        for name, content in members:
            archive.writestr(zipfile.ZipInfo(name), content, zipfile.ZIP_DEFLATED)
    return out.getvalue()


def containers() -> Iterator[Bad]:
    """All of them."""
    yield from _zips()
    yield from _tars()
    yield from _mails()
    yield from _documents()


def _zips() -> Iterator[Bad]:
    zeros = bytes(300_000_000)
    yield Bad("containers/zip/zeros.zip", filled(zipped(("a.txt", zeros), ("b.txt", _WORDS))), "indexed")
    yield Bad("containers/zip/zeros-only.zip", filled(zipped(("a.bin", zeros))), "skipped", "inside it: a.bin")
    level = zipped(("a.txt", _WORDS))
    for _ in range(12):
        level = zipped(*((f"{number}.zip", level) for number in range(8)))
    yield Bad("containers/zip/eight-by-eight.zip", filled(level), "skipped", "max_depth = 3")
    yield Bad("containers/zip/overlapping.zip", filled(_overlapping(3_000)), "either", "damaged|inside it")
    yield Bad("containers/zip/200000.zip", filled(_overlapping(200_000)), "skipped", "is a zip bomb|damaged")
    for name, size in (("less", 3), ("more", 1 << 30), ("most", 0xFFFFFFFE)):
        yield Bad(f"containers/zip/says-{name}.zip", filled(_lying(size)), "either", "damaged|harbour|inside it")
    locked = bytearray(zipped(("a.txt", _WORDS)))
    for mark, at in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        locked[locked.index(mark) + at] |= 1
    yield Bad("containers/zip/locked.zip", filled(bytes(locked)), "skipped", "encrypted")
    outside = (("../../../../tmp/escaped.txt", _WORDS), ("/tmp/escaped.txt", _WORDS), ("C:\\escaped.txt", _WORDS))
    yield Bad("containers/zip/outside.zip", filled(zipped(*outside)), "indexed")
    yield Bad(
        "containers/zip/names.zip", filled(zipped(("\0", _WORDS), ("x" * 60_000, _WORDS), ("a\n\x1b[31m", _WORDS))), "either", "."
    )
    yield Bad("containers/zip/same.zip", filled(zipped(*(("a.txt", _WORDS) for _ in range(2_000)))), "indexed")
    yield Bad("containers/zip/methods.zip", filled(level.replace(b"\x08\0", b"\x63\0")), "skipped", ".")
    yield Bad("containers/zip/empty.zip", filled(zipped()), "skipped", "holds no files")
    yield Bad("containers/zip/programs.zip", filled(zipped(*((f"{n}.exe", b"MZ") for n in range(500)))), "skipped", "495 more")
    yield Bad("containers/zip/huge.cbz", filled(zipped(("1.png", png(HUGE, HUGE, 100)))), "skipped", "max_source_pixels")


def _overlapping(count: int) -> bytes:
    """One file of ten million zeros, listed so many times under other names."""
    content = zipped(("0000000.txt", bytes(10_000_000)))
    at = content.index(b"PK\x01\x02")
    end = content.index(b"PK\x05\x06")
    entry = content[at:end]
    listed = b"".join(entry.replace(b"0000000", b"%07d" % number) for number in range(count))
    tail = struct.pack("<4sHHHHIIH", b"PK\x05\x06", 0, 0, min(count, 0xFFFF), min(count, 0xFFFF), len(listed), at, 0)
    return content[:at] + listed + tail


def _lying(size: int) -> bytes:
    """A file that says it has another size."""
    content = bytearray(zipped(("a.txt", _WORDS)))
    for mark, at in ((b"PK\x03\x04", 22), (b"PK\x01\x02", 24)):
        struct.pack_into("<I", content, content.index(mark) + at, size)
    return bytes(content)


def _tars() -> Iterator[Bad]:
    def member(name: str, size: int, kind: bytes = tarfile.REGTYPE) -> bytes:
        made = tarfile.TarInfo(name)
        made.size, made.type = size, kind
        return made.tobuf(tarfile.GNU_FORMAT)

    words = member("a.txt", len(_WORDS)) + _WORDS.ljust(-(-len(_WORDS) // 512) * 512, b"\0")
    yield Bad(
        "containers/tar/endless.tar.gz", filled(gzip.compress(words + member("z", 1 << 60) + bytes(400_000_000), 1)), "indexed"
    )
    yield Bad("containers/tar/no-end.tar", filled(words + member("z.txt", 1 << 62) + _WORDS), "either", ".")
    yield Bad(
        "containers/tar/negative.tar", filled(words + member("z.txt", 10).replace(b"00000000012", b"-0000000012")), "either", "."
    )
    name = gzip.compress(words + member("long", 300_000_000, tarfile.GNUTYPE_LONGNAME) + b"x" * 300_000_000, 1)
    yield Bad("containers/tar/long-name.tar.gz", filled(name), "either", ".")
    header = b"9999999999999999 path=a\n"
    yield Bad(
        "containers/tar/header.tar",
        filled(words + member("pax", len(header), tarfile.XHDTYPE) + header.ljust(512, b"\0")),
        "either",
        ".",
    )
    devices = member("null", 0, tarfile.CHRTYPE) + member("pipe", 0, tarfile.FIFOTYPE) + member("d", 0, tarfile.DIRTYPE)
    yield Bad("containers/tar/devices.tar", filled(words + devices + bytes(1024)), "indexed")
    many = b"".join(member(f"{number}.txt", 0) for number in range(30_000))
    yield Bad("containers/tar/30000.tar", filled(words + many + bytes(1024)), "indexed")
    inside = words + bytes(1024)
    for number in range(30):
        inside = member(f"{number}.tar", len(inside)) + inside.ljust(-(-len(inside) // 512) * 512, b"\0") + bytes(1024)
    yield Bad("containers/tar/deep.tar", filled(inside), "skipped", "max_depth = 3")
    links = b""
    for number in range(50):
        made = tarfile.TarInfo(f"link{number}")
        made.type, made.linkname = (tarfile.SYMTYPE, tarfile.LNKTYPE)[number % 2], "../../../../etc/passwd"
        links += made.tobuf(tarfile.GNU_FORMAT)
    yield Bad("containers/tar/links.tar", filled(links + bytes(1024)), "skipped", "links to other files")


def _mails() -> Iterator[Bad]:
    start = b"Subject: harbour\nMIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=b\n\n--b\n\ntide\n"
    attached = b"--b\nContent-Type: application/zip; name=a.zip\nContent-Transfer-Encoding: base64\n\n"
    bomb = encodebytes(zipped(("a.txt", bytes(200_000_000))))
    yield Bad("containers/mail/zip.eml", filled(start + attached + bomb + b"--b--\n"), "indexed")
    broken = b"--b\nContent-Type: image/png; name=../../a.png\nContent-Transfer-Encoding: base64\n\n!!!=\n"
    yield Bad("containers/mail/broken.eml", filled(start + broken * 3_000 + b"--b--\n"), "indexed")
    forwarded_mail = b"Subject: x\nContent-Type: message/rfc822\n\n" * 3_000 + b"Subject: y\n\nharbour"
    yield Bad("containers/mail/in-itself.eml", filled(forwarded_mail), "either", "nested")
    names = b"--b\nContent-Type: text/plain\nContent-Disposition: attachment; filename*0*=" + b"%41" * 100_000 + b"\n\ntide\n"
    yield Bad("containers/mail/name.eml", filled(start + names + b"--b--\n"), "indexed")
    begins = b"From a@b Mon Mar  3 10:00:00 2025\n"
    yield Bad("containers/mail/3000.mbox", filled((begins + b"Subject: s\n\ntide\n\n") * 3_000), "indexed")
    yield Bad("containers/mail/begins.mbox", filled((begins + b"\n") * 50_000), "either", ".")
    yield Bad("containers/mail/one-line.mbox", filled(begins + b"Subject: s\n\n" + b"x" * 80_000_000), "either", ".")
    made = message("bottom", "harbour", top=False)
    for level in range(60):
        made = message("level", "tide", top=level == 59, attached=[forwarded(made)])
    yield Bad("containers/mail/deep.msg", filled(compound(made)), "indexed")
    loop = bytearray(compound(message("s", "harbour")))
    yield Bad("containers/mail/cut.msg", filled(bytes(loop[:1_700])), "skipped", ".")


def _documents() -> Iterator[Bad]:
    zeros = zlib.compress(bytes(200_000_000), 9)
    attached = (
        "<< /Type /Filespec /F (a.txt) /EF << /F 5 0 R >> >>",
        f"<< /Type /EmbeddedFile /Length {len(zeros)} /Filter /FlateDecode >>\nstream\n{zeros.decode('latin-1')}\nendstream",
    )
    names = " ".join(f"(a{number}.txt) 4 0 R" for number in range(300))
    catalog = f"<< /Type /Catalog /Pages 2 0 R /Names << /EmbeddedFiles << /Names [{names}] >> >> >>"
    whole = pdf(_PAGES, _PAGE, *attached).replace(b"<< /Type /Catalog /Pages 2 0 R >>", catalog.encode())
    yield Bad("containers/pdf/attached-zeros.pdf", filled(whole), "either", ".")
    loop = whole.replace(b"/Names [", b"/Kids [1 0 R] /Names [")
    yield Bad("containers/pdf/names-of-itself.pdf", filled(loop), "either", ".")
    document = (
        ("[Content_Types].xml", b"<Types/>"),
        ("word/document.xml", b"<w:document xmlns:w='w'><w:body><w:p><w:r><w:t>tide</w:t></w:r></w:p></w:body></w:document>"),
    )
    yield Bad("containers/office/huge.docx", filled(zipped(*document, ("word/media/a.png", png(HUGE, HUGE, 100)))), "either", ".")
    yield Bad("containers/office/zeros.docx", filled(zipped(*document, ("word/media/a.png", bytes(300_000_000)))), "either", ".")
    yield Bad("containers/html/many.html", filled(_page([b"A" * 2_000] * 12_000)), "indexed")
    yield Bad("containers/html/large.html", filled(_page([encodebytes(picture("PNG") + bytes(30_000_000))])), "indexed")


def _page(pictures: list[bytes]) -> bytes:
    return b"<p>harbour tide</p>" + b"".join(b"<img src='data:image/png;base64," + one + b"'>" for one in pictures)
