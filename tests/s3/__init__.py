"""The S3 adapter on a server that verifies what is signed; and on some that do not, or do not answer."""
