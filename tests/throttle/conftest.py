"""Fixtures of the limiter's tests."""

import secrets

import pytest


@pytest.fixture
def subject() -> str:
    """A subject that no other test counts."""
    return f"ws_{secrets.token_hex(8)}"
