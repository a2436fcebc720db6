"""The object store in an S3 bucket, of AWS or of any server that speaks its protocol."""
