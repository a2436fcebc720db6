"""Hypothesis strategies: any JSON value, and texts that have broken rules before."""

import operator
import unicodedata
from typing import TypeVar

from hypothesis import strategies as st

from domain.members import Members, Rule, RuleViolation

T = TypeVar("T")


def ask(rule: Rule[T], value: object) -> T | RuleViolation:
    """Return the accepted value or the violation. Any other exception is a bug and is raised."""
    try:
        return rule(value)
    except RuleViolation as wrong:
        assert str(wrong)  # noqa: PT017
        return wrong


# Separators, quotes, escapes, controls, blanks of many kinds, an accent that composes, a letter that decomposes, a
# ligature that grows to 18 letters, full-width slash and quote, a surrogate, and invisible characters.
SPITEFUL = (
    "aZ0é.-_ /\\\"'%;:=*?<>|~\t\r\n\0\x1b\x1f\x7f\x85\xa0\u0301\u0958\u3000\u2028"
    "\u200b\u202e\ufeff\ue000\ud800\uffff\ufdfa\uff0f\uff02\u2100\U0001f600"
)

TEXTS: st.SearchStrategy[str] = (
    st.text(st.characters(exclude_categories=()), max_size=40)
    | st.text(SPITEFUL, max_size=40)
    | st.builds(operator.mul, st.sampled_from(SPITEFUL), st.integers(0, 5000))
)
"""Any string a JSON reader may hand out, lone surrogates among them."""


def _without_surrogates(text: str) -> str:
    return "".join(char for char in text if unicodedata.category(char) != "Cs")


UNICODE: st.SearchStrategy[str] = TEXTS.map(_without_surrogates)
"""Any string that UTF-8 can encode."""

SCALARS: st.SearchStrategy[object] = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.sampled_from([0, -1, 2**63 - 1, 2**63, -(2**63), 10**4000]),
    st.floats(allow_nan=False, allow_infinity=False),
    TEXTS,
)

JSON: st.SearchStrategy[object] = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=6) | st.dictionaries(TEXTS, inner, max_size=4),
    max_leaves=20,
)
"""Any JSON value."""


def objects_around(valid: Members) -> st.SearchStrategy[dict[str, object]]:
    """JSON objects with these members: some right, some wrong, some missing, some unknown."""
    known: dict[str, st.SearchStrategy[object]] = {member: st.just(value) | JSON for member, value in valid.items()}
    few = st.fixed_dictionaries({}, optional=known)
    unknown = st.dictionaries(TEXTS, JSON, max_size=3)
    return few | st.builds(lambda one, other: {**one, **other}, few, unknown)
