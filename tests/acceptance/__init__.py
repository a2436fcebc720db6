"""Black-box acceptance tests: they speak HTTP and the command line, and import nothing of Dossier's."""
