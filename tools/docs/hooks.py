"""MkDocs' hooks (mkdocs.yml names this file): generated pages, and links out of docs/ into the repository."""

import posixpath
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

from mkdocs.plugins import get_plugin_logger
from mkdocs.structure.files import File

from tools.docs import commands, packages, settings, tables

ROOT = Path(__file__).parents[2]
logger = get_plugin_logger("gem")

_GENERATED: dict[str, Callable[[], str]] = {
    "reference/commands.md": commands.page,
    "reference/settings.md": settings.page,
    "reference/tables.md": tables.page,
    "reference/modules.md": lambda: packages.page(ROOT / "gem_tasks"),
    "changelog.md": lambda: _changelog(),
}
_LINK = re.compile(r"(?<!!)\[([^\]]+)\]\(([^)#\s]+)(#[^)\s]*)?\)")


def on_config(config: Any) -> Any:
    """Puts every decision record into the navigation, in order."""
    records = sorted((ROOT / "docs" / "adr").glob("*.md"))
    titles = [path.read_text(encoding="utf-8").partition("\n")[0].removeprefix("# ") for path in records]
    listed = [{title: f"adr/{path.name}"} for title, path in zip(titles, records, strict=True)]
    for part in config.nav:
        for pages in part.values():
            if isinstance(pages, list) and {"Decisions": []} in pages:
                pages[pages.index({"Decisions": []})] = {"Decisions": listed}
    return config


def on_files(files: Any, config: Any) -> Any:
    """Adds the generated pages."""
    for place, page in _GENERATED.items():
        files.append(File.generated(config, place, content=page()))
    return files


def on_page_markdown(markdown: str, page: Any, config: Any, files: Any) -> str:
    """Replaces links to files of the repository by their names, because the site does not know its address."""
    folder = posixpath.dirname(f"docs/{page.file.src_uri}")
    return _LINK.sub(lambda found: _inside(found, folder), markdown)


def _inside(link: re.Match[str], folder: str) -> str:
    """The unchanged link if it stays in docs/; otherwise its words and the path."""
    words, target = link[1], link[2]
    path = posixpath.normpath(posixpath.join(folder, target))
    if re.match(r"[a-z]+:", target) or path.startswith("docs/"):
        return link[0]
    if path == "CHANGELOG.md":
        return f"[{words}]({posixpath.relpath('docs/changelog.md', folder)})"
    if not (ROOT / path).exists():
        logger.warning("%s links to %s, which does not exist", folder, path)  # fails the build: it is strict
    return words if words.strip("`") == path else f"{words} (`{path}`)"


def _changelog() -> str:
    return (ROOT / "CHANGELOG.md").read_text(encoding="utf-8").replace("](docs/", "](")
