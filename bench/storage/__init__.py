"""Where the bytes lie: what it costs a request that Dossier signs for an object store, and asks one."""
