"""Messages for the operator about an unavailable store. None of them contains a signed URL or a secret."""

import re
from collections.abc import Iterator
from contextlib import contextmanager

import aiohttp
from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    CredentialRetrievalError,
    NoCredentialsError,
    PartialCredentialsError,
    TokenRetrievalError,
)
from botocore.parsers import ResponseParserError

from ports.system import Unavailable

NO_CREDENTIALS = (
    "no credentials for the object store: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_PROFILE, or give "
    "this machine a role"
)
REDIRECTED = "the endpoint (http or https) or the region is wrong"
_DENIED = {"AccessDenied", "403", "Forbidden"}
# The message tells, not the code: AWS and Ceph answer AccessDenied ("protected by object lock", "forbidden by object
# lock"), MinIO and its forks InvalidRequest ("Object is WORM protected and cannot be overwritten").
_LOCKED = re.compile(r"object ?lock|\bWORM\b", re.IGNORECASE)
_REMOVE_DEFAULT_RETENTION = (
    "Remove the default retention of the bucket with 'aws s3api put-object-lock-configuration "
    "--object-lock-configuration ObjectLockEnabled=Enabled'; Object Lock itself may stay enabled"
)
_ACTIONS = {
    "GetObject": "s3:GetObject and, in a bucket with versions, s3:GetObjectVersion",
    "ListObjectsV2": "s3:ListBucket",
    "ListObjectVersions": "s3:ListBucketVersions",
    "ListMultipartUploads": "s3:ListBucketMultipartUploads",
    "CreateMultipartUpload": "s3:PutObject",
    "DeleteObject": "s3:DeleteObject and s3:DeleteObjectVersion",
}
_EXPLANATIONS = {
    "NoSuchBucket": "there is no such bucket",
    "InvalidAccessKeyId": "the store does not know the access key",
    "SignatureDoesNotMatch": "the secret of the access key is wrong",
    "ExpiredToken": "the credentials have expired",
    "InvalidToken": "AWS_SESSION_TOKEN does not belong to the access key; unset it for a permanent one",
    # S3 itself names what is missing: NoSuchBucket, NoSuchKey.
    "404": "there is no S3 server at this address",
    "RequestTimeTooSkewed": "the clocks of the store and of this machine differ too much",
    "AuthorizationHeaderMalformed": "the region is wrong",
    "PermanentRedirect": "the region is wrong",
    **{str(status): REDIRECTED for status in (301, 302, 307, 308)},
}
_XML_CODE = re.compile(rb"<Code>([A-Za-z0-9]{1,64})</Code>")


@contextmanager
def as_unavailable(store: str) -> Iterator[None]:
    """Raise every failure of the store inside the block as `Unavailable`, with a message that names the store."""
    try:
        yield
    except ClientError as error:
        raise Unavailable(f"{store}: {rejection(error)}") from error
    except (CredentialRetrievalError, NoCredentialsError, PartialCredentialsError, TokenRetrievalError) as error:
        raise Unavailable(f"{NO_CREDENTIALS} ({error})") from error
    except (ResponseParserError, KeyError):
        # The response lacks a value that S3 always sends, so the server is not an S3 server.
        raise Unavailable(f"{store} does not speak S3") from None
    except (BotoCoreError, aiohttp.ClientError, TimeoutError, OSError) as error:
        # Not `from error`, because aiohttp's errors contain the URL, which may be signed.
        raise Unavailable(f"{store} {outage(error)}") from None


def code_of(error: ClientError) -> str:
    """Return the S3 error code; the HTTP status if the response had no body, such as the response to a HEAD."""
    return str(error.response.get("Error", {}).get("Code", ""))


def error_code(body: bytes) -> str:
    """Return the S3 error code in the body of a response; an empty string if it has none."""
    found = _XML_CODE.search(body)
    return found[1].decode() if found else ""


def is_denied(error: ClientError) -> bool:
    """Return whether the store refused the call only because the credentials lack a permission."""
    return code_of(error) in _DENIED


def is_locked(error: ClientError) -> bool:
    """Return whether the store refused to delete an object because of its Object Lock."""
    message = error.response.get("Error", {}).get("Message", "")
    return error.operation_name == "DeleteObject" and _LOCKED.search(message) is not None


def is_held(error: ClientError) -> bool:
    """Return whether the store keeps an object that it was asked to delete, and will keep it for a while."""
    return error.operation_name == "DeleteObject" and (is_denied(error) or is_locked(error))


def locks_new_objects(retention: str) -> str:
    """Return a text for the operator that says why a bucket with a default retention cannot be used. It continues a
    sentence that begins with the store's name."""
    return (
        f"has Object Lock with a default retention ({retention}), so it would keep every object that Dossier must "
        f"delete. {_REMOVE_DEFAULT_RETENTION}"
    )


def action_of(error: ClientError) -> str:
    """Return the IAM action that the refused call needs."""
    return _ACTIONS.get(error.operation_name, f"s3:{error.operation_name}")


def rejection(error: ClientError) -> str:
    """Return a text for the operator that says why the store refused a call."""
    code = code_of(error)
    if is_locked(error):
        return f"an object that was stored just now cannot be deleted (Object Lock). {_REMOVE_DEFAULT_RETENTION}"
    if is_denied(error):
        return f"the credentials lack {action_of(error)}, or a policy of the bucket denies it"
    if code in _EXPLANATIONS:
        return f"{_EXPLANATIONS[code]} ({code})"
    message = error.response.get("Error", {}).get("Message", "")
    return " ".join(f"{error.operation_name} was refused: {code} {message}".split())


def outage(error: Exception) -> str:
    """Return a text for the operator that says why the store did not respond. It continues a sentence that begins with
    the store's name."""
    match error:
        case aiohttp.ClientConnectorCertificateError() | aiohttp.ClientConnectorSSLError():
            return f"is not trusted: {error}; for a private certificate authority, set AWS_CA_BUNDLE to its certificate"
        case aiohttp.ClientConnectorDNSError():
            return f"has a host name that this machine cannot resolve: {error.os_error}"
        case aiohttp.ConnectionTimeoutError():
            return "does not accept a connection in time"
        case TimeoutError():
            return "does not respond in time"
        case aiohttp.ClientConnectorError():
            return f"accepts no connections: {error.os_error.strerror or error.os_error}"
        case aiohttp.ServerDisconnectedError():
            return "closes the connection without a response"
        case aiohttp.ClientResponseError():
            # The text of the error is not used, because it contains the URL. Its message has several lines, with the
            # bytes that the server sent.
            return f"does not respond in HTTP: {' '.join(error.message.split())[:200]}"
        case _:
            return f"cannot be used: {str(error) or type(error).__name__}"
