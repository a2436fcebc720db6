"""The cost of the object store: the same requests with objects in a directory and in a bucket."""
