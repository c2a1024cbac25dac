"""Which loader reads a file: its suffix, checked against its first bytes.

Knows no loader. Where the two disagree, the bytes win if they are of a supported format; but text under the name of a picture,
a video, a PDF or an office document is refused, since it was meant to be something else. Importing this module is cheap.
"""

from __future__ import annotations

import re
from pathlib import Path

from rag.corpus.file_types import PICTURE_SUFFIXES, VIDEO_SUFFIXES, suffix_of
from rag.errors import UnreadableDocument
from rag.loaders.base import Limits


def _suffix_set(text: str) -> frozenset[str]:
    return frozenset(text.split())


_SUFFIXES = {
    "text": _suffix_set(
        ".txt .text .log .rst .csv .tsv .json .jsonl .ndjson .yaml .yml .toml .ini .cfg .conf .properties .env .xml .xsd .xsl"
        " .srt .vtt .ass .ssa .sub .lrc .sbv .smi .ttml .dfxp"
        " .tex .plist .bib .org .adoc .asciidoc .textile .po .pot .diff .patch .ics .vcf .geojson .gpx .kml"
        " .rss .atom .list .nfo .tab .psv .map .har .topojson .jsonld .webmanifest .jsonlines .geojsonl .vcard .ical .ifb"
    ),
    "markdown": _suffix_set(".md .markdown .mdown .mkd .mdx .qmd .rmd"),
    "code": _suffix_set(
        ".py .pyi .pyx .js .mjs .cjs .jsx .ts .mts .cts .tsx .c .h .cc .cpp .cxx .hh .hpp .hxx .cu .cuh .m .mm .java .kt .kts"
        " .scala .groovy .gradle .go .rs .rb .php .pl .pm .lua .r .jl .swift .dart .cs .fs .vb .hs .ml .mli .ex .exs .erl .clj"
        " .el .lisp .scm .sh .bash .zsh .fish .ps1 .bat .cmd .sql .css .scss .sass .less .vue .svelte .proto .thrift .graphql .tf"
        " .hcl .nix .cmake .mk .asm .s .f90 .f95 .f .v .sv .vhd .zig .nim .sol"
    ),
    "notebook": frozenset({".ipynb"}),
    "html": _suffix_set(".html .htm .xhtml .svg"),
    "office": _suffix_set(
        ".docx .docm .dotx .dotm .pptx .pptm .ppsx .ppsm .potx .potm .xlsx .xlsm .xltx .xltm .epub .rtf .doc .xls .xlt .ppt .pps"
        " .odt .ott .ods .ots .odp .otp .odg .otg .fodt .fods .fodp .fodg .sxw .sxc .sxi"
    ),
    "mail": _suffix_set(".eml .mht .mhtml .msg .oft"),
    "pdf": frozenset({".pdf"}),
    "djvu": frozenset({".djvu", ".djv"}),
    "xps": frozenset({".xps", ".oxps"}),
    "archive": _suffix_set(".zip .cbz .tar .mbox .mbx"),
    "picture": PICTURE_SUFFIXES,
    "video": VIDEO_SUFFIXES,
}
_FAMILIES = {suffix: family for family, suffixes in reversed(_SUFFIXES.items()) for suffix in suffixes}
_NEVER_TEXT = frozenset({"office", "pdf", "djvu", "xps", "picture", "video", "archive"})
_UNSUPPORTED = _suffix_set(
    ".tgz .7z .rar .jar .war .whl .iso .dmg .deb .rpm .apk .exe .dll .so .dylib .pyc .class"
    " .mp3 .wav .flac .ogg .oga .opus .m4a .aac .wma .mid .ai .xcf .sketch .fig .blend .ico .icns"
    " .ttf .otf .woff .woff2 .eot .sqlite .sqlite3 .mdb .npy .npz .pt .pth .onnx .safetensors .gguf .pkl .pickle .parquet"
    " .feather .h5 .hdf5 .faiss .swf .wmv .flv .mpg .mpeg .vob"
)
_REMEDIES = {
    ".xlsb": "binary Excel format; save it as .xlsx",
    ".pages": "Apple Pages; export it as .docx",
    ".numbers": "Apple Numbers; export it as .xlsx",
    ".key": "Apple Keynote; export it as .pptx",
    ".mobi": "Kindle book; convert it to .epub",
    ".azw3": "Kindle book; convert it to .epub",
}
_SIGNED_REMEDIES = {  # by the first bytes, whatever the name
    b"7z\xbc\xaf\x27\x1c": "7z archive; unpack it, or pack it again as .zip",
    b"Rar!\x1a\x07": "RAR archive; unpack it, or pack it again as .zip",
    b"\x78\x9f\x3e\x22": "Outlook's winmail.dat; unpack what is in it (tnef, of the package tnef)",
}
_ALSO_TEXT = frozenset({".key"})  # text-encoded keys
_OFTEN_TEXT = _suffix_set(".doc .xls .xlt .rtf")  # programs that export tables and pages give them these names
_PROGRAMS = frozenset({"djvu", "xps"})  # families that a program reads, which may not be installed
_OFFICE_FOLDERS = ("word/", "ppt/", "xl/", "word\\", "ppt\\", "xl\\")
_HEAD_BYTES = 8192
_ARCHIVES = frozenset({".zip", ".cbz"})
_MAILBOXES = frozenset({".mbox", ".mbx", ""})  # Thunderbird gives them no suffix
_MAIL_BEGINS = re.compile(rb"From [^\n]{0,500}\d\d:\d\d[^\n]{0,100}\n")
_MAILBOX = re.compile(_MAIL_BEGINS.pattern + rb">?[\w-]{1,80}:")
_TAR_MARK_AT, _TAR_MARK = 257, b"ustar"
_DJVU = b"AT&TFORM"
_PACKED = (b"\x1f\x8b", b"BZh", b"\xfd7zXZ\0")
_OLD_OFFICE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"  # OLE compound file: Office before 2007, and any encrypted Office document
_BARE_SHEETS = (
    b"\x09\x00\x04\x00",
    b"\x09\x02\x06\x00",
    b"\x09\x04\x06\x00",
    b"\x09\x08\x08\x00",
    b"\x09\x08\x10\x00",
)  # Excel 2 to 5
_PICTURE_BRANDS = frozenset(  # ISO/IEC 23008-12 and its registered brands
    {b"heic", b"heix", b"hevc", b"hevx", b"heim", b"heis", b"mif1", b"mif2", b"mif3", b"msf1", b"avif", b"avis", b"avci", b"avcs"}
    | {b"crx ", b"vvic", b"vvis", b"j2ki", b"j2is", b"jpeg", b"jpgs"}
)
_AUDIO_BRANDS = frozenset({b"M4A ", b"M4B ", b"M4P "})
_MOVIE_ATOMS = frozenset({b"moov", b"mdat", b"free", b"wide", b"skip", b"pnot"})  # QuickTime files older than `ftyp`


def suffixes(family: str) -> frozenset[str]:
    """The suffixes of a family of LOADERS, in lower case, with their dot. KeyError for any other name."""
    return _SUFFIXES[family]


def loader_name(file: Path, limits: Limits, name: str = "") -> str:
    """The name in LOADERS of the loader that reads this file, by its suffix and its first bytes.

    `name` is what it is called where the path does not say it, as for a file inside another.
    UnreadableDocument where it is empty, too large, of an unsupported format, not what its name says, or read by a program that
    is not installed.
    """
    found = _loader_name(file, limits, name)
    if found in _PROGRAMS:
        from rag.loaders.programs import cannot_read

        if reason := cannot_read(found):
            raise UnreadableDocument(reason)
    return found


def page_loader(file: Path) -> str:
    """The loader of a file known to have pages, by its first bytes alone; `pdf` also where it cannot be opened."""
    try:
        with file.open("rb") as stream:
            head = stream.read(8)
    except OSError:
        return "pdf"
    return "djvu" if head.startswith(_DJVU) else "xps" if head.startswith(b"PK") else "pdf"


def _loader_name(file: Path, limits: Limits, name: str) -> str:
    suffix = suffix_of(name or file.name)
    head = _head(file, limits)
    if _is_archive(file, head, suffix):
        return "archive"
    for begin, remedy in _SIGNED_REMEDIES.items():
        if head.startswith(begin):
            raise UnreadableDocument(remedy)
    if suffix in _UNSUPPORTED:
        raise UnreadableDocument(f"{suffix} is not a format this program reads")
    named = _FAMILIES.get(suffix, "")
    found = _family_in_zip(file, suffix) if head.startswith(b"PK\x03\x04") else _family_of(head, suffix)
    if found:
        return found
    if head.startswith(_OLD_OFFICE):
        return _family_in_ole(file, suffix)
    if _is_text(head):
        if suffix in _OFTEN_TEXT:
            return "html" if head.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"<") else "text"
        if named in _NEVER_TEXT or (suffix in _REMEDIES and suffix not in _ALSO_TEXT):
            raise UnreadableDocument(f"is named {suffix} but contains text")
        return named or "text"
    if suffix in _REMEDIES:
        raise UnreadableDocument(_REMEDIES[suffix])
    if named in _NEVER_TEXT:
        return named  # damaged: the loader says what is wrong with it
    raise UnreadableDocument("is not a format this program reads (binary data)")


def _family_in_ole(file: Path, suffix: str) -> str:
    from rag.loaders.office.ole import kind_of_ole

    kind = kind_of_ole(file)
    if kind in ("doc", "xls", "ppt"):
        return "office"
    if kind == "msg":
        return "mail"
    if kind == "object":
        return "archive"  # of the one file that another program put there
    if kind == "encrypted":
        raise UnreadableDocument("is encrypted; save it without a password")
    if suffix in _REMEDIES:
        raise UnreadableDocument(_REMEDIES[suffix])
    if suffix in suffixes("office"):
        return "office"  # damaged: the loader says what is wrong with it
    raise UnreadableDocument("is not a format this program reads (OLE, from old Office or another Windows program)")


def _head(file: Path, limits: Limits) -> bytes:
    try:
        with file.open("rb") as stream:
            head = stream.read(_HEAD_BYTES)
            size = file.stat().st_size
    except OSError as error:
        raise UnreadableDocument(f"cannot be opened: {error.strerror or error}") from error
    if not head:
        raise UnreadableDocument("is empty")
    if size > limits.max_file_bytes:
        raise UnreadableDocument(f"has {size:,} bytes; the limit max_file_bytes is {limits.max_file_bytes:,}")
    return head


def _family_of(head: bytes, suffix: str) -> str:
    """The family that a signature shows, or "".

    A table of our own: puremagic 1.30 does not know MPEG-TS, calls HEIC `.mp4`, and takes texts that begin with "BM", "MZ",
    "ID3" or "GIF89a" for pictures, programs and music.
    """
    box, brand = head[4:8], head[8:12]
    if head.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"%PDF-") or (suffix == ".pdf" and b"%PDF-" in head[:1024]):
        return "pdf"
    if head.startswith(_DJVU):
        return "djvu"
    if head.startswith((b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", b"II*\0", b"MM\0*", b"II+\0", b"MM\0+", b"8BPS\0")):
        return "picture"
    if head.startswith((b"FUJIFILMCCD-RAW", b"IIU\0", b"IIRO", b"IIRS", b"MMOR")):
        return "picture"
    if head.startswith((b"GIF87a", b"GIF89a")) and b"\0" in head[:64]:
        return "picture"
    if head.startswith(b"BM") and head[6:10] == b"\0\0\0\0" and head[15:18] == b"\0\0\0":
        return "picture"
    if head.startswith(b"RIFF") and brand in (b"WEBP", b"AVI "):
        return "picture" if brand == b"WEBP" else "video"
    if box == b"ftyp":
        if brand in _AUDIO_BRANDS:
            raise UnreadableDocument("contains only sound, which this program does not read")
        return "picture" if brand in _PICTURE_BRANDS else "video"
    if head.startswith(b"{\\rtf") or _is_flat_document(head) or (suffix in (".xls", ".xlt") and head.startswith(_BARE_SHEETS)):
        return "office"
    if head.startswith(b"\x1aE\xdf\xa3") or (box in _MOVIE_ATOMS and head[0] == 0):
        return "video"
    return "video" if _is_transport_stream(head) else ""


def _is_flat_document(head: bytes) -> bool:
    """OpenDocument in one XML file."""
    return head.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"<") and b"<office:document" in head and b"opendocument" in head


def _is_transport_stream(head: bytes) -> bool:
    """MPEG-TS: a sync byte ("G") every 188 bytes, or every 192 after 4 bytes of time code (AVCHD); and bytes never in a text."""
    synced = any(len(head) > 2 * step + first and set(head[first::step]) == {0x47} for first, step in ((0, 188), (4, 192)))
    return synced and (b"\0" in head or b"\xff" in head)


def _family_in_zip(file: Path, suffix: str) -> str:
    from rag.loaders.office.safe_zip import member_names

    names = member_names(file)
    if "xl/workbook.bin" in names:
        raise UnreadableDocument(_REMEDIES[".xlsb"])
    if "META-INF/container.xml" in names or any(name.lower().startswith(_OFFICE_FOLDERS) for name in names):
        return "office"
    if "content.xml" in names and not {"mimetype", "META-INF/manifest.xml"}.isdisjoint(names):
        return "office"
    if any(".fdseq" in name.lower() for name in names):  # a folder, where the file is written in pieces
        return "xps"
    if suffix in _REMEDIES:
        raise UnreadableDocument(_REMEDIES[suffix])
    if suffix in suffixes("office") | suffixes("xps"):
        raise UnreadableDocument(f"is named {suffix} but is another kind of zip file")
    return "archive"


def _is_archive(file: Path, head: bytes, suffix: str) -> bool:
    """Whether it is a tar, packed or not, a mailbox, or a zip by its name. Other zips are found by what they hold."""
    if suffix in _ARCHIVES and head.startswith((b"PK\x03\x04", b"PK\x05\x06")):
        return True
    if head.startswith(b"From ") and suffix in _MAILBOXES and (_MAILBOX if not suffix else _MAIL_BEGINS).match(head):
        return True
    if head[_TAR_MARK_AT:].startswith(_TAR_MARK):
        return True
    if not head.startswith(_PACKED):
        return False
    from rag.loaders.inside.archives import is_packed_tar

    with file.open("rb") as stream:
        return is_packed_tar(stream, head)


def _is_text(head: bytes) -> bool:
    from rag.loaders.text.encoding import holds_text

    return holds_text(head)
