"""The findings and deletions of a sweep."""

from dataclasses import dataclass, field

from domain.ids import WorkspaceId
from domain.use_cases.orphans import OrphanPage


@dataclass(slots=True)
class SweepReport:
    """The findings and deletions of a sweep. All fields are counts, except `unrecorded_bytes`.

    `objects`: all that were listed. `unrecorded`: orphans, which have had no record for more than a day; their size is
    `unrecorded_bytes`. `issued`: the orphans that were uploaded through a URL that the ledger has issued. `inherited`:
    the orphans that are older than this database's claim on the store. The other orphans are unexplained:
    `unconfirmed` has the workspaces with so many of them that the database is more likely incomplete than the objects
    unused, and those with one that a complete database must know. `late`: objects at paths that are gone. `foreign`:
    objects whose keys no document can have; a sweep never touches them. `expired`: issued paths whose reservations had
    ended. `condemned`: paths that were condemned before this sweep and, unless it lists all objects, are due.
    `deleted`: paths whose objects were deleted. `held`: paths at which the store refused to delete something.
    `other_versions`: versions at recorded paths beside the recorded one, which were deleted unless the store held them.
    `unfinished`: uploads that were discarded. `folders`: empty folders that were deleted. `receipts` and `events`:
    expired receipts and old events that were deleted. `unused_paths`: paths that were issued or condemned long ago,
    never recorded, and forgotten now.
    """

    objects: int = 0
    unrecorded: int = 0
    unrecorded_bytes: int = 0
    issued: int = 0
    inherited: int = 0
    unconfirmed: list[WorkspaceId] = field(default_factory=list)
    late: int = 0
    foreign: int = 0
    expired: int = 0
    condemned: int = 0
    deleted: int = 0
    held: int = 0
    other_versions: int = 0
    unfinished: int = 0
    folders: int = 0
    receipts: int = 0
    events: int = 0
    unused_paths: int = 0

    def count(self, page: OrphanPage) -> None:
        """Add the counts of a page. A sweep lists the store twice, and only the first listing is counted."""
        old = [*page.issued, *page.unexplained, *page.inherited]
        self.objects += page.objects
        self.foreign += page.foreign
        self.unrecorded += len(old)
        self.unrecorded_bytes += sum(item.size_bytes for item in old)
        self.issued += len(page.issued)
        self.inherited += len(page.inherited)
        self.late += len(page.late)
