"""The object store in a directory of this machine, for a deployment without S3.

Clients upload and download through URLs that Dossier signs and serves itself. `storage.py` is the adapter.
"""
