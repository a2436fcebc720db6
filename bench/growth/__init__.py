"""The cost of lists and creates while one workspace grows: the same calls at three sizes, side by side."""
