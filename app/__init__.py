"""The composition root: the only place that knows every name. Nothing imports it but tests."""
