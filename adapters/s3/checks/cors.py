"""What a bucket must allow so that a page of another origin can upload to it and download from it."""

import json
from collections.abc import Sequence

UPLOAD_HEADERS = ("content-type", "if-none-match", "x-amz-checksum-sha256", "x-amz-sdk-checksum-algorithm")
"""Those of a signed upload that a page sets itself; the length is the browser's."""


def cors_configuration(origins: Sequence[str]) -> str:
    """The CORS configuration of the bucket, in the JSON that `aws s3api put-bucket-cors` takes."""
    rule = {
        "AllowedOrigins": list(origins),
        "AllowedMethods": ["PUT", "GET", "HEAD"],
        "AllowedHeaders": [*UPLOAD_HEADERS, "range"],
        "ExposeHeaders": ["ETag", "Content-Disposition", "Content-Range"],
        "MaxAgeSeconds": 3000,
    }
    return json.dumps({"CORSRules": [rule]})
