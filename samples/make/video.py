"""Encodes pictures to small videos: H.264 in MP4 or MKV, VP9 in WebM; a keyframe every two seconds.

Knows no scene. One thread and bit-exact flags, so that every build gives the same bytes.
"""

from __future__ import annotations

from collections.abc import Iterable
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from PIL import Image

SIZE = (640, 360)
CODECS = {  # by suffix
    ".mp4": ("libx264", {"crf": "27", "preset": "slow", "x264-params": "threads=1:lookahead-threads=1"}),
    ".mkv": ("libx264", {"crf": "28", "preset": "slow", "x264-params": "threads=1:lookahead-threads=1"}),
    ".webm": ("libvpx-vp9", {"crf": "36", "b": "0", "deadline": "good", "cpu-used": "3", "threads": "1"}),
}


def encode(frames: Iterable[Image.Image], file: Path, rate: int) -> None:
    """The frames, each of SIZE, as a video without sound; `rate` in frames a second."""
    codec, options = CODECS[file.suffix]
    with av.open(str(file), "w", options={"fflags": "+bitexact"}) as container:
        stream = container.add_stream(codec, rate=rate, options={**options, "flags": "+bitexact"})
        stream.width, stream.height = SIZE
        stream.pix_fmt = "yuv420p"
        stream.time_base = Fraction(1, rate)
        stream.codec_context.gop_size = 2 * rate
        for picture in frames:
            for packet in stream.encode(av.VideoFrame.from_ndarray(np.asarray(picture.convert("RGB")), format="rgb24")):
                container.mux(packet)
        for packet in stream.encode():
            container.mux(packet)
