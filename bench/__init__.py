"""The benchmark (`make bench`): Dossier beside Postgres alone, a bare handler and a plain FastAPI service."""
