"""Every port in memory.

Most tests use these adapters instead of mocks, and the contract suites check that the other adapters behave in the same
way. Each method is atomic because it awaits nothing between reading and writing.
"""
