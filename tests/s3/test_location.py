"""The setting that names a bucket."""

import pytest

from adapters.s3.location import s3_location

AWS = "s3.eu-central-1.amazonaws.com"


@pytest.mark.parametrize(
    ("url", "origin", "path"),
    [
        ("acme?region=eu-central-1", f"https://acme.{AWS}", "/"),
        ("acme?region=cn-north-1", "https://acme.s3.cn-north-1.amazonaws.com.cn", "/"),
        # No wildcard certificate covers the host name of a bucket with dots.
        ("documents.acme.com?region=eu-central-1", f"https://{AWS}", "/documents.acme.com/"),
        ("acme?endpoint=http%3A%2F%2F10.0.0.7%3A9000", "http://10.0.0.7:9000", "/acme/"),
        ("acme?endpoint=https://s3.example.com:8443&addressing=virtual", "https://acme.s3.example.com:8443", "/"),
        # An endpoint is written as HTTP clients write it in Host.
        ("acme?endpoint=https://S3.Example.COM", "https://s3.example.com", "/acme/"),
        ("acme?endpoint=https://s3.example.com:443", "https://s3.example.com", "/acme/"),
        ("acme?endpoint=http://s3.example.com:80/", "http://s3.example.com", "/acme/"),
        ("acme?endpoint=http://s3.example.com:443", "http://s3.example.com:443", "/acme/"),
        ("acme?endpoint=http://[::1]:9000", "http://[::1]:9000", "/acme/"),
        ("acme?endpoint=http://ceph_rgw:7480", "http://ceph_rgw:7480", "/acme/"),
    ],
)
def test_the_setting_decides_the_address_of_the_bucket(url: str, origin: str, path: str) -> None:
    location = s3_location(f"s3://{url}")
    address = location.address
    assert (address.origin, address.host, address.path) == (origin, origin.partition("://")[2], path)
    assert location.public_address == address
    assert location.region == ("us-east-1" if "region" not in url else url.partition("region=")[2])


def test_clients_may_reach_the_store_at_another_address() -> None:
    location = s3_location("s3://acme?endpoint=http://10.0.0.7:9000&public_endpoint=https://files.example.com/")
    assert location.address.origin == "http://10.0.0.7:9000"
    assert (location.public_address.origin, location.public_address.path) == ("https://files.example.com", "/acme/")


INVALID = {
    "must have the region of the bucket": ["s3://acme"],
    "has an empty region": ["s3://acme?region="],
    "must have a region such as": ["s3://acme?region=Frankfurt"],
    "must have region only once": ["s3://acme?region=a&region=b"],
    "has the unknown parameter 'acl'": ["s3://acme?region=a&acl=public"],
    "must not have a path": ["s3://acme/documents?region=a"],
    "must not hold credentials": ["s3://key:secret@acme?region=a", "s3://acme?endpoint=http://key:secret@host"],
    "must name a bucket": [
        f"s3://{bucket}?region=a" for bucket in ("", "Acme", "ac", "a..b", "10.0.0.7", "acme:9000", "a" * 64)
    ],
    "must be a URL such as": [
        f"s3://{text}" for text in ("[acme", "acme?region=a#part", "ac me?region=a", "acmé", "acme\n?region=a")
    ],
    "must begin with s3://": ["http://acme?region=a"],
    "must have as its endpoint a URL such as": [
        f"s3://acme?endpoint={endpoint}"
        for endpoint in (
            *("s3.example.com", "ftp://s3.example.com", "http://s3.example.com/minio", "http://h%3Fa"),
            *("http://h:99999", "http://h:0", "http://[::1", "http://", f"http://{'a' * 64}.com"),
        )
    ],
    "must have as its public_endpoint a URL such as": ["s3://acme?region=a&public_endpoint=files"],
    "must have addressing=path or addressing=virtual": ["s3://acme?region=a&addressing=dns"],
    "must not have addressing=virtual": ["s3://acme?endpoint=http://10.0.0.7:9000&addressing=virtual"],
}


@pytest.mark.parametrize(("why", "urls"), INVALID.items(), ids=INVALID)
def test_an_error_names_the_problem_and_shows_no_secret(why: str, urls: list[str]) -> None:
    for url in urls:
        with pytest.raises(ValueError, match=why) as caught:
            s3_location(url)
        assert "secret" not in str(caught.value).replace("AWS_SECRET", "")
