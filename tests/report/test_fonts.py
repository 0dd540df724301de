"""Settings and fonts: figures do not depend on a user's matplotlibrc, and show names in any script."""

import re
import warnings

import matplotlib as mpl
import numpy as np
import pytest
from fontTools.fontBuilder import FontBuilder
from fontTools.pens.ttGlyphPen import TTGlyphPen
from made_up_studies import made_up_study
from matplotlib import font_manager

import nasbench_lab as nl
from nasbench_lab.analysis.table_quality import quality
from nasbench_lab.report import (
    STYLES,
    a12_figure,
    architecture_figure,
    cd_figure,
    ecdf_figure,
    final_figure,
    leaderboard_figure,
    normalised_figure,
    pareto_figure,
    profile_figure,
    rank_figure,
    regret_figure,
    save_figure_as,
    table_figure,
)
from nasbench_lab.report.figures import fonts, text_fit
from nasbench_lab.report.figures.digits import power_of_ten
from nasbench_lab.spaces import TopologySpace
from nasbench_lab.testing import synthetic_table

CHINESE, JAPANESE = "随机搜索", "無作為探索"
MONEY = "$x^2$ (5 $)"
NAMED = made_up_study(labels=(CHINESE, MONEY, JAPANESE, "a_b"), tables=("画像/分類", "$\\frac$"))
SMALL = made_up_study(3, 2)
LEAKS = {
    "text.usetex": True,
    "text.parse_math": True,
    "font.size": 23.0,
    "font.family": ["cmtt10"],
    "font.weight": "bold",
    "font.style": "italic",
    "axes.facecolor": "#ffee00",
    "axes.formatter.use_locale": False,
    "axes.formatter.limits": [0, 1],
    "axes.labelcolor": "red",
    "axes.spines.left": False,
    "axes.xmargin": 0.4,
    "figure.dpi": 31,
    "figure.facecolor": "black",
    "figure.autolayout": True,
    "image.cmap": "hot",
    "legend.loc": "lower left",
    "lines.dash_capstyle": "round",
    "patch.linewidth": 5.0,
    "pdf.compression": 0,
    "savefig.bbox": "tight",
    "savefig.transparent": True,
    "savefig.facecolor": "blue",
    "svg.fonttype": "none",
    "xtick.direction": "in",
    "ytick.minor.visible": True,
}


def front():
    objective = {"budget": nl.Budget(evaluations=6), "objectives": ["parameters"]}
    return nl.simulate(synthetic_table("tiny"), "nsga-ii", runs=2, **objective)


FIGURES = {
    "a12": lambda: a12_figure(SMALL),
    "architecture": lambda: architecture_figure(TopologySpace(), 777),
    "cd": lambda: cd_figure(SMALL),
    "ecdf": lambda: ecdf_figure(SMALL),
    "final": lambda: final_figure(SMALL),
    "leaderboard": lambda: leaderboard_figure(SMALL),
    "normalised": lambda: normalised_figure(SMALL),
    "pareto": lambda: pareto_figure(front()),
    "profile": lambda: profile_figure(SMALL),
    "rank": lambda: rank_figure(SMALL),
    "regret": lambda: regret_figure(SMALL),
    "table": lambda: table_figure(synthetic_table(), quality(synthetic_table())),
}


@pytest.fixture(autouse=True)
def fresh():
    """Forget measured texts, searched fonts and given warnings."""

    def forget():
        for cached in (text_fit.text_width, fonts._families, fonts._warn_of_boxes):
            cached.cache_clear()

    forget()
    yield
    forget()


def written(figure, path, ending="svg"):
    file = path / f"figure.{ending}"
    save_figure_as(figure, file, style=STYLES["single"])
    return file.read_bytes()


@pytest.mark.parametrize("name", FIGURES)
def test_settings_of_the_user_do_not_leak(name, tmp_path):
    plain = written(FIGURES[name](), tmp_path)
    text_fit.text_width.cache_clear()
    with mpl.rc_context(LEAKS):
        before = dict(mpl.rcParams)
        assert written(FIGURES[name](), tmp_path) == plain
        assert dict(mpl.rcParams) == before, "and ours do not leak into theirs"


# Names in other scripts.


@pytest.fixture
def only_own_fonts(monkeypatch):
    monkeypatch.setattr(fonts, "_other_fonts", list)


@pytest.fixture
def made_font(tmp_path, monkeypatch):
    """Install a font that has a square for each of the characters."""
    pen = TTGlyphPen(None)
    pen.moveTo((100, 0)), pen.lineTo((900, 0)), pen.lineTo((900, 800)), pen.lineTo((100, 800)), pen.closePath()
    square = pen.glyph()
    characters = sorted({*CHINESE, *JAPANESE, *"画像分類"})
    names = {ord(each): f"uni{ord(each):04X}" for each in characters}
    font = FontBuilder(1000, isTTF=True)
    font.setupGlyphOrder([".notdef", *names.values()])
    font.setupCharacterMap(names)
    font.setupGlyf(dict.fromkeys([".notdef", *names.values()], square))
    font.setupHorizontalMetrics(dict.fromkeys([".notdef", *names.values()], (1000, 100)))
    font.setupHorizontalHeader(ascent=900, descent=-100)
    font.setupNameTable({"familyName": "Made Up", "styleName": "Regular", "psName": "MadeUp"})
    font.setupOS2(usWeightClass=400)
    font.setupPost()
    font.save(tmp_path / "made-up.ttf")
    monkeypatch.setattr(font_manager.fontManager, "ttflist", [*font_manager.fontManager.ttflist])
    font_manager.fontManager.addfont(tmp_path / "made-up.ttf")
    found = [entry for entry in font_manager.fontManager.ttflist if entry.name == "Made Up"]
    monkeypatch.setattr(fonts, "_other_fonts", lambda: found)


NAMED_FIGURES = (regret_figure, cd_figure)


def test_names_that_no_font_has_give_one_warning_and_stay_text_in_svg(only_own_fonts, tmp_path):
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        for figure in NAMED_FIGURES:
            text = written(figure(NAMED), tmp_path).decode()
            assert re.search(rf">[^<]*{CHINESE}", text)
            assert re.search(rf">[^<]*{JAPANESE}", text)
            assert re.search(r">[^<]*\$x\^2\$ \(5 \$\)", text)
            assert "sans-serif" in text
        written(leaderboard_figure(NAMED), tmp_path, "png")
        written(cd_figure(NAMED), tmp_path, "pdf")
    assert [warning.category for warning in caught] == [nl.errors.MissingFontWarning]
    assert "install a font that has them" in str(caught[0].message)


def test_names_are_drawn_with_another_font(made_font, tmp_path):
    assert fonts._families(frozenset(CHINESE)) == (("DejaVu Sans", "Made Up"), frozenset())
    for figure in NAMED_FIGURES:
        text = written(figure(NAMED), tmp_path).decode()
        assert "<text" not in text, "outlines"
        assert len(set(re.findall('id="MadeUp-[^"]+"', text))) >= len({*CHINESE, *JAPANESE})
        assert "LastResort" not in text, "a box"
    written(leaderboard_figure(NAMED), tmp_path, "png")
    written(cd_figure(NAMED), tmp_path, "pdf")


def test_other_fonts_change_nothing_where_they_are_not_needed(made_font, tmp_path):
    one = written(cd_figure(SMALL), tmp_path)
    assert b"Made" not in one
    assert fonts._families(frozenset("Moré ± ∞ 10⁻³")) == (("DejaVu Sans",), frozenset())


def test_the_width_of_a_name_is_that_of_its_letters(made_font):
    assert text_fit.text_width(CHINESE, 10) == pytest.approx(3.8 * 10 / 72, rel=0.02), "four squares of 0.8, 0.2 apart"
    assert text_fit.text_width(MONEY, 10) > text_fit.text_width("x2 5", 10) * 1.5


def test_numbers_of_logarithmic_axes_need_no_formulas():
    figure = ecdf_figure(SMALL)
    figure.draw_without_rendering()
    panel = figure.axes[0]
    shown = {label.get_text() for label in panel.get_xticklabels()}
    assert {"1", "10"} <= shown
    values = {10.0**power for power in range(-12, 13)}
    assert len({power_of_ten(value) for value in values}) == len(values)
    assert not power_of_ten(np.sqrt(10))
