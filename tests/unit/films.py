"""Small videos whose colour tells the second: blue at first, red at last. With a tone, in any container and codec."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import av
import numpy as np

RATE = 10  # frames a second
SAMPLES = 48_000


def film(
    file: Path, seconds: int = 6, codec: str = "libx264", sound: str = "", form: str | None = None, reordered: int = 0
) -> Path:
    """Frame n of N is (255 n/N, 0, 255 - 255 n/N) all over."""
    with av.open(str(file), "w", format=form) as made:
        stream = made.add_stream(codec, rate=RATE)
        stream.width, stream.height, stream.pix_fmt, stream.gop_size = 320, 240, "yuv420p", 20
        stream.codec_context.max_b_frames = 0 if form == "avi" else 2
        tone = made.add_stream(sound, rate=SAMPLES, layout="stereo") if sound else None
        at = 0
        for number in range(seconds * RATE):
            pixels = np.zeros((240, 320, 3), np.uint8)
            pixels[:] = colour(number / RATE, seconds)
            frame = av.VideoFrame.from_ndarray(pixels, format="rgb24")
            frame.pts, frame.time_base = number, Fraction(1, RATE)
            made.mux(stream.encode(frame))
            while tone is not None and at < (number + 1) * SAMPLES // RATE:
                size = tone.codec_context.frame_size or 1024
                wave = (np.sin(np.arange(at, at + size) / 20) * 3000).astype(np.int16).repeat(2).reshape(1, -1)
                part = av.AudioFrame.from_ndarray(wave, format="s16", layout="stereo")
                part.sample_rate = SAMPLES
                part = av.AudioResampler(format=tone.codec_context.format, layout="stereo", rate=SAMPLES).resample(part)[0]
                part.pts, part.time_base = at, Fraction(1, SAMPLES)
                made.mux(tone.encode(part))
                at += size
        made.mux(stream.encode(None))
        if tone is not None:
            made.mux(tone.encode(None))
    return file


def colour(moment: float, seconds: int = 6) -> tuple[int, int, int]:
    """What the film shows at that second."""
    share = int(255 * moment / seconds)
    return share, 0, 255 - share


def watched(file: Path) -> list[tuple[float, tuple[int, int, int]]]:
    """When each frame of a video is shown, in seconds from its start, and its mean colour."""
    with av.open(str(file)) as container:
        start = (container.start_time or 0) / av.time_base
        return [
            (
                round(float(frame.time or 0.0) - start, 3),
                tuple(int(one) for one in frame.to_ndarray(format="rgb24").mean(axis=(0, 1))),
            )
            for frame in container.decode(video=0)
        ]


def heard(file: Path) -> list[str]:
    """The codecs of the sound."""
    with av.open(str(file)) as container:
        return [stream.codec_context.codec.canonical_name for stream in container.streams.audio]
