"""Numbers at ticks: as many digits as tell them apart, whatever floating-point arithmetic makes of them."""

import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from made_up_studies import made_up_study
from matplotlib.backends.backend_agg import FigureCanvasAgg

from nasbench_lab.errors import UnknownNameError
from nasbench_lab.report.figures.axis_scales import scale_for
from nasbench_lab.report.figures.digits import evenly_spaced, power_of_ten, significant
from nasbench_lab.report.figures.final_regret import final_figure
from nasbench_lab.report.figures.progress import normalised_figure, rank_figure
from nasbench_lab.report.figures.regret import regret_figure

UNITS = {"": 1, "k": 1e3, "M": 1e6, "G": 1e9}
SUPERSCRIPTS = str.maketrans("⁻⁰¹²³⁴⁵⁶⁷⁸⁹", "-0123456789")


def value_of(label):
    """Read a label."""
    found = re.fullmatch(r"(-?[\d.]+)?([kMG]?)(?:·?10([⁻⁰¹²³⁴⁵⁶⁷⁸⁹]+))?", label)
    assert found, label
    number, unit, power = found.groups()
    return float(number or 1) * UNITS[unit] * 10.0 ** int((power or "⁰").translate(SUPERSCRIPTS))


@given(st.integers(-8, 7), st.sampled_from([1, 2, 2.5, 5]), st.integers(-10, 10), st.integers(2, 8))
def test_labels_of_even_ticks_say_their_numbers(exponent, multiple, start, count):
    step = multiple * 10.0**exponent
    ticks = [step * (start + place) for place in range(count)]
    labels = evenly_spaced(ticks)
    assert len(set(labels)) == count
    for label, tick in zip(labels, ticks, strict=True):
        assert value_of(label) == pytest.approx(tick, rel=1e-6, abs=step * 1e-6)
        assert len(label) <= 11, label


@given(st.integers(-12, 11), st.sampled_from([1, 2, 3, 5]))
def test_labels_of_log_ticks_say_their_numbers(exponent, multiple):
    value = multiple * 10.0**exponent
    assert value_of(significant(value)) == pytest.approx(value)
    assert "e" not in significant(value)
    assert value_of(power_of_ten(10.0**exponent)) == pytest.approx(10.0**exponent)


def labels_of(axis):
    FigureCanvasAgg(axis.figure).draw()
    low, high = sorted(axis.get_view_interval())
    return [tick.label1.get_text() for tick in axis.get_major_ticks() if low <= tick.get_loc() <= high]


@pytest.mark.parametrize("scale", ["linear", "log"])
def test_scales_of_axes(scale):
    study = made_up_study(3, 2)
    figure = regret_figure(study, "test", "seconds", x_scale=scale, y_scale=scale)
    for panel in figure.axes:
        assert (panel.get_xscale(), panel.get_yscale()) == (scale, scale)
        for axis in (panel.xaxis, panel.yaxis):
            labels = labels_of(axis)
            assert 2 <= len(labels) <= 7, labels
            for label in labels:
                value_of(label)
    assert rank_figure(study, x_scale=scale).axes[0].get_xscale() == scale
    assert normalised_figure(study, x_scale=scale, y_scale=scale).axes[0].get_yscale() == scale
    assert final_figure(study, x_scale=scale).axes[0].get_xscale() == scale


def test_the_last_third_of_the_budget_is_a_third_of_the_axis():
    (panel,) = regret_figure(made_up_study(3, 1)).axes
    low, high = panel.get_xlim()
    assert (low, high) == (0, 60)
    assert panel.get_xscale() == "linear"


def test_scales_follow_the_data():
    assert scale_for([np.array([2.0, 3.0, np.inf])]) == "linear"
    assert scale_for([np.array([0.02, 3.0])]) == "log"
    assert scale_for([np.zeros(3)]) == "log", "the optimum has a line there"


def test_scales_that_do_not_exist():
    for figure, options in ((regret_figure, {"x_scale": "sqrt"}), (normalised_figure, {"y_scale": "cubic"})):
        with pytest.raises(UnknownNameError, match=r"unknown [xy] scale"):
            figure(made_up_study(2, 1), **options)
