"""Requests that wait at the same time share one call. Several adapters use this; it knows none of them."""
