"""What uvicorn refuses before there is a request (bytes that are no HTTP/1.1), refused as everything else is."""

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from adapters.http.errors import answer
from adapters.system import Ulids, utc_now
from domain.errors import Invalid

_new_id = Ulids()


class EnvelopeProtocol(HttpToolsProtocol):
    """uvicorn's protocol, whose own refusal has the envelope and a request id too."""

    def send_400_response(self, msg: str) -> None:  # noqa: ARG002  the text is for developers of servers
        request_id = "req_" + _new_id(utc_now())
        refusal = answer(Invalid({"request": "is not well-formed HTTP/1.1, or too long to be read"}), request_id)
        self.transport.write(
            b"HTTP/1.1 400 Bad Request\r\ncontent-type: application/json\r\nconnection: close\r\n"
            b"x-request-id: %s\r\ncontent-length: %d\r\n\r\n%s" % (request_id.encode(), len(refusal.body), refusal.body)
        )
        self.transport.close()
