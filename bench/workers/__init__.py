"""Whether two workers do twice the work of one. Each has a fixed share of a core, so that nothing else is the limit."""
