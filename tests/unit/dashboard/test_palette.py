"""The colours, as people with each kind of colour blindness see them."""

import itertools
import math

import pytest

from csat.dashboard.palette import DARK, LIGHT, Palette

# Machado, Oliveira and Fernandes (2009), severity 1, on linear RGB
SIGHTS = {
    "normal": ((1, 0, 0), (0, 1, 0), (0, 0, 1)),
    "protanopia": ((0.152286, 1.052583, -0.204868), (0.114503, 0.786281, 0.099216), (-0.003882, -0.048116, 1.051998)),
    "deuteranopia": ((0.367322, 0.860646, -0.227968), (0.280085, 0.672501, 0.047413), (-0.01182, 0.04294, 0.968881)),
    "tritanopia": ((1.255528, -0.076749, -0.178779), (-0.078411, 0.930809, 0.147602), (0.004733, 0.691367, 0.3039)),
}
THEMES = pytest.mark.parametrize("palette", [LIGHT, DARK], ids=["light", "dark"])


def linear(color: str) -> list[float]:
    parts = [int(color[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    return [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]


def luminance(color: str) -> float:
    red, green, blue = linear(color)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    dark, light = sorted((luminance(one), luminance(other)))
    return (light + 0.05) / (dark + 0.05)


def lab(color: str, sight: str) -> tuple[float, float, float]:
    rgb = linear(color)
    red, green, blue = (
        min(1.0, max(0.0, sum(weight * part for weight, part in zip(row, rgb, strict=True)))) for row in SIGHTS[sight]
    )
    x = (0.4124 * red + 0.3576 * green + 0.1805 * blue) / 0.9505
    y = 0.2126 * red + 0.7152 * green + 0.0722 * blue
    z = (0.0193 * red + 0.1192 * green + 0.9505 * blue) / 1.089
    fx, fy, fz = (part ** (1 / 3) if part > 0.008856 else 7.787 * part + 16 / 116 for part in (x, y, z))
    return 116 * fy - 16, 500 * (fx - fy), 200 * (fy - fz)


@THEMES
@pytest.mark.parametrize("sight", SIGHTS)
def test_lines_of_a_chart_are_distinguishable(palette: Palette, sight: str) -> None:
    pairs = itertools.combinations((*palette.parts, palette.rest), 2)
    nearest = min(math.dist(lab(one, sight), lab(other, sight)) for one, other in pairs)
    assert nearest >= 15  # about 2 is just noticeable


@THEMES
def test_lines_contrast_with_the_background(palette: Palette) -> None:
    drawn = (*palette.parts, palette.rest, palette.satisfied, palette.dissatisfied)
    assert min(contrast(color, palette.background) for color in drawn) >= 3


@THEMES
def test_text_is_legible(palette: Palette) -> None:
    assert min(contrast(color, palette.background) for color in (palette.text, palette.muted)) >= 4.5
