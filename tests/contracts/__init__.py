"""The contract suites: they test the guarantees of each port on every adapter. To run them on a new adapter, start with
`harness.py`."""
