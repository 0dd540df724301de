"""What mkdocs calls while it builds the site, see ``website/mkdocs.yml``."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files, InclusionLevel
from pymdownx.slugs import slugify
from website import api, gallery, navigation, pictures, reference, repository, spaces, strategies, tables


def on_config(config: MkDocsConfig, **_: Any) -> MkDocsConfig:
    """Put the generated pages into the navigation, and name headings in links as the repository's host does."""
    config.nav = navigation.expand(config.nav or [])
    config.mdx_configs.setdefault("toc", {})["slugify"] = slugify(case="lower")
    return config


def on_files(files: Files, *, config: MkDocsConfig, **_: Any) -> Files:
    """Add the pages of the repository and the generated ones."""
    listed = {*repository.pages(), *navigation.notebooks()}
    for place, content in repository.files():
        level = InclusionLevel.UNDEFINED if place in listed else InclusionLevel.NOT_IN_NAV  # files that pages link to
        files.append(File.generated(config, place, content=content, inclusion=level))
    for place, content in _generated():
        files.append(File.generated(config, place, content=content))
    return files


def _generated() -> Iterator[tuple[str, str | bytes]]:
    yield from _shown(gallery.PLACE, gallery.page())
    yield f"{strategies.FOLDER}/index.md", strategies.index()
    for name in strategies.names():
        yield from _shown(strategies.place(name), strategies.page(name))
    yield f"{tables.FOLDER}/index.md", tables.index()
    for name in tables.names():
        yield tables.place(name), tables.page(name)
    yield f"{spaces.FOLDER}/index.md", spaces.index()
    for name in spaces.names():
        yield from _shown(spaces.place(name), spaces.page(name))
    for page in api.pages():
        yield page.place, reference.markdown(page)


def _shown(place: str, shown: pictures.Shown) -> Iterator[tuple[str, str | bytes]]:
    yield place, shown.markdown
    yield from shown.pictures.items()
