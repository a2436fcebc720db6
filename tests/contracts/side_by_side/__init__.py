"""The state machine of `test_model.py`: it sends the same writes and reads to memory and to Postgres."""
