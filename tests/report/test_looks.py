"""Looks of strategies: no two are alike, for colour-blind readers and in grey prints neither."""

import itertools

import numpy as np
import pytest
from color_vision import DEFICIENCIES, difference, lab, linear, seen_by

from nasbench_lab.report.contrast import contrast_ratio
from nasbench_lab.report.looks import COLORS, DASHES, GREY, line_look, point_look

LEAST = 13.0  # CIEDE2000; 1 is just noticeable side by side
LEAST_IN_GREY = 4.9  # L*


# Sharma, Wu and Dalal, "The CIEDE2000 Color-Difference Formula" (2005), Table 1.
@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        ((50, 2.6772, -79.7751), (50, 0, -82.7485), 2.0425),
        ((50, 2.4900, -0.0010), (50, -2.4900, 0.0011), 7.2195),
        ((50, 2.5, 0), (73, 25, -18), 27.1492),
        ((22.7233, 20.0904, -46.6940), (23.0331, 14.9730, -42.5619), 2.0373),
        ((2.0776, 0.0795, -1.1350), (0.9033, -0.0636, -0.5514), 0.9082),
    ],
)
def test_the_difference_of_colours_is_the_published_one(one, other, expected):
    assert difference(np.array(one), np.array(other)) == pytest.approx(expected, abs=1e-4)


@pytest.mark.parametrize("vision", ["normal", *DEFICIENCIES])
def test_colours_can_be_told_apart(vision):
    colors = linear([*COLORS, GREY])
    seen = lab(colors if vision == "normal" else seen_by(colors, vision))
    for one, other in itertools.combinations(range(len(COLORS)), 2):
        assert difference(seen[one], seen[other]) >= LEAST, (COLORS[one], COLORS[other])
    for one, color in enumerate(COLORS):
        assert difference(seen[one], seen[-1]) >= 9, (color, "what is not highlighted")


def test_colours_can_be_told_apart_in_a_grey_print():
    lightness = lab(linear(COLORS))[:, 0]
    for one, other in itertools.combinations(range(len(COLORS)), 2):
        least = 20 if one % len(DASHES) == other % len(DASHES) else LEAST_IN_GREY
        assert abs(lightness[one] - lightness[other]) >= least, (COLORS[one], COLORS[other])
    assert min(contrast_ratio(color, "#ffffff") for color in COLORS) >= 2.1


@pytest.mark.parametrize("strategies", [9, 24, 40, 280])
def test_no_two_strategies_look_alike(strategies):
    looks = [line_look(number, strategies) for number in range(strategies)]
    assert len({(look["color"], look["linestyle"], look["marker"]) for look in looks}) == strategies
    points = [tuple(point_look(number).values()) for number in range(min(strategies, 56))]
    assert len(set(points)) == len(points)


def test_few_lines_need_no_markers():
    looks = [line_look(number, 8) for number in range(8)]
    assert {look["marker"] for look in looks} == {""}
    assert len({look["color"] for look in looks}) == 8
