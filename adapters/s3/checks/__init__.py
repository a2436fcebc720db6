"""What `dossier doctor` checks of a bucket. Each check tries the store on objects of its own."""
