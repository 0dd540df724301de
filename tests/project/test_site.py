"""The site of the documentation: it is built without a warning, is complete, and needs no network."""

import html
import importlib
import inspect
import os
import re
import shutil
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest
from document_code import ROOT
from markdown_it import MarkdownIt

import nasbench_lab
from nasbench_lab import report
from nasbench_lab.cli import plot
from nasbench_lab.spaces import list_spaces
from nasbench_lab.tables import list_tables

pytest.importorskip("mkdocstrings_handlers.python", reason="needs the extra docs: pip install '.[docs]'")
pytest.importorskip("material", reason="needs the extra docs: pip install '.[docs]'")

from website import api, docstrings, gallery, navigation, repository, strategies

CONFIG = ROOT / "tools" / "website" / "mkdocs.yml"
BROWSER = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
DRIVER = shutil.which("chromedriver")


class Page(HTMLParser):
    """What a page of the site has: identifiers, addresses that it loads and links to, and its content by tag."""

    LOADED = frozenset(("script", "img", "iframe", "source", "video", "audio", "embed"))

    def __init__(self, path):
        super().__init__()
        self.path, self.ids, self.loaded, self.links, self.tags = path, set(), [], [], []
        self._article = 0
        self.feed(path.read_text(encoding="utf-8"))

    def handle_starttag(self, tag, attributes):
        given = dict(attributes)
        self.ids.add(given.get("id"))
        if tag in self.LOADED:
            self.loaded += [given[name] for name in ("src", "srcset") if given.get(name)]
        if tag == "link" and given.get("rel") not in ("canonical", "next", "prev"):
            self.loaded.append(given["href"])
        if tag == "a" and given.get("href"):
            self.links.append(given["href"])
        self._article += tag == "article"
        if self._article:
            self.tags.append(tag)

    def handle_endtag(self, tag):
        self._article -= tag == "article"


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """The built site; mkdocs ends with an error where it warns."""
    folder = tmp_path_factory.mktemp("site")
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--config-file", str(CONFIG), "--site-dir"]
    environment = {**os.environ, "NO_MKDOCS_2_WARNING": "1", "WEBSITE_DRAFT": "1", "PYTHONPATH": str(ROOT)}
    done = subprocess.run([*command, str(folder)], capture_output=True, text=True, env=environment, cwd=ROOT)
    assert done.returncode == 0, (done.stdout + done.stderr)[-4000:]
    assert "WARNING" not in done.stderr
    return folder


@pytest.fixture(scope="module")
def pages(site):
    return {path.relative_to(site).as_posix(): Page(path) for path in sorted(site.rglob("*.html"))}


def test_nothing_is_loaded_from_elsewhere(site, pages):
    for name, page in pages.items():
        for address in page.loaded:
            parts = urlsplit(address)
            assert not parts.scheme or address.startswith("data:"), f"{name} loads {address}"
            assert not parts.netloc, f"{name} loads {address}"
            if name != "404.html":  # its addresses begin at the root of a server
                assert (page.path.parent / unquote(parts.path)).exists(), f"{name} loads {address}, which is not there"
    for style in site.rglob("*.css"):
        for address in re.findall(r"(?:url\(|@import\s+)[\"']?([^\"')]+)", style.read_text(encoding="utf-8")):
            assert not re.match(r"(https?:)?//", address), f"{style.name} loads {address}"


def test_links_between_pages_lead_to_files_and_headings(pages):
    by_path = {page.path.resolve(): page for page in pages.values()}
    for name, page in pages.items():
        for address in page.links if name != "404.html" else ():
            parts = urlsplit(address)
            if parts.scheme or parts.netloc:
                continue
            target = (page.path.parent / unquote(parts.path)).resolve() if parts.path else page.path.resolve()
            assert target.is_file(), f"{name} links to {address}: a file opened from a disk has no index"
            if parts.fragment and target in by_path:
                assert unquote(parts.fragment) in by_path[target].ids | {"__skip", "__codelineno"}, f"{name}: {address}"


@pytest.mark.parametrize("place", repository.pages())
def test_a_page_has_what_the_repository_shows(place, pages):
    """The site and the repository's host read other kinds of Markdown: both must see the same blocks."""
    page = pages[re.sub(r"(^|/)README$", r"\1index", place.removesuffix(".md")) + ".html"]
    tokens = MarkdownIt("commonmark").enable("table").parse((ROOT / place).read_text(encoding="utf-8"))
    inner = [child for token in tokens for child in token.children or ()]
    expected = {
        "li": sum(token.type == "list_item_open" for token in tokens),
        "tr": sum(token.type == "tr_open" for token in tokens),
        "pre": sum(token.type in ("fence", "code_block") for token in tokens),
        "img": sum(child.type == "image" for child in inner),
        "h2": sum(token.type == "heading_open" and token.tag == "h2" for token in tokens),
        "h3": sum(token.type == "heading_open" and token.tag == "h3" for token in tokens),
        "strong": sum(child.type == "strong_open" for child in inner),
    }
    assert {tag: page.tags.count(tag) for tag in expected} == expected


def public():
    """Yield the module and the name of everything that docs/stability.md calls public, by importing the modules."""
    root = Path(nasbench_lab.__file__).parent
    modules = sorted(path.stem for path in root.iterdir() if not path.name.startswith(("_", ".")))
    for module in ("", *modules):
        path = f"nasbench_lab.{module}".rstrip(".")
        if module == "train":
            pytest.importorskip("torch")
        if module and not ((root / f"{module}.py").exists() or (root / module / "__init__.py").exists()):
            continue
        imported = importlib.import_module(path)
        names = getattr(imported, "__all__", ())
        if module in ("errors", "stability"):
            own = [value for value in vars(imported).values() if getattr(value, "__module__", "") == path]
            names = [value.__name__ for value in own if inspect.isclass(value) or inspect.isfunction(value)]
        yield from ((path, name) for name in names if not name.startswith("_"))


def test_the_reference_has_every_public_name(pages):
    found = {one for name, page in pages.items() if name.startswith("api/") for one in page.ids}
    missing = [f"{module}.{name}" for module, name in public() if f"{module}.{name}" not in found]
    assert not missing
    assert len(list(public())) > 150


def test_the_reference_has_what_pages_import(pages):
    found = {one for name, page in pages.items() if name.startswith("api/") for one in page.ids}
    assert {"nasbench_lab.train.networks.NetworkFamily", "nasbench_lab.compat.nats_bench.create"} <= found


def test_every_strategy_table_and_space_has_a_page(pages):
    from nasbench_lab.strategies import registry

    for name in registry.built_in():
        page = pages[f"strategies/{name}.html"]
        text = page.path.read_text(encoding="utf-8")
        assert f"--strategy {name} " in html.unescape(re.sub(r"<[^>]*>", "", text))
        for parameter in inspect.signature(registry.strategy_class(name)).parameters:
            assert f"<code>{parameter}</code>" in text, f"{name}: {parameter}"
    assert len(registry.built_in()) > 30
    assert all(f"tables/{name}.html" in pages for name in list_tables())
    assert all(f"spaces/{name}.html" in pages for name in list_spaces())


def test_strategies_have_a_picture(site):
    drawn = {path.stem for path in (site / "strategies").glob("*.png")}
    assert not set(strategies.names()) - drawn


def test_the_gallery_has_every_figure(site, pages):
    text = gallery.text()
    missing = [name for name in plot.FIGURES if f"--figure {name} " not in text]
    missing += [name for name in report.__all__ if name.endswith("_figure") and name not in text]
    missing = [name for name in missing if name != "save_figure"]  # writes a figure, draws none
    assert not missing, f"add these figures to tools/website/gallery.md: {missing}"
    shown = [address for address in pages["gallery.html"].loaded if address.startswith("gallery/")]
    assert len(shown) >= len(plot.FIGURES)
    for address in shown:
        assert (site / address).stat().st_size > 5_000


def test_a_new_page_is_in_the_navigation():
    nav = [{"Guide": ["docs/cli.md", {"More": "more/"}]}, {"Design": "design/"}]
    listed = navigation._places(navigation.expand(nav))
    assert {place for place in repository.pages() if re.fullmatch(r"docs/(design/)?[\w-]+\.md", place)} <= set(listed)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("A `Table` of ``Table``.", "A [`Table`][nasbench_lab.tables.Table] of ``Table``."),
        ("Like this::\n\n    code", "Like this:\n\n    code"),
        (">>> 1\n1\n\nMore.", "```pycon\n>>> 1\n1\n```\n\nMore."),
        ("Args:\n    x: one.\n\n>>> x\n", "Args:\n    x: one.\n\n```pycon\n>>> x\n```\n"),
        ("`no such name`", "`no such name`"),
    ],
)
def test_docstrings_become_markdown(text, expected):
    assert docstrings.markdown(text) == expected


def test_a_name_is_described_once():
    described = [f"{page.module}.{name}" for page in api.pages() for name in page.names]
    assert len(set(described)) == len(described)
    package = next(page for page in api.pages() if page.module == "nasbench_lab")
    assert dict(package.elsewhere)["load"] == "nasbench_lab.tables.load"


def test_a_module_among_the_public_names_is_its_own_origin():
    assert api._origin("nasbench_lab.train", "callbacks") == "nasbench_lab.train.callbacks"


def test_a_command_that_fails_ends_the_build():
    with pytest.raises(gallery.GalleryError, match="no/table"):
        gallery._run(["tables", "info", "no/table"])


@pytest.mark.browser
@pytest.mark.skipif(BROWSER is None or DRIVER is None, reason="needs Chromium and chromedriver")
def test_search_works_from_files_and_nothing_overflows(site):
    pytest.importorskip("selenium", reason="needs selenium: pip install '.[test]'")
    from selenium import webdriver
    from selenium.webdriver.common.by import By
    from selenium.webdriver.support.ui import WebDriverWait

    options = webdriver.ChromeOptions()
    options.binary_location = BROWSER
    for argument in ("--headless=new", "--no-sandbox", "--disable-dev-shm-usage"):
        options.add_argument(argument)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    browser = webdriver.Chrome(options=options, service=webdriver.ChromeService(DRIVER))
    try:
        for width in (390, 1440):
            size = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": False}
            browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
            for name in ("index", "gallery", "strategies/hyperband", "api/tables", "docs/concepts", "docs/coming-from"):
                browser.get((site / f"{name}.html").as_uri())
                wide = browser.execute_script("return document.documentElement.scrollWidth")
                assert wide <= width, f"{name} is {wide} pixels wide at {width}"
        field = browser.find_element(By.CSS_SELECTOR, "input.md-search__input")
        field.click()
        field.send_keys("hyperband")
        found = WebDriverWait(browser, 20).until(
            lambda now: now.find_elements(By.CSS_SELECTOR, ".md-search-result__link[href*='strategies/hyperband']")
        )
        assert found
        assert not [entry["message"] for entry in browser.get_log("browser") if entry["level"] == "SEVERE"]
    finally:
        browser.quit()
