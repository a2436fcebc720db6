"""The page docs/testing.md names a proof of each promise. tests/app/test_documents.py proves that the tests exist."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs/testing.md").read_text()


def test_the_page_names_a_proof_of_each_promise() -> None:
    numbers = [int(number) for number in re.findall(r"^\| (\d+) \|", PAGE, re.MULTILINE)]
    assert numbers == [*range(1, 40), 42, 43, 44, 45, 46, 47]
