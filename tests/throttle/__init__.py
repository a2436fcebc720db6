"""The rate limiter on a real Valkey, which the tests kill, pause and cut off."""
