"""The same service as others would write it. Their packages come with `make bench`, not with Dossier."""
