"""Charts of the Trust's figures, drawn by matplotlib.

Knows numbers; knows no file names.
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import contextmanager

import matplotlib
import numpy as np
from PIL import Image

from samples.make.paint import blend, gradient, noise, picture

matplotlib.use("agg")
matplotlib.rcParams.update(
    {"font.family": "Liberation Sans", "font.size": 15, "axes.spines.top": False, "axes.spines.right": False}
)

from matplotlib import pyplot as plt  # noqa: E402  (the backend is chosen first)

MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
CARGO = (36, 24, 34, 37, 39, 41, 38, 22, 40, 52, 38, 36)  # thousand tonnes; they add up to the 437 of the annual report
SEA_TEMPERATURE = {
    "surface": (3.1, 2.4, 2.9, 5.2, 8.8, 12.9, 15.8, 16.9, 14.6, 11.2, 7.7, 4.9),
    "at 10 m": (3.9, 3.1, 3.0, 4.4, 6.7, 9.8, 12.6, 14.8, 14.1, 11.5, 8.4, 5.8),
}


@contextmanager
def axes(width: float, height: float, onto: list[Image.Image]) -> Iterator[plt.Axes]:
    """Axes of a figure in inches at 120 dpi; the finished picture is appended to `onto`."""
    figure, one = plt.subplots(figsize=(width, height), dpi=120)
    yield one
    stream = io.BytesIO()
    figure.tight_layout()
    figure.savefig(stream, format="png", metadata={"Software": None})
    plt.close(figure)
    onto.append(Image.open(stream).convert("RGB"))


def chart_cargo() -> Image.Image:
    """Bars: cargo of each month of 2025."""
    drawn: list[Image.Image] = []
    with axes(9, 5.2, drawn) as one:
        bars = one.bar(MONTHS, CARGO, color=["#2c7fb8" if tonnes < max(CARGO) else "#e08a1e" for tonnes in CARGO])
        one.bar_label(bars, fontsize=14)
        one.set_title("Cargo over Berths 7 and 8 in 2025, thousand tonnes")
    return drawn[0]


def chart_sea_temperature() -> Image.Image:
    """Lines: temperature of the sea through the year, two depths."""
    drawn: list[Image.Image] = []
    with axes(9, 5.2, drawn) as one:
        for (depth, degrees), shade in zip(SEA_TEMPERATURE.items(), ("#c0392b", "#1f5fa8"), strict=True):
            one.plot(MONTHS, degrees, marker="o", linewidth=3, color=shade, label=depth)
        one.set_title("Sea temperature at Buoy 7, monthly mean")
        one.set_ylabel("degrees Celsius")
        one.grid(alpha=0.3)
        one.legend()
    return drawn[0]


def chart_tide_and_surge() -> Image.Image:
    """Two curves: the predicted and the observed tide on the night of the storm."""
    drawn: list[Image.Image] = []
    hours = np.arange(0, 24.01, 0.25)
    predicted = 2.1 + 1.35 * np.cos(2 * np.pi * (hours - 16.2) / 12.42)
    surge = 0.61 * np.exp(-(((hours - 16.2) / 4.5) ** 2))
    with axes(9, 5.2, drawn) as one:
        one.plot(hours, predicted, color="#7a8793", linewidth=2.5, label="predicted")
        one.plot(hours, predicted + surge, color="#6c3483", linewidth=3, label="observed")
        one.fill_between(hours, predicted, predicted + surge, color="#6c3483", alpha=0.15)
        one.axhline(3.95, color="#c0392b", linestyle="--", label="alarm level 3.95 m")
        one.set_xticks(range(0, 25, 4), ["12:00", "16:00", "20:00", "00:00", "04:00", "08:00", "12:00"])
        one.set_title("Storm surge at TG-4071, 21 and 22 November 2025")
        one.set_ylabel("metres above chart datum")
        one.legend(loc="lower left")
    return drawn[0]


def chart_shares() -> Image.Image:
    """A pie: where the income of 2025 came from."""
    drawn: list[Image.Image] = []
    with axes(8, 6, drawn) as one:
        parts = {"Ship dues": 2585, "Ferry tickets": 2405, "Cargo dues": 2140, "Rents and other": 542, "Yacht harbour": 361}
        shades = ["#1f5fa8", "#4b9cd3", "#8fc1a9", "#f0c75e", "#d9775f"]
        one.pie(list(parts.values()), labels=list(parts), autopct="%.0f %%", colors=shades, startangle=90, counterclock=False)
        one.set_title("Where the money came from, 2025")
    return drawn[0]


def map_bed_change() -> Image.Image:
    """A map of the sea bed: red where it rose, blue where it fell."""
    bed = noise(520, 322, (4, 3), 301)
    plain = gradient(520, 322, [(0, (240, 236, 220)), (1, (240, 236, 220))])
    plain = blend(plain, (196, 52, 40), (bed - 0.55) * 2.4)
    return picture(blend(plain, (40, 90, 170), (0.42 - bed) * 2.4))
