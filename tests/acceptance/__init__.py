"""Black-box acceptance tests. They use HTTP and the command line, and import nothing of Dossier."""
