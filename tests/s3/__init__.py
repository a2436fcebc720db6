"""The S3 adapter on a server that verifies signatures, and on servers that break a rule or do not respond."""
