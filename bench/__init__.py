"""What Dossier does in a second, beside what Postgres, a bare handler and a plain service do: `make bench`."""
