"""Servers of one's own, and limiters that are observed."""

import secrets

import pytest


@pytest.fixture
def subject() -> str:
    """A name nobody else counts under."""
    return f"ws_{secrets.token_hex(8)}"
