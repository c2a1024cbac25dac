"""What the lite models see in a picture: descriptors, and attributes as people name them."""

import io

import numpy as np
import pytest
from PIL import Image, ImageEnhance

from rag.backends.lite.attributes import ATTRIBUTES, named, share_named, without_attributes
from rag.backends.lite.pixels import DESCRIPTOR, attribute_words, see
from rag.errors import BackendError

SCENES = ("landscape", "document", "chart", "portrait", "city")


def scene(kind, rng, height=160, width=240):
    """A drawn picture of that type, (height, width, 3)."""
    y, x = np.mgrid[0:height, 0:width] / np.array([height, width])[:, None, None]
    picture = np.full((height, width, 3), 250.0)
    if kind == "landscape":
        picture[:] = np.array([120, 170, 230]) + rng.integers(-40, 25, 3)
        ridge = 0.35 + 0.3 * rng.random() + 0.08 * np.sin(x * rng.uniform(4, 14))
        picture[y > ridge] = np.array([60, 130, 50]) + rng.integers(-40, 40, 3)
        picture[(x - rng.random()) ** 2 + (y - 0.15) ** 2 < 0.003] = [250, 240, 160]
    elif kind == "document":
        for line in np.arange(0.08, 0.95, rng.uniform(0.03, 0.06)):
            ink = (y > line) & (y < line + 0.015) & (x > 0.08) & (x < rng.uniform(0.4, 0.95))
            picture[ink & (np.floor(x * rng.uniform(40, 90)) % 3 > 0)] = 30
    elif kind == "chart":
        bars = int(rng.integers(4, 9))
        for bar in range(bars):
            left = 0.1 + 0.8 * bar / bars
            inside = (x > left) & (x < left + 0.5 / bars) & (y < 0.9) & (y > 0.9 - rng.uniform(0.1, 0.8))
            picture[inside] = rng.integers(0, 256, 3)
    elif kind == "portrait":
        picture[:] = rng.integers(0, 256, 3)
        middle = rng.uniform(0.35, 0.65)
        picture[((x - middle) / 0.17) ** 2 + ((y - 0.4) / 0.25) ** 2 < 1] = np.array([210, 160, 130]) + rng.integers(-50, 30, 3)
        picture[((x - middle) / 0.35) ** 2 + ((y - 1) / 0.35) ** 2 < 1] = rng.integers(0, 256, 3)
    else:
        picture[:] = np.array([40, 45, 70]) + rng.integers(-20, 60, 3)
        for _ in range(12):
            left, top = rng.random(), rng.uniform(0.2, 0.7)
            tower = (x > left) & (x < left + rng.uniform(0.05, 0.15)) & (y > top)
            picture[tower] = rng.integers(30, 110, 3)
            picture[tower & (np.floor(x * 60) % 2 == 0) & (np.floor(y * 50) % 3 == 0)] = [230, 210, 120]
    return np.clip(picture + rng.normal(0, 5, picture.shape), 0, 255).astype(np.uint8)


@pytest.fixture(scope="module")
def gallery():
    rng = np.random.default_rng(3)
    return [(kind, scene(kind, rng)) for kind in SCENES for _ in range(20)]


@pytest.fixture(scope="module")
def seen(gallery):
    return np.array([see((picture,))[0] for _, picture in gallery])


def recompressed(image):
    packed = io.BytesIO()
    image.save(packed, "JPEG", quality=30)
    return Image.open(packed)


CHANGES = {
    "a third of the size": lambda image: image.resize((image.width // 3, image.height // 3)),
    "twice the size": lambda image: image.resize((image.width * 2, image.height * 2)),
    "recompressed": recompressed,
    "cropped": lambda image: image.crop((8, 5, image.width - 8, image.height - 5)),
    "brighter": lambda image: ImageEnhance.Brightness(image).enhance(1.25),
    "darker": lambda image: ImageEnhance.Brightness(image).enhance(0.75),
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_a_near_duplicate_is_nearest_to_its_original_among_a_hundred(gallery, seen, change):
    chosen = range(0, 100, 3)
    queries = np.array([see((np.asarray(change(Image.fromarray(gallery[number][1]))),))[0] for number in chosen])
    cosines = queries @ seen.T
    right = (cosines.argmax(axis=1) == np.array(chosen)).mean()
    assert right >= 0.97
    assert cosines[np.arange(len(chosen)), chosen].min() > 0.8


def test_pictures_of_one_type_are_closer_than_others(gallery, seen):
    kinds = np.array([kind for kind, _ in gallery])
    cosines = seen @ seen.T
    np.fill_diagonal(cosines, -1)
    assert (kinds[cosines.argmax(axis=1)] == kinds).mean() >= 0.9
    assert np.median(cosines[np.triu_indices(100, 1)]) < 0.2


def test_blocks_are_unit_and_finite_even_for_a_single_pixel():
    for shape in ((1, 1, 3), (1, 5000, 3), (5000, 1, 3), (3, 2, 3), (64, 64, 4)):
        for value in (0, 128, 255):
            looks, attributes = see((np.full(shape, value, np.uint8),))
            assert looks.shape == (DESCRIPTOR,)
            assert attributes.shape == (len(ATTRIBUTES),)
            assert np.linalg.norm(looks) == pytest.approx(1, abs=1e-5)
            assert np.linalg.norm(attributes) == pytest.approx(1, abs=1e-5)


@pytest.mark.parametrize("shape", [(4, 4), (0, 4, 3), (4, 4, 1)])
def test_pixels_of_a_wrong_shape_are_refused(shape):
    with pytest.raises(BackendError, match="not \\(height, width, 3\\)"):
        see((np.zeros(shape, np.uint8),))


def test_a_video_is_the_mean_of_its_frames(gallery):
    frames = tuple(picture for _, picture in gallery[:3])
    mean = np.sum([see((frame,))[0] for frame in frames], axis=0)
    np.testing.assert_allclose(see(frames)[0], mean / np.linalg.norm(mean), atol=1e-5)
    np.testing.assert_allclose(see(frames[:1] * 500)[0], see(frames[:1])[0], atol=1e-5)


@pytest.mark.parametrize(
    ("colour", "name"),
    [
        ((255, 0, 0), "red"), ((139, 0, 0), "red"), ((255, 140, 0), "orange"), ((255, 221, 0), "yellow"),
        ((40, 140, 30), "green"),
        ((0, 0, 255), "blue"), ((135, 206, 235), "blue"), ((0, 0, 90), "blue"), ((128, 0, 128), "purple"),
        ((255, 105, 180), "pink"), ((139, 69, 19), "brown"), ((8, 8, 8), "black"), ((250, 250, 250), "white"),
        ((128, 128, 128), "grey"),
    ],
)  # fmt: skip
def test_colours_have_the_names_people_give_them(colour, name):
    assert attribute_words((np.full((30, 50, 3), colour, np.uint8),)).split()[0] == name


def test_attribute_words_of_a_night_picture_with_a_red_car():
    picture = np.full((60, 90, 3), (15, 15, 18), np.uint8)
    picture[35:50, 30:60] = (200, 25, 25)
    assert set(attribute_words((picture,)).split()) == {"black", "red", "dark", "landscape"}


@pytest.mark.parametrize(
    ("text", "attributes", "subject"),
    [
        ("a dark blue picture", {"dark", "blue"}, ["a"]),
        ("深蓝色的图片", {"dark", "blue"}, ["的"]),
        ("浅绿", {"light", "green"}, []),
        ("black and white photo", {"greyscale"}, []),
        ("黑白照片", {"greyscale"}, []),
        ("RED car", {"red"}, ["car"]),
        ("gray door", {"grey"}, ["door"]),
        ("traffic light", set(), ["traffic", "light"]),
        ("黄河", set(), ["黄河"]),
        ("reduced fare", set(), ["reduced", "fare"]),
    ],
)  # fmt: skip
def test_attributes_named_by_a_query(text, attributes, subject):
    assert {name for name, strength in zip(ATTRIBUTES, named(text), strict=True) if strength} == attributes
    assert without_attributes(text).split() == subject


def test_the_share_of_a_query_that_names_attributes():
    assert share_named("blue picture") == 1
    assert share_named("invoice") == 0
    assert share_named("") == 0
    assert 0.3 < share_named("red car") < 0.6
