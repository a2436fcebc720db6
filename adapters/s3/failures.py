"""Every way in which a store can be away, in words for an operator. No signed URL and no secret is in them."""

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
_DENIED = {"AccessDenied", "403", "Forbidden"}
_ACTIONS = {
    "GetObject": "s3:GetObject and, in a bucket with versions, s3:GetObjectVersion",
    "ListObjectsV2": "s3:ListBucket",
    "ListObjectVersions": "s3:ListBucketVersions",
    "ListMultipartUploads": "s3:ListBucketMultipartUploads",
    "CreateMultipartUpload": "s3:PutObject",
    "DeleteObject": "s3:DeleteObject and s3:DeleteObjectVersion",
}
_SAID = {
    "NoSuchBucket": "there is no such bucket",
    "InvalidAccessKeyId": "the access key is unknown there",
    "SignatureDoesNotMatch": "the secret of the access key is wrong",
    "ExpiredToken": "the credentials have expired",
    "RequestTimeTooSkewed": "its clock and that of this machine differ too much",
    "AuthorizationHeaderMalformed": "the region is wrong",
    "PermanentRedirect": "the region is wrong",
}
_XML_CODE = re.compile(rb"<Code>([A-Za-z0-9]{1,64})</Code>")


@contextmanager
def as_unavailable(store: str) -> Iterator[None]:
    """What goes wrong in the block between us and the store, as `Unavailable`."""
    try:
        yield
    except ClientError as error:
        raise Unavailable(f"{store}: {refusal(error)}") from error
    except (CredentialRetrievalError, NoCredentialsError, PartialCredentialsError, TokenRetrievalError) as error:
        raise Unavailable(f"{NO_CREDENTIALS} ({error})") from error
    except (ResponseParserError, KeyError):
        # What should be in an answer, and is not: it comes from another kind of server.
        raise Unavailable(f"{store} answers what is no S3") from None
    except (BotoCoreError, aiohttp.ClientError, TimeoutError, OSError) as error:
        # Not `from`: aiohttp's errors hold the URL, and that may be a signed one.
        raise Unavailable(f"{store} {outage(error)}") from None


def code_of(error: ClientError) -> str:
    """The S3 error code, or the status where an answer to HEAD had none."""
    return str(error.response.get("Error", {}).get("Code", ""))


def error_code(body: bytes) -> str:
    """The S3 error code in the body of an answer; nothing, where it has none."""
    found = _XML_CODE.search(body)
    return found[1].decode() if found else ""


def is_denied(error: ClientError) -> bool:
    """Whether the key lacks a right, and nothing else is wrong."""
    return code_of(error) in _DENIED


def action_of(error: ClientError) -> str:
    """The IAM action that the refused call needs."""
    return _ACTIONS.get(error.operation_name, f"s3:{error.operation_name}")


def refusal(error: ClientError) -> str:
    """Why the store did not do what it was asked."""
    code = code_of(error)
    if is_denied(error):
        return f"the credentials lack {action_of(error)}, or a policy of the bucket denies it"
    if code in _SAID:
        return f"{_SAID[code]} ({code})"
    message = error.response.get("Error", {}).get("Message", "")
    return " ".join(f"{error.operation_name} was refused: {code} {message}".split())


def outage(error: Exception) -> str:
    """What is the matter with a store that gives no answer: the end of a sentence that begins with it."""
    match error:
        case aiohttp.ClientConnectorCertificateError() | aiohttp.ClientConnectorSSLError():
            return f"is not trusted: {error}; the certificate of a private authority goes into AWS_CA_BUNDLE"
        case aiohttp.ClientConnectorDNSError():
            return f"has a name that is not known here: {error.os_error}"
        case aiohttp.ConnectionTimeoutError():
            return "takes no connection in time"
        case TimeoutError():
            return "does not answer in time"
        case aiohttp.ClientConnectorError():
            return f"takes no connections: {error.os_error.strerror or error.os_error}"
        case aiohttp.ServerDisconnectedError():
            return "closes the connection before it has answered"
        case aiohttp.ClientResponseError():
            # Its text has the URL in it; its message, what came, over several lines.
            return f"answers what is no HTTP: {' '.join(error.message.split())[:200]}"
        case _:
            return f"cannot be used: {str(error) or type(error).__name__}"
