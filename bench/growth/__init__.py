"""What lists and creates cost while one workspace grows: the same calls at three sizes, beside each other."""
