"""What Dossier knows: documents, paths, access and the refusals. Standard library only, no I/O, no clock."""
