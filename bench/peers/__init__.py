"""The same service in another usual stack. Its packages are installed by `make bench`, not with Dossier."""
