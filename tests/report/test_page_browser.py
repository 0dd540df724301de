"""The page in a real browser: its script runs without a complaint, and does what the page says."""

import contextlib
import json
from pathlib import Path

import numpy as np
import pytest
from made_up_studies import made_up_study
from page_browser import IN_BROWSER, chart, choose, open_page, started_browser, wait_for

import nasbench_lab as nl
from nasbench_lab.analysis import study
from nasbench_lab.report.page import theme, write_page
from nasbench_lab.testing import synthetic_table

pytestmark = IN_BROWSER

LONG = "regularized-evolution(population_size=100,sample_size=25,mutation=an_unbroken_word_of_a_name_that_never_ends)"
STUDIES = {
    "few": made_up_study(3, 2),
    "many": made_up_study(30, 5),
    "solved": made_up_study(3, 2, zeros=0.7),
    "hostile": made_up_study(
        labels=("<script>document.title = 'broken'</script>", "<img src=x>", LONG), tables=(LONG,)
    ),
}


@pytest.fixture(scope="module")
def browser():
    with started_browser() as driver:
        yield driver


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("pages")
    for name, made in STUDIES.items():
        write_page(made, folder / f"{name}.html")
    return folder


@pytest.fixture
def page(browser, folder):
    """Opens a page; at the end of the test, the console must be empty."""

    def opened(name="few", **options):
        return open_page(browser, folder / f"{name}.html", **options)

    yield opened
    assert browser.get_log("browser") == []


def curves_of(figure):
    return figure.find_elements("css selector", ".plot .curve")


def readout(figure):
    """What the legend says: where, and for each strategy the number."""
    where = figure.find_element("css selector", "output").text
    values = figure.find_elements("css selector", ".key .value > span:first-child")
    return where, [value.text for value in values]


def slider(figure):
    return figure.find_element("css selector", "[role=slider]")


@pytest.mark.parametrize("name", STUDIES)
def test_every_chart_draws_every_strategy(page, name):
    browser, study = page(name), STUDIES[name]
    assert browser.title == (f"{len(study.labels)} strategies on " + (LONG if name == "hostile" else
                             f"{len(study.tasks)} tables"))  # fmt: skip
    for figure in browser.find_elements("css selector", "[data-chart]"):
        shown = chart(browser, figure.get_attribute("data-chart"))
        assert len(curves_of(shown)) == len(study.labels)
        labels = [key.text for key in shown.find_elements("css selector", ".key .name")]
        assert labels == [standing.strategy for standing in study.leaderboard["test"]]
        assert sorted(labels) == sorted(study.labels)
    assert not browser.find_elements("css selector", "main img")


def test_the_readout_says_the_numbers_of_the_study(page):
    from selenium.webdriver import ActionChains

    browser, curves = page(), STUDIES["few"].curves["test", "evaluations", 0]
    figure = chart(browser)
    where, values = readout(figure)
    assert where == "at 60 evaluations", "without a pointer, the end"
    plot = slider(figure)
    for offset in (-150, 0, 120):
        ActionChains(browser).move_to_element_with_offset(plot, offset, 0).perform()
        where, values = readout(figure)
        at = float(where.removeprefix("at ").removesuffix(" evaluations").replace(",", ""))
        (place,) = np.nonzero(curves.grid == at)[0]
        shown = [float(value) for value in values]
        assert shown == pytest.approx(curves.quartiles[1, :, place], rel=0.01, abs=1e-9)
        marks = figure.find_elements("css selector", ".marker")
        assert len(marks) == 3
    ActionChains(browser).move_to_element(browser.find_element("tag name", "h1")).perform()
    assert readout(figure)[0] == "at 60 evaluations"


def test_without_a_pointer_values_are_read_where_most_strategies_have_one(page, folder):
    from selenium.webdriver import Keys

    table, budget = synthetic_table("chain"), nl.Budget(evaluations=300)
    names = ("exhaustive", "random-search", "reinforce")  # the first has gone through the space after 243
    write_page(study([nl.simulate(table, name, runs=4, budget=budget) for name in names]), folder / "early.html")
    figure = chart(page("early"))
    where, values = readout(figure)
    assert where == "at 243 evaluations"
    assert all(float(value) >= 0 for value in values)
    slider(figure).send_keys(Keys.END)  # to the end, where one of them has no value
    where, values = readout(figure)
    assert where == "at 300 evaluations"
    assert sum(value.replace(".", "").isdigit() for value in values) == 2


def test_a_strategy_is_hidden_in_all_charts(page):
    browser = page()
    figures = [chart(browser, name) for name in ("regret", "rank", "targets")]
    key = figures[0].find_element("css selector", ".key[data-strategy='1']")
    key.click()
    for figure in figures:
        drawn = {curve.get_attribute("data-strategy") for curve in curves_of(figure)}
        assert drawn == {"0", "2"}
        pressed = [k.get_attribute("aria-pressed") for k in figure.find_elements("css selector", ".key")]
        assert pressed == ["true", "false", "true"]
    assert "regularized-evolution" not in slider(figures[0]).get_attribute("aria-valuetext")
    key.click()
    assert len(curves_of(figures[1])) == 3
    hide, show = figures[0].find_elements("css selector", ".legend-tools button")[::-1]
    hide.click()
    assert "No strategy is shown" in slider(figures[0]).text
    show.click()
    assert len(curves_of(figures[0])) == 3


def test_the_keyboard_moves_the_readout(page):
    from selenium.webdriver import Keys

    browser = page()
    figure = chart(browser)
    grid = STUDIES["few"].curves["test", "evaluations", 0].grid
    plot = slider(figure)
    plot.send_keys(Keys.HOME)
    assert readout(figure)[0] == "at 1 evaluations"
    plot.send_keys(Keys.ARROW_RIGHT, Keys.ARROW_RIGHT)
    assert readout(figure)[0] == f"at {grid[2]:g} evaluations"
    assert plot.get_attribute("aria-valuenow") == "2"
    text = plot.get_attribute("aria-valuetext")
    value = STUDIES["few"].curves["test", "evaluations", 0].quartiles[1, 0, 2]
    assert f"random-search {float(f'{value:.4g}'):g}" in text
    plot.send_keys(Keys.END, Keys.ARROW_RIGHT)
    assert plot.get_attribute("aria-valuenow") == plot.get_attribute("aria-valuemax")
    outline = browser.execute_script("return getComputedStyle(arguments[0]).outlineStyle", plot)
    assert outline == "solid", "the focus is visible"
    plot.send_keys(Keys.TAB)
    assert browser.switch_to.active_element.text == "Show all"


def test_scales_show_zeros(page):
    """Where most runs find the optimum curves reach zero: on a logarithmic axis it is the line at the bottom."""
    browser = page("solved")
    figure = chart(browser)

    def bottoms():
        paths = [curve.get_attribute("d") for curve in curves_of(figure)]
        assert not any("NaN" in path or "Infinity" in path for path in paths)
        return [float(path.rsplit(",", 1)[1]) for path in paths]

    assert len(set(bottoms())) == 1
    assert "optimum" in slider(figure).text
    for scale in ("linear", "log"):
        choose(browser, figure, "scale-y", scale)
        choose(browser, figure, "scale-x", scale)
        assert len(set(bottoms())) == 1
        assert ("optimum" in slider(figure).text) == (scale == "log")
    choose(browser, figure, "scale-y", "linear")
    zero = [t for t in figure.find_elements("css selector", "svg text") if t.text == "0"]
    assert zero, "a linear axis has a zero"


def test_every_choice_is_drawn(page):
    browser = page()
    figure = chart(browser)
    for name, value, said in (
        ("kind", "valid", "validation regret, mean over repeats (fraction)"),
        ("axis", "seconds", "simulated seconds"),
        ("center", "iqm", None),
        ("task", "1", None),
    ):
        choose(browser, figure, name, value)
        assert len(curves_of(figure)) == 3
        assert said is None or said in slider(figure).text
    assert "interquartile mean" in figure.find_element("css selector", ".what").text
    curves = STUDIES["few"].curves["valid", "seconds", 1]
    assert [float(v) for v in readout(figure)[1]] == pytest.approx(curves.iqm.estimate[:, -1], rel=0.01)
    choose(browser, figure, "bands", "off")
    bands = figure.find_elements("css selector", ".plot .band")
    assert len(bands) == 3
    assert not any(band.is_displayed() for band in bands)


def test_the_numbers_as_a_table(page):
    browser = page()
    figure = chart(browser)
    details = figure.find_element("css selector", "details.numbers")
    details.find_element("tag name", "summary").click()
    wait_for(browser, "document.querySelector('#chart-regret .numbers table') !== null")
    rows = details.find_elements("css selector", "tbody tr")
    cells = rows[-1].find_elements("css selector", "th, td")
    assert cells[0].text == "60"
    final = STUDIES["few"].curves["test", "evaluations", 0].quartiles[1, :, -1]
    assert [float(cell.text.split()[0]) for cell in cells[1:]] == pytest.approx(final, rel=1e-3, abs=1e-9)


def test_tables_sort(page):
    browser = page("many")
    board = browser.find_element("css selector", "#leaderboard table.sortable")

    def values(column):
        cells = board.find_elements("css selector", f"tbody td:nth-child({column})")
        return [float(cell.get_attribute("data-value")) for cell in cells]

    header = board.find_elements("css selector", "thead th")[2]
    header.find_element("tag name", "button").click()
    assert header.get_attribute("aria-sort") == "ascending"
    assert values(3) == sorted(values(3))
    header.find_element("tag name", "button").click()
    assert values(3) == sorted(values(3), reverse=True)
    assert len(board.find_elements("css selector", "[aria-sort]")) == 1
    board.find_element("css selector", "thead th button").click()
    names = [row.text.split("\n")[0] for row in board.find_elements("css selector", "tbody th")]
    assert names == sorted(names, key=str.lower)


def test_the_matrix_shows_what_is_chosen(page):
    browser = page()
    holder = browser.find_element("id", "matrix")
    choose(browser, holder, "measure", "difference")
    choose(browser, holder, "task", "0")
    cells = [cell.text.replace("\N{MINUS SIGN}", "-") for cell in holder.find_elements("css selector", "td")]
    expected = STUDIES["few"].pairwise["test"].difference.estimate[..., 0].ravel()
    shown = [(float(text), value) for text, value in zip(cells, expected, strict=True) if text]
    assert len(shown) == 6
    assert [text for text, _ in shown] == pytest.approx([value for _, value in shown], rel=0.01)
    kinds = [cell.get_attribute("class") for cell in holder.find_elements("css selector", "td")]
    assert kinds[1:3] == ["same", "better"]


def test_the_theme(page):
    browser = page(scheme="dark")

    def background():
        color = browser.execute_script("return getComputedStyle(document.body).backgroundColor")
        return "#" + "".join(f"{int(part):02x}" for part in color[4:-1].split(","))

    assert background() == theme.DARK["page"]
    button = browser.find_element("id", "theme")
    seen = []
    for _ in range(3):
        button.click()
        seen.append((button.get_attribute("aria-label"), background()))
    assert seen == [
        ("Theme: light", theme.LIGHT["page"]),
        ("Theme: dark", theme.DARK["page"]),
        ("Theme: auto", theme.DARK["page"]),
    ]
    assert page(scheme="light") is browser
    assert background() == theme.LIGHT["page"]


@pytest.mark.parametrize("width", [360, 768, 1440])
@pytest.mark.parametrize("name", STUDIES)
def test_the_page_never_scrolls_sideways(page, name, width):
    browser = page(name, width=width)
    chart(browser)
    browser.execute_script("for (const part of document.querySelectorAll('details')) part.open = true")
    wide = browser.execute_script(
        """const width = document.documentElement.clientWidth;
        const boxed = (e) => e.closest(".scroll, .diagram, .canvas, pre, nav, .hidden-text, .skip, svg");
        const out = Array.from(document.querySelectorAll("body *"))
            .filter((e) => !boxed(e) && e.getBoundingClientRect().right > width + 0.5);
        return [document.documentElement.scrollWidth - width, out.map((e) => e.outerHTML.slice(0, 80))];"""
    )
    assert wide == [0, []]


def test_citations_are_copied(page):
    """Also where the browser keeps the clipboard from a page: what is copied then comes from a hidden field."""
    browser = page()
    browser.execute_script(
        """window.copied = null;
        document.execCommand = () => { window.copied = document.getSelection().toString(); return true; };
        Object.defineProperty(navigator, "clipboard", { value: undefined });"""
    )
    button = browser.find_element("css selector", "#citations .copyable button")
    button.click()
    wait_for(browser, "window.copied !== null")
    assert browser.execute_script("return window.copied").startswith("@inproceedings{made2020up")
    wait_for(browser, "document.getElementById('status').textContent === 'Copied'")
    assert button.text == "Copied"


def test_without_script_the_curves_are_there(page):
    browser = page("few", script=False)
    static = browser.find_elements("css selector", "[data-chart] noscript svg[role=img]")
    assert len(static) == 4
    assert all(picture.is_displayed() for picture in static)
    assert not browser.find_element("id", "theme").is_displayed()


def test_the_policy_stops_what_is_not_of_the_page(page):
    """The console complains of it, so the test looks at the log itself."""
    browser = page()
    browser.execute_script(
        """const script = document.createElement("script");
        script.textContent = "window.broken = true";
        document.head.append(script);"""
    )
    assert browser.execute_script("return window.broken") is None
    complaints = json.dumps(browser.get_log("browser"))
    assert "Content Security Policy" in complaints


def test_on_paper_everything_is_readable(page, tmp_path):
    browser = page()
    chart(browser)
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": "print"})
    for selector in (".bar", ".controls", ".legend-tools"):
        assert not browser.find_element("css selector", selector).is_displayed()
    with contextlib.closing((tmp_path / "page.pdf").open("wb")) as file:
        import base64

        file.write(base64.b64decode(browser.print_page()))
    assert Path(file.name).read_bytes().startswith(b"%PDF")
