"""One technology each, blind to each other; only `app` knows them all."""
