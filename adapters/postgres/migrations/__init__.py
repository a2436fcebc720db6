"""The schema's history. A released migration is never changed; a changed function gets a new name, so that two
versions of the service can run on one database. Each begins by asking whether it was made already."""
