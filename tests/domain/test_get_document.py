"""Reading a document, with a signed URL for its bytes."""

from dataclasses import replace

import pytest

from domain.access import Caller
from domain.errors import ObjectChanged
from domain.use_cases.get_document import Found
from ports.queries import DocumentWithLinks
from ports.storage import DownloadTerms
from tests.domain.world import NEVER_CALLED, World, followed


def terms_of(world: World, found: Found) -> DownloadTerms | None:
    """Return the terms of the signed URL, as the store reads them."""
    assert found.download is not None
    path, query = followed(found.download.url)
    return world.storage.open_download(path, query, world.clock())


@pytest.mark.parametrize(("mime_type", "kind"), [("application/pdf", "inline"), ("text/html", "attachment")])
async def test_only_types_that_cannot_run_are_inline(world: World, caller: Caller, mime_type: str, kind: str) -> None:
    document = await world.record(caller, mime_type=mime_type)
    terms = terms_of(world, await world.get_document(caller, document.id, download=True, inline=True))
    assert terms is not None
    assert terms.disposition.partition(";")[0] == kind


@pytest.mark.parametrize("replacement", [None, b"", b"54321", b"123456"], ids=repr)
async def test_changed_bytes_get_no_url_but_the_record_is_read(world: World, replacement: bytes | None) -> None:
    caller = await world.caller()
    document = await world.record(caller, b"12345")
    world.storage.swap(document.storage_path, replacement)
    with pytest.raises(ObjectChanged):
        await world.get_document(caller, document.id, download=True)
    assert await world.get_document(caller, document.id, download=False) == Found(DocumentWithLinks(document, ()), None)
    world.storage.swap(document.storage_path, b"12345")
    assert terms_of(world, await world.get_document(caller, document.id, download=True))


async def test_reading_only_the_record_does_not_call_the_store(world: World, caller: Caller) -> None:
    document = await world.record(caller)
    blind = replace(world.get_document, storage=NEVER_CALLED, now=NEVER_CALLED)
    assert await blind(caller, document.id, download=False) == Found(DocumentWithLinks(document, ()), None)
