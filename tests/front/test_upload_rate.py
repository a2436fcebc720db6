"""The lowest rate of an upload. The tests advance the clock of the deadlines."""

import pytest

from adapters.http import in_flight
from adapters.http.in_flight import BODY_SECONDS, UPLOAD_BYTES_PER_SECOND, InFlightRequest


class Upload:
    """An upload whose pieces arrive at the intervals that a test chooses."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now = 1000.0
        monkeypatch.setattr(in_flight, "monotonic", lambda: self.now)
        self._request = InFlightRequest("req", None)
        self._request.start_deadline()
        self._received = 0

    def takes(self, seconds: float, piece: int, *, server_seconds: float = 0.0) -> bool:
        """Let a piece arrive after `seconds`, and return whether that was in time."""
        self._request.await_client(self._received)
        is_in_time = self.now + seconds <= self._request.deadline
        self.now += seconds
        self._received += piece
        self._request.resume()
        self.now += server_seconds
        return is_in_time


def test_an_upload_of_one_byte_in_eight_seconds_is_refused_after_ten(monkeypatch: pytest.MonkeyPatch) -> None:
    upload = Upload(monkeypatch)
    assert upload.takes(8, 1)
    assert not upload.takes(8, 1)


@pytest.mark.parametrize(
    ("rate", "is_in_time"), [(UPLOAD_BYTES_PER_SECOND, True), (UPLOAD_BYTES_PER_SECOND // 2, False)]
)
def test_an_upload_is_refused_by_its_average_rate(monkeypatch: pytest.MonkeyPatch, rate: int, is_in_time: bool) -> None:
    upload = Upload(monkeypatch)
    assert all(upload.takes(1, rate) for _ in range(100)) is is_in_time


def test_a_fast_beginning_of_an_upload_allows_no_gap_above_ten_seconds(monkeypatch: pytest.MonkeyPatch) -> None:
    upload = Upload(monkeypatch)
    assert upload.takes(1, 10**9)
    assert upload.takes(BODY_SECONDS, 1)
    assert not upload.takes(BODY_SECONDS + 1, 1)


def test_the_time_that_the_server_needs_to_write_does_not_count(monkeypatch: pytest.MonkeyPatch) -> None:
    upload = Upload(monkeypatch)
    assert all(upload.takes(1, UPLOAD_BYTES_PER_SECOND, server_seconds=60) for _ in range(20))
