"""The page for everybody: phones, the keyboard, screen readers, dark rooms, paper, and shells."""

import base64
import importlib.resources
import importlib.util

import pytest
from made_up_studies import made_up_study
from page_browser import IN_BROWSER, chart, choose, open_page, started_browser, wait_for

from nasbench_lab.report.page import theme, write_page

pytestmark = IN_BROWSER

STUDIES = {
    "three": made_up_study(3, 1),
    "four": made_up_study(4, 2),
    "nine": made_up_study(9, 2),
    "many": made_up_study(24, 4),
}
WIDTHS = (390, 768, 1440)

needs_axe = pytest.mark.skipif(
    importlib.util.find_spec("axe_core_python") is None, reason="needs axe-core, from the package axe-core-python"
)


@pytest.fixture(scope="module")
def browser():
    with started_browser() as driver:
        yield driver


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("pages")
    for name, made in STUDIES.items():
        write_page(made, folder / f"{name}.html", source="my results")
    return folder


@pytest.fixture
def page(browser, folder):
    def opened(name="nine", **options):
        open_page(browser, folder / f"{name}.html", **options)
        if options.get("script", True):
            chart(browser)
        return browser

    yield opened
    assert browser.get_log("browser") == []


def unfold(browser):
    browser.execute_script("for (const part of document.querySelectorAll('details')) part.open = true")


@needs_axe
@pytest.mark.parametrize(("width", "scheme"), [(390, "dark"), (1440, "light")])
def test_axe_finds_nothing_serious(page, width, scheme):
    browser = page("four", width=width, scheme=scheme)
    unfold(browser)
    axe = importlib.resources.files("axe_core_python").joinpath("axe.min.js").read_text(encoding="utf-8")
    browser.execute_script(axe)
    found = browser.execute_async_script(
        """const done = arguments[arguments.length - 1];
        axe.run(document, { resultTypes: ["violations"] }).then((found) => done(found.violations));"""
    )
    wrong = [
        (each["id"], each["impact"], each["nodes"][0]["html"][:200], each["nodes"][0].get("failureSummary", "")[:300])
        for each in found
        if each["impact"] in ("serious", "critical")
    ]
    assert wrong == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_text_of_charts_has_the_contrast_of_the_theme(page, scheme):
    """Axe does not look at text in drawings: theirs must be one of the colours whose contrast is computed elsewhere."""
    browser = page(scheme=scheme)
    unfold(browser)
    used = browser.execute_script(
        """const dim = (e) => e && e !== document ? Number(getComputedStyle(e).opacity) * dim(e.parentElement) : 1;
        const texts = Array.from(document.querySelectorAll("svg text"));
        return texts.map((e) => `${getComputedStyle(e).fill} ${dim(e)}`).filter((x, n, all) => all.indexOf(x) === n);"""
    )
    colors = theme.DARK if scheme == "dark" else theme.LIGHT
    allowed = {"rgb({}, {}, {}) 1".format(*(int(colors[name][at : at + 2], 16) for at in (1, 3, 5)))
               for name in ("text", "muted")}  # fmt: skip
    assert set(used) == allowed


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("name", ["three", "many"])
def test_tables_fit_or_say_that_they_scroll(page, name, width):
    browser = page(name, width=width)
    unfold(browser)
    wait_for(browser, "document.querySelector('.numbers table') !== null")
    boxes = browser.execute_script(
        """return Array.from(document.querySelectorAll(".scroller > :is(.scroll, .diagram, .canvas)"), (box) => {
            const frame = box.parentElement, cue = frame.nextElementSibling;
            return { cards: box.querySelector("table.cards") !== null, wide: box.scrollWidth > box.clientWidth + 1,
                     shade: frame.classList.contains("after"), stop: box.tabIndex === 0,
                     cue: Boolean(cue?.matches(".cue") && cue.checkVisibility()), name: box.ariaLabel };
        });"""
    )
    for box in boxes:
        assert box["wide"] == box["shade"] == box["cue"], box
        assert box["stop"] or not box["wide"], box
        assert not (box["cards"] and box["wide"] and width == 390), box
    if name == "many" and width == 390:
        assert any(box["wide"] for box in boxes), "the matrix of all pairs scrolls"


def test_the_shade_follows_the_scrolling(page):
    browser = page("many", width=390)
    frame = "document.querySelector('#matrix .scroller')"
    assert browser.execute_script(f"return {frame}.className") == "scroller after"
    browser.execute_script(f"{frame}.firstElementChild.scrollLeft = 60")
    wait_for(browser, f"{frame}.className === 'scroller after before'")
    browser.execute_script(f"{frame}.firstElementChild.scrollLeft = 1e5")
    wait_for(browser, f"{frame}.className === 'scroller before'")


def test_on_a_phone_every_row_is_a_card_with_its_headings(page):
    browser = page(width=390)
    heading = """const cell = document.querySelector("#leaderboard tbody td");
        return [getComputedStyle(cell, "::before").content, getComputedStyle(cell.parentElement).display]"""
    assert browser.execute_script(heading) == ['"average task rank"', "block"]
    sort = browser.find_element("css selector", "#leaderboard thead th:nth-child(3) button")
    sort.click()
    cells = browser.find_elements("css selector", "#leaderboard > .scroller tbody td:nth-child(3)")
    values = [float(cell.get_attribute("data-value")) for cell in cells]
    assert values == sorted(values)
    browser = page(width=1440)
    assert browser.execute_script(heading)[1] == "table-row"


def test_the_first_group_is_marked_and_named(page):
    browser, study = page("many"), STUDIES["many"]
    marks = [mark.text for mark in browser.find_elements("css selector", "#leaderboard > .scroller .mark")]
    assert marks[0] == "first"
    p = study.ranks["test"].nemenyi[study.labels.index(study.leaderboard["test"][0].strategy)]
    others = [row.strategy for row in study.leaderboard["test"] if row.place > 1]
    same = [label for label in others if p[study.labels.index(label)] >= 0.05]
    assert marks.count("not distinguishable") == len(same)
    assert marks.count("significantly worse") == 24 - len(same) - marks.count("first")
    unfold(browser)
    assert [key.text for key in browser.find_elements("css selector", ".groups .same li")] == same


def typed(browser, text):
    browser.find_element("id", "filter-text").send_keys(text)


def test_the_filter_hides_what_does_not_match_everywhere(page):
    from selenium.webdriver import Keys

    browser, labels = page(), STUDIES["nine"].labels
    typed(browser, "SEARCH")
    shown = [label for label in labels if "search" in label]
    assert browser.find_element("id", "filter-count").text == f"{len(shown)} of 9 shown"
    for selector in ("#leaderboard > .scroller tbody th", "#matrix tbody th", "#tasks .entry[open] .scroller tbody th"):
        rows = [
            row.text.split("\n")[-1] for row in browser.find_elements("css selector", selector) if row.is_displayed()
        ]
        assert {row.lstrip("0123456789 ") for row in rows} == set(shown), selector
    columns = [th for th in browser.find_elements("css selector", "#matrix thead .column") if th.is_displayed()]
    assert len(columns) == len(shown)
    for name in ("regret", "rank", "targets"):
        figure = chart(browser, name)
        assert len(figure.find_elements("css selector", ".plot .curve")) == len(shown)
        assert sum(key.is_displayed() for key in figure.find_elements("css selector", ".key")) == len(shown)
    typed(browser, " local")
    assert browser.find_element("id", "filter-count").text == "1 of 9 shown"
    typed(browser, "zzz")
    assert browser.find_element("id", "filter-count").text == "none of 9 shown"
    assert "No strategy is shown" in browser.find_element("css selector", "#chart-regret .plot").text
    typed(browser, Keys.ESCAPE)
    assert browser.find_element("id", "filter-text").get_attribute("value") == ""
    assert browser.find_element("id", "filter-count").text == ""
    assert len(browser.find_elements("css selector", "#chart-regret .plot .curve")) == 9


def test_the_filter_and_the_legend_do_not_undo_each_other(page):
    browser = page()
    figure = chart(browser)
    figure.find_element("css selector", ".key[data-strategy='2']").click()
    typed(browser, "search")
    drawn = {curve.get_attribute("data-strategy") for curve in figure.find_elements("css selector", ".plot .curve")}
    assert "2" not in drawn
    browser.execute_script("const f = document.getElementById('filter-text'); f.value = '';"
                           "f.dispatchEvent(new Event('input'))")  # fmt: skip
    assert len(figure.find_elements("css selector", ".plot .curve")) == 8


def test_without_script_everything_is_there(page):
    browser = page(script=False)
    assert not browser.find_element("id", "filter").is_displayed()
    assert browser.find_element("css selector", "#chart-regret .command code").text.startswith("nasbench-lab plot")
    rows = browser.find_elements("css selector", "#leaderboard > .scroller tbody tr")
    assert all(row.is_displayed() for row in rows)
    assert len(rows) == 9


def copied(browser, clipboard):
    """Press every visible button that copies a command; what was copied, with and without the clipboard."""
    browser.execute_script(
        """window.copied = [];
        const keep = (text) => { window.copied.push(text); };
        document.execCommand = () => { keep(document.getSelection().toString()); return true; };
        const clipboard = { writeText: async (text) => keep(text) };
        Object.defineProperty(navigator, "clipboard", { value: arguments[0] ? clipboard : undefined });""",
        clipboard,
    )
    buttons = browser.find_elements("css selector", ".command button")
    shown = [button for button in buttons if button.is_displayed()]
    for button in shown:
        browser.execute_script("arguments[0].click()", button)
    wait_for(browser, f"window.copied.length === {len(shown)}")
    return browser.execute_script("return window.copied")


@pytest.mark.parametrize("clipboard", [True, False])
def test_the_commands_of_all_figures_are_copied(page, clipboard):
    browser = page()
    found = copied(browser, clipboard)
    codes = [code.text for code in browser.find_elements("css selector", ".command code") if code.is_displayed()]
    assert found == codes
    figures = [command.split("--figure ")[1].split()[0] for command in found]
    assert {"leaderboard", "regret", "rank", "normalised", "cd", "a12", "ecdf", "architecture"} == set(figures)
    assert all(command.startswith("nasbench-lab plot 'my results' --figure ") for command in found)


def test_a_long_legend_has_a_shade_where_it_scrolls(page):
    """Two layers scroll with the names, and cover two that stay at the edges of the box."""
    keys = chart(page(width=390)).find_element("css selector", ".keys")
    assert keys.value_of_css_property("background-attachment") == "local, local, scroll, scroll"


def test_the_command_follows_the_choices(page):
    browser = page()
    figure = chart(browser)
    code = figure.find_element("css selector", ".command code")
    assert code.text == (
        "nasbench-lab plot 'my results' --figure regret --out regret.pdf --table synthetic/table-0 --kind test "
        "--axis evaluations --statistic median --x-scale linear --y-scale log"
    )
    for name, value in (("task", "1"), ("kind", "valid"), ("axis", "seconds"), ("center", "iqm"), ("scale-x", "log")):
        choose(browser, figure, name, value)
    shown = "--table synthetic/table-1 --kind valid --axis seconds --statistic iqm --x-scale log --y-scale log"
    assert code.text.endswith(shown)
    targets = chart(browser, "targets")
    choose(browser, targets, "what", "scores")
    assert (
        "--figure profile --out profile.pdf --kind test" in targets.find_element("css selector", ".command code").text
    )
    holder = browser.find_element("id", "matrix")
    choose(browser, holder, "task", "1")
    command = holder.find_element("css selector", ".command")
    assert command.text.endswith("--figure a12 --out a12.pdf --kind test --table synthetic/table-1")
    choose(browser, holder, "measure", "p")
    assert not command.is_displayed()


def test_a_linear_axis_has_even_steps(page):
    """Only where the grid has points at equal distances can the horizontal axis be linear."""
    browser = page()
    names = ["regret", "rank", "progress"]
    for name in [*names, "targets"]:
        figure = chart(browser, name)
        assert len(figure.find_elements("css selector", "[data-choice='scale-x']")) == (2 if name in names else 0)


def test_the_keyboard_reaches_everything_in_order_and_leaves_it_again(page):
    from selenium.webdriver import Keys

    browser = page("three")
    seen = []
    for _ in range(200):
        browser.switch_to.active_element.send_keys(Keys.TAB)
        place = browser.execute_script(
            """const e = document.activeElement;
            if (e === document.body) return null;
            const all = Array.from(document.querySelectorAll("*"));
            const style = getComputedStyle(e.matches(".segments input") ? e.nextElementSibling : e);
            return [all.indexOf(e), style.outlineStyle, e.outerHTML.slice(0, 90), e.className];"""
        )
        if place is None or (seen and place[0] == seen[0][0]):
            break
        seen.append(place)
    else:
        pytest.fail(f"the keyboard is caught at {seen[-1]}")
    order = [place for place, *_ in seen]
    assert order == sorted(order)
    assert [stop for _, outline, stop, _ in seen if outline == "none"] == []
    assert 'class="skip"' in seen[0][2]
    reached = " ".join(stop for _, _, stop, _ in seen)
    for part in ('id="filter-text"', 'id="theme"', 'class="sort"', 'role="slider"', 'class="key', "Copy command of"):
        assert part in reached, part


def test_the_skip_link_leads_to_the_results(page):
    from selenium.webdriver import Keys

    browser = page("three")
    browser.find_element("tag name", "body").send_keys(Keys.TAB)
    assert browser.switch_to.active_element.rect["y"] >= 0, "it is visible when it has the focus"
    browser.switch_to.active_element.send_keys(Keys.ENTER)
    assert browser.switch_to.active_element.get_attribute("id") == "main"


@pytest.mark.parametrize("name", ["three", "nine", "many"])
def test_on_paper_there_are_no_buttons_and_no_cut_tables(page, name):
    browser = page(name, width=718, scheme="dark")  # what A4 leaves between margins
    browser.execute_script("dispatchEvent(new Event('beforeprint'))")
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": "print", "features": []})
    assert all(entry.get_attribute("open") for entry in browser.find_elements("css selector", "details.entry"))
    left = browser.execute_script(
        """const shown = (e) => e.checkVisibility();
        const buttons = Array.from(document.querySelectorAll("button:not(.key, .sort), input, select")).filter(shown);
        const cut = Array.from(document.querySelectorAll(".scroll, .diagram, .canvas, pre"))
            .filter((e) => shown(e) && e.scrollWidth > e.clientWidth + 1);
        return [buttons, cut].map((found) => found.map((e) => e.outerHTML.slice(0, 160)));"""
    )
    assert left == [[], []]
    assert browser.execute_script("return getComputedStyle(document.body).color") == "rgb(25, 29, 35)", "light"
    browser.execute_script("dispatchEvent(new Event('afterprint'))")
    entries = browser.find_elements("css selector", "details.entry")
    assert sum(not entry.get_attribute("open") for entry in entries) == {"three": 0, "nine": 0, "many": 3}[name]


def test_a_page_is_printed_as_pdf(page):
    browser = page("three")
    assert base64.b64decode(browser.print_page()).startswith(b"%PDF")
