"""The bodies and queries of the API, with their members in the order of the contract.

They render responses and describe requests. The rules in `domain` read requests, because they report every mistake.
"""
