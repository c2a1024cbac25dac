"""Rewrites Office Open XML as the libraries read it: strict as transitional, shows and templates as presentations.

Knows namespaces and content types; knows no zip file and no document.
"""

from __future__ import annotations

import re

# ISO/IEC 29500-1:2016 (strict) and -4 (transitional) differ in these namespaces; openpyxl and python-pptx know only the second.
_STRICT = re.compile(rb"http://purl\.oclc\.org/ooxml/(\w+)/(\w+)")
_COMMON = rb"http://schemas.openxmlformats.org/\1/2006/\2"

# python-pptx opens presentations, but not shows (.ppsx), templates or files with macros, whose slides are the same.
_SHOWS = re.compile(
    rb"application/vnd\.(?:openxmlformats-officedocument\.presentationml\.(?:slideshow|template)"
    rb"|ms-powerpoint\.(?:presentation|slideshow|template)\.macroEnabled)\.main\+xml"
)
_PRESENTATION = b"application/vnd.openxmlformats-officedocument.presentationml.presentation.main+xml"


def in_common_dialect(name: str, content: bytes) -> bytes:
    """The XML part of that name, with the namespaces and content types that the libraries look for."""
    if name == "[Content_Types].xml":
        content = _SHOWS.sub(_PRESENTATION, content)
    return _STRICT.sub(_COMMON, content) if b"http://purl.oclc.org/ooxml/" in content else content
