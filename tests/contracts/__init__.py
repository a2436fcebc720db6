"""What each port promises, tested on every adapter. Start with `harness.py` to run these suites on a new adapter."""
