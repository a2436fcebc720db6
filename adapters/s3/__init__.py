"""The object store in an S3 bucket, of AWS or of any server with the same API.

`storage.py` is the adapter, and clients reach the bytes through presigned URLs. `checks/` tests what a bucket enforces.
"""
