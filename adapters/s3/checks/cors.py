"""The CORS rule that a bucket needs if web pages upload to it or download from it."""

import json
from collections.abc import Sequence

UPLOAD_HEADERS = ("content-type", "if-none-match", "x-amz-checksum-sha256", "x-amz-sdk-checksum-algorithm")
"""The headers of a signed upload that a page sets itself. The browser sets the length."""


def cors_configuration(origins: Sequence[str]) -> str:
    """Return the CORS configuration for pages of these origins, in the JSON that `aws s3api put-bucket-cors` takes."""
    rule = {
        "AllowedOrigins": list(origins),
        "AllowedMethods": ["PUT", "GET", "HEAD"],
        "AllowedHeaders": [*UPLOAD_HEADERS, "range"],
        "ExposeHeaders": ["ETag", "Content-Disposition", "Content-Range"],
        "MaxAgeSeconds": 3000,
    }
    return json.dumps({"CORSRules": [rule]})
