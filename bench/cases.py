"""The cases of the comparison: which contender gets which load."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial

from bench.ceiling.pgbench import Pgbench
from bench.contenders import (
    BARE_INSERT,
    BEFORE,
    DOSSIER,
    FLOOR,
    LEAN,
    MOST,
    ONE_STATEMENT,
    PEER,
    SIX_STATEMENTS,
    Case,
    Run,
    Sample,
    Service,
)
from bench.crowd import Crowd
from bench.library import LIST, PAGE, READ, READ_RECORD, UPLOAD_URL

_SCRIPTS = {ONE_STATEMENT: "one_statement", SIX_STATEMENTS: "six_statements", BARE_INSERT: "bare_insert"}
_WITH_LEAN = (DOSSIER, PEER, LEAN)
_WITH_PEER = (DOSSIER, PEER)
_READ_OF_ONE = 20 * PAGE
"""The documents to read in the cases with one workspace."""


@dataclass(frozen=True, slots=True)
class Contenders:
    """The running services by name, pgbench, and the crowds by their number of workspaces."""

    services: dict[str, Service]
    ceiling: Pgbench
    single: Crowd
    many: Crowd
    thousand: Crowd
    before: Crowd | None
    """The workspace of `BEFORE`, in a store of its own; `None` without that contender."""

    def cases(self) -> Iterator[tuple[Case, Run]]:
        """Yield all cases of a round. Each contender is next to those with which it is compared."""
        for crowd in (self.single, self.many, self.thousand):
            yield from self._creates(_WITH_LEAN, crowd)
        yield from self._creates((BEFORE,), self.single)
        yield from self._creates((DOSSIER,), self.single, idempotent=False)
        yield from self._ceiling(MOST)
        for crowd in (self.single, self.many):
            yield from self._creates((DOSSIER,), crowd, connections=8)
        yield from self._creates(_WITH_LEAN, self.single, connections=1)
        yield from self._creates((DOSSIER,), self.many, connections=1)
        yield from self._ceiling(1)
        for crowd in (self.single, self.thousand):
            yield from self._repeats(_WITH_LEAN, READ, crowd)
        yield from self._repeats((BEFORE,), READ, self.single)
        yield from self._repeats(_WITH_LEAN, READ, self.single, connections=1)
        for crowd in (self.single, self.thousand):
            yield from self._repeats(_WITH_LEAN, READ_RECORD, crowd)
        for request in (LIST, UPLOAD_URL):
            for crowd in (self.single, self.many):
                yield from self._repeats(_WITH_PEER, request, crowd)

    def read(self) -> Iterator[tuple[str, Crowd, int]]:
        """Yield the name of each contender that reads, with a crowd and the number of documents to record in it."""
        for name in _WITH_LEAN:
            yield name, self.single, _READ_OF_ONE
            yield name, self.thousand, len(self.thousand.members)
        for name in _WITH_PEER:
            yield name, self.many, len(self.many.members) * PAGE
        if self.before is not None:
            yield BEFORE, self.before, _READ_OF_ONE

    def _creates(
        self, names: tuple[str, ...], crowd: Crowd, connections: int = MOST, *, idempotent: bool = True
    ) -> Iterator[tuple[Case, Run]]:
        for service, of in self._loaded(names, crowd):
            case = Case(service.name, len(of.members), connections, idempotent)
            yield case, partial(_create, service, of, case)

    def _repeats(
        self, names: tuple[str, ...], request: str, crowd: Crowd, connections: int = MOST
    ) -> Iterator[tuple[Case, Run]]:
        for service, of in self._loaded(names, crowd):
            case = Case(service.name, len(of.members), connections, idempotent=False, request=request)
            yield case, partial(_repeat, service, of, case)

    def _loaded(self, names: tuple[str, ...], crowd: Crowd) -> Iterator[tuple[Service, Crowd]]:
        for name in names:
            of = self.before if name == BEFORE else crowd
            if of is not None:
                yield self.services[name], of

    def _ceiling(self, connections: int) -> Iterator[tuple[Case, Run]]:
        yield from self._creates((FLOOR,), self.single, connections)
        for name in _SCRIPTS:
            case = Case(name, 1, connections, idempotent=name != BARE_INSERT)
            yield case, partial(_in_postgres, self.ceiling, case)


async def _create(service: Service, crowd: Crowd, case: Case, seconds: int) -> Sample:
    return await service.run(crowd, connections=case.connections, idempotent=case.idempotent, seconds=seconds)


async def _repeat(service: Service, crowd: Crowd, case: Case, seconds: int) -> Sample:
    requests = service.libraries[id(crowd)].requests(case.request, service.server.url)
    return await service.repeat(requests, connections=case.connections, seconds=seconds)


async def _in_postgres(ceiling: Pgbench, case: Case, seconds: int) -> Sample:
    await ceiling.postgres.settle()
    before = ceiling.postgres.cpu_seconds()
    done = await ceiling.run(_SCRIPTS[case.contender], case.connections, seconds)
    return Sample(
        rate=done.rate,
        p50_ms=done.p50_ms,
        p99_ms=done.p99_ms,
        python_us=None,
        postgres_us=(ceiling.postgres.cpu_seconds() - before) / done.count * 1e6,
    )
