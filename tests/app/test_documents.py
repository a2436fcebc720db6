"""The pages and docstrings name only files, tests and headings that exist, and the pages are well-formed."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGES = [*sorted(ROOT.glob("*.md")), *sorted((ROOT / "docs").glob("*.md")), ROOT / "client" / "README.md"]
FOLDERS = "|".join(["adapters", "app", "bench", "client", "docs", "domain", "ports", "requirements", "tests"])
SOURCES = ["adapters", "app", "bench", "client", "domain", "ports", "tests"]
SEPARATOR = re.compile(r"\|(:?-+:?\|)+")


def prose(page: Path) -> Iterator[str]:
    """Yield the lines of a page that are outside its code blocks."""
    in_code = False
    for line in page.read_text().splitlines():
        if line.lstrip().startswith("```"):
            in_code = not in_code
        elif not in_code:
            yield line


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_table_has_a_separator_and_the_same_number_of_cells_in_each_row(page: Path) -> None:
    row = 0
    for line in prose(page):
        row = row + 1 if line.startswith("|") else 0
        # A vertical bar inside code is written as `\\|`, and separates no cells.
        cells = len(re.findall(r"(?<!\\)\|", line))
        if row == 1:
            width = cells
        assert row == 0 or (line.endswith("|") and cells == width), line
        assert (SEPARATOR.fullmatch(line) is not None) == (row == 2), line


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_no_line_outside_tables_and_code_has_more_than_120_columns(page: Path) -> None:
    assert [line for line in prose(page) if len(line) > 120 and not line.startswith("|")] == []


def test_every_python_and_sql_file_that_a_source_names_exists() -> None:
    missing = []
    for file in (file for folder in SOURCES for file in (ROOT / folder).rglob("*.*") if file.suffix in (".py", ".sql")):
        named = re.findall(rf"(?<![\w/.-])((?:{FOLDERS})/[\w/.-]*\.(?:py|sql|md|lua))\b", file.read_text())
        missing += [f"{file.relative_to(ROOT)}: {name}" for name in named if not (ROOT / name).exists()]
    assert missing == []


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
