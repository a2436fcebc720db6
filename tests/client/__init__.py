"""The Python client on the API in memory, over a network that loses what the test says."""
