"""The setting that names a bucket: what is taken, and what is told of the rest."""

import pytest

from adapters.s3.location import Address, S3Location, s3_location


def test_a_bucket_of_aws_is_reached_by_its_own_name() -> None:
    location = s3_location("s3://acme-documents?region=eu-central-1")
    assert location == S3Location(
        bucket="acme-documents", region="eu-central-1", endpoint=None, public_endpoint=None, addressing="virtual"
    )
    host = "acme-documents.s3.eu-central-1.amazonaws.com"
    assert location.address == location.public_address == Address(f"https://{host}", host, "/")


def test_a_bucket_of_aws_in_china_is_there() -> None:
    assert s3_location("s3://acme?region=cn-north-1").address.host == "acme.s3.cn-north-1.amazonaws.com.cn"


def test_a_bucket_with_dots_is_a_path_because_no_certificate_holds_for_its_name() -> None:
    address = s3_location("s3://documents.acme.com?region=eu-central-1").address
    assert address == Address(
        "https://s3.eu-central-1.amazonaws.com", "s3.eu-central-1.amazonaws.com", "/documents.acme.com/"
    )


def test_a_bucket_of_another_server_is_a_path_there_and_needs_no_region() -> None:
    location = s3_location("s3://acme?endpoint=http%3A%2F%2F10.0.0.7%3A9000")
    assert location.region == "us-east-1"
    assert location.address == Address("http://10.0.0.7:9000", "10.0.0.7:9000", "/acme/")


def test_clients_may_reach_the_store_at_another_address() -> None:
    location = s3_location("s3://acme?endpoint=http://10.0.0.7:9000&public_endpoint=https://files.example.com/")
    assert location.address.origin == "http://10.0.0.7:9000"
    assert location.public_address == Address("https://files.example.com", "files.example.com", "/acme/")


def test_any_server_can_be_told_to_know_virtual_hosts() -> None:
    location = s3_location("s3://acme?endpoint=https://s3.example.com:8443&addressing=virtual")
    assert location.address == Address("https://acme.s3.example.com:8443", "acme.s3.example.com:8443", "/")


@pytest.mark.parametrize(
    ("endpoint", "as_signed"),
    [
        ("https://S3.Example.COM", "https://s3.example.com"),
        ("https://s3.example.com:443", "https://s3.example.com"),
        ("http://s3.example.com:80/", "http://s3.example.com"),
        ("http://s3.example.com:443", "http://s3.example.com:443"),
        ("http://[::1]:9000", "http://[::1]:9000"),
        ("http://ceph_rgw:7480", "http://ceph_rgw:7480"),
    ],
)
def test_an_endpoint_is_written_as_clients_write_it_in_host(endpoint: str, as_signed: str) -> None:
    assert s3_location(f"s3://acme?endpoint={endpoint}").endpoint == as_signed


@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("s3://acme", "must have the region of the bucket"),
        ("s3://acme?region=", "has an empty region"),
        ("s3://acme?region=Frankfurt", "must have a region such as"),
        ("s3://acme?region=a&region=b", "must have region only once"),
        ("s3://acme?region=eu-central-1&acl=public", "has the unknown parameter 'acl'"),
        ("s3://acme/documents?region=eu-central-1", "must not have a path"),
        ("s3://key:secret@acme?region=eu-central-1", "must not hold credentials"),
        ("s3://acme?endpoint=http://key:secret@host", "must not hold credentials"),
        ("s3://?region=eu-central-1", "must name a bucket"),
        ("s3://Acme?region=eu-central-1", "must name a bucket"),
        ("s3://ac?region=eu-central-1", "must name a bucket"),
        ("s3://a..b?region=eu-central-1", "must name a bucket"),
        ("s3://10.0.0.7?region=eu-central-1", "must name a bucket"),
        ("s3://acme:9000?region=eu-central-1", "must name a bucket"),
        (f"s3://{'a' * 64}?region=eu-central-1", "must name a bucket"),
        ("s3://[acme?region=eu-central-1", "must be a URL such as"),
        ("s3://acme?region=eu-central-1#part", "must be a URL such as"),
        ("s3://ac me?region=eu-central-1", "must be a URL such as"),
        ("s3://acmé?region=eu-central-1", "must be a URL such as"),
        ("s3://acme\n?region=eu-central-1", "must be a URL such as"),
        ("http://acme?region=eu-central-1", "must begin with s3://"),
        ("s3://acme?endpoint=s3.example.com", "must have as its endpoint a URL such as"),
        ("s3://acme?endpoint=ftp://s3.example.com", "must have as its endpoint a URL such as"),
        ("s3://acme?endpoint=http://s3.example.com/minio", "must have as its endpoint a URL such as"),
        ("s3://acme?endpoint=http://s3.example.com%3Fa", "must have as its endpoint a URL such as"),
        ("s3://acme?endpoint=http://s3.example.com:99999", "must have as its endpoint a URL such as"),
        ("s3://acme?endpoint=http://s3.example.com:0", "must have as its endpoint a URL such as"),
        ("s3://acme?endpoint=http://[::1", "must have as its endpoint a URL such as"),
        ("s3://acme?endpoint=http://", "must have as its endpoint a URL such as"),
        (f"s3://acme?endpoint=http://{'a' * 64}.com", "must have as its endpoint a URL such as"),
        ("s3://acme?region=eu-central-1&public_endpoint=files", "must have as its public_endpoint a URL such as"),
        ("s3://acme?region=eu-central-1&addressing=dns", "must have addressing=path or addressing=virtual"),
        ("s3://acme?endpoint=http://10.0.0.7:9000&addressing=virtual", "must not have addressing=virtual"),
    ],
)
def test_what_is_wrong_is_told_and_no_secret_with_it(url: str, why: str) -> None:
    with pytest.raises(ValueError, match=why) as caught:
        s3_location(url)
    assert "secret" not in str(caught.value).replace("AWS_SECRET", "")
