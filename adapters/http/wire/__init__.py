"""The bodies and queries of the API, with their members in the order of the contract.

The types render responses and describe requests. The rules in `domain` read the requests, because they report every
mistake at once.
"""
