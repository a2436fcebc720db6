"""The object store in an S3 bucket, of AWS or of any server that speaks its protocol.

`storage.py` is the adapter, and clients reach the bytes through presigned URLs. `checks/` tests what a bucket enforces.
"""
