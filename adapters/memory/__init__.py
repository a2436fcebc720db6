"""Every port in memory: the executable specification, against which the contract suites compare the other adapters.

Most tests run on it too. Each method is atomic because it awaits nothing between reading and writing.
"""
