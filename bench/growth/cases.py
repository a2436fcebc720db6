"""The cases of the growth part: lists through the repository, without HTTP, one at a time; then changes."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from adapters.postgres.documents import PostgresDocuments
from bench.growth.author import CROWD, Author
from bench.growth.corpus import (
    HIT_FOLDER,
    HIT_MIME_TYPE,
    HIT_TAG,
    HIT_WORD,
    HITS,
    MANY_FOLDER,
    MANY_MIME_TYPE,
    MANY_TAG,
    MISSED_PIECE,
    MISSED_WORD,
    OLD_TAG,
)
from bench.growth.filling import Filled
from domain.ids import WorkspaceId
from domain.pages import PER_PAGE, Page
from domain.paths import FolderPath
from domain.search import COUNT_MAX, EVERYTHING, DocumentFilter
from ports.queries import After

SIZES = (10_000, 100_000, 1_000_000)

FIRST = Page()

SOON, SEARCH, CREATE = 2.0, 5.0, 1.3
"""The targets: how many times longer a case may take at the largest size than at the smallest."""


@dataclass(frozen=True, slots=True)
class Target:
    """One size: a database that is only read, and a copy of it that is changed."""

    filled: Filled
    reads: PostgresDocuments
    author: Author

    @property
    def home(self) -> WorkspaceId:
        return WorkspaceId(self.filled.workspace)


@dataclass(frozen=True, slots=True)
class Case:
    """One call. It returns the number of documents that matched its filter. `at_once` is the number of creates in the
    call."""

    name: str
    bound: float | None
    call: Callable[[Target], Awaitable[int | None]]
    hits: int | None = None
    """The number of documents that must match at each size."""
    at_once: int = 1


Wanted = Callable[[Filled], DocumentFilter]
Place = Callable[[Filled], Page | After]


def finding(
    name: str,
    bound: float | None,
    wanted: DocumentFilter | Wanted,
    place: Page | Place = FIRST,
    hits: int | None = None,
) -> Case:
    """Return the case of a list. Its filter and its position in the list are fixed, or are computed from the content of
    a database."""

    async def call(target: Target) -> int:
        found = await target.reads.find(
            target.home,
            wanted(target.filled) if callable(wanted) else wanted,
            place(target.filled) if callable(place) else place,
        )
        return found.total

    return Case(name, bound, call, hits)


async def _folders(target: Target) -> int:
    return (await target.reads.folders(target.home, None, FIRST)).total


async def _tags(target: Target) -> int:
    return (await target.reads.tags(target.home, FIRST)).total


def _after_middle(filled: Filled) -> After:
    return After(filled.middle, PER_PAGE)


def _of_hits(*, tag: str = HIT_TAG) -> DocumentFilter:
    return DocumentFilter(tags=(tag,))


IN_HITS = DocumentFilter(folder=FolderPath(HIT_FOLDER))

READS = (
    finding("first page, no filter", SOON, EVERYTHING),
    finding("folder and below", SOON, IN_HITS, hits=HITS),
    finding("tag", SOON, _of_hits(), hits=HITS),
    finding("tag, the oldest documents", SOON, _of_hits(tag=OLD_TAG), hits=HITS),
    finding("search, hits", SEARCH, DocumentFilter(words=(HIT_WORD,)), hits=HITS),
    finding("search, a miss", SEARCH, DocumentFilter(words=(MISSED_WORD,)), hits=0),
    finding("cursor from the middle", SOON, EVERYTHING, _after_middle),
    finding("cursor, folder and below", SOON, IN_HITS, lambda filled: After(filled.middle_hit, PER_PAGE), hits=HITS),
    finding("deep page: the last one", None, EVERYTHING, lambda filled: Page(filled.size // PER_PAGE)),
    finding("search, two characters", None, DocumentFilter(words=(MISSED_PIECE,)), hits=0),
    finding("mime_type", None, DocumentFilter(mime_type=HIT_MIME_TYPE), hits=HITS),
    finding("created_after", None, lambda filled: DocumentFilter(created_after=filled.recent), hits=HITS),
    finding("tag and mime_type", None, DocumentFilter(tags=(HIT_TAG,), mime_type=MANY_MIME_TYPE), hits=HITS),
    finding("tag of a fifth of all", None, DocumentFilter(tags=(MANY_TAG,))),
    finding("tag of a fifth, the last page", None, DocumentFilter(tags=(MANY_TAG,)), lambda filled: _last(filled)),
    finding("mime_type of half of all", None, DocumentFilter(mime_type=MANY_MIME_TYPE)),
    finding("folder of a tenth of all", None, DocumentFilter(folder=FolderPath(MANY_FOLDER))),
    finding("search in a quarter of all", None, lambda filled: DocumentFilter(words=(filled.corpus.many_word,))),
    finding(
        "these four at once",
        None,
        lambda filled: DocumentFilter(
            folder=FolderPath(MANY_FOLDER),
            tags=(MANY_TAG,),
            mime_type=MANY_MIME_TYPE,
            words=(filled.corpus.many_word,),
        ),
    ),
    Case("folders below the root", None, _folders),
    Case("tags", None, _tags),
)


def _last(filled: Filled) -> Page:
    # This is the last page among the counted matches, at each size.
    return Page(min(COUNT_MAX, filled.size // 5) // PER_PAGE)


WRITES = (
    Case("create", CREATE, lambda target: target.author.create()),
    Case("create, 32 at a time", CREATE, lambda target: target.author.create_many(), at_once=CROWD),
    Case("patch: another name", None, lambda target: target.author.patch()),
    Case("link", None, lambda target: target.author.link()),
    Case("delete", None, lambda target: target.author.delete()),
    Case("move a folder with a tenth of all", None, lambda target: target.author.move()),
    Case("move subfolders, a twentieth as many", None, lambda target: target.author.move_tree()),
)
