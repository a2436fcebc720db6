"""The types of the bodies and queries of the API. Their members are in the order of the API's documentation.

The types render responses and describe requests. The rules in `domain` read the requests, because they report every
mistake at once.
"""
