"""The documents name only files, tests and headings that exist, and list every setting."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", ROOT / "CHANGELOG.md", *sorted((ROOT / "docs").glob("*.md"))]
FOLDERS = "|".join(["adapters", "app", "bench", "docs", "domain", "ports", "requirements", "tests"])


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_file_that_a_page_names_exists(page: Path) -> None:
    text = page.read_text()
    named = re.findall(rf"`((?:{FOLDERS})/[\w./-]*)`", text)
    missing = [name for name in named if not (ROOT / name).exists() and name != "bench/results"]
    linked = [link for link in re.findall(r"\]\(([^)#]+?)(?:#[^)]*)?\)", text) if not link.startswith("http")]
    missing += [link for link in linked if not (page.parent / link).exists()]
    assert missing == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_test_that_a_page_names_exists(page: Path) -> None:
    named = re.findall(r"`(tests/[\w./-]*)::(test_\w+)`", page.read_text())
    sources = {file: path.read_text() for file, _ in named if (path := ROOT / file).exists()}
    missing = [f"{file}::{name}" for file, name in named if f"def {name}(" not in sources.get(file, "")]
    assert missing == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_link_to_a_heading_finds_it(page: Path) -> None:
    for target, anchor in re.findall(r"\]\(([\w./-]*)#([\w-]+)\)", page.read_text()):
        headings = re.findall(r"(?m)^#+ (.*)$", (page.parent / target if target else page).read_text())
        assert anchor in [re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings]


def test_every_setting_is_in_the_table_of_settings() -> None:
    read = set(re.findall(r'read(?:_optional)?\("([A-Z_]+)"', (ROOT / "app/settings.py").read_text()))
    listed = set(re.findall(r"(?m)^\| `DOSSIER_([A-Z_]+)` \|", (ROOT / "docs/operations.md").read_text()))
    assert read <= listed
