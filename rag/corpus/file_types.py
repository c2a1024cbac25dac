"""Which file name endings belong to which family. Knows names only; bytes are looked at in detect.py."""

from __future__ import annotations

from collections.abc import Mapping

from rag.types import Kind

SHOWN_BY: Mapping[Kind, str] = {"page": "pdf", "image": "picture", "screenshot": "picture", "frame": "video"}  # their loaders
PICTURE_SUFFIXES = frozenset({".jpg", ".jpeg", ".png", ".webp", ".gif", ".bmp", ".tif", ".tiff", ".heic", ".heif", ".avif"})
VIDEO_SUFFIXES = frozenset({".mp4", ".mov", ".mkv", ".webm", ".avi", ".ts", ".m4v", ".mts", ".m2ts"})
SUBTITLE_SUFFIXES = frozenset({".srt", ".vtt"})
CAPTION_SUFFIXES = frozenset(  # of formats that show pictures with an alt text
    {".md", ".markdown", ".mdown", ".mkd", ".mdx", ".qmd", ".rmd", ".html", ".htm", ".xhtml", ".ipynb"}
)
