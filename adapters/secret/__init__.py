"""The secret of a deployment: the file that holds it unless a setting does, and the keys that are derived from it."""
