"""The chart of a run: creates per second at 32 connections, as bars in a self-contained SVG."""

from html import escape

from bench.contenders import BARE_INSERT, DOSSIER, LEAN, MANY, MOST, ONE_STATEMENT, PEER, SIX_STATEMENTS, THOUSAND, Case
from bench.report import Results, medians

_PANELS = (
    (
        "One workspace",
        (
            Case(BARE_INSERT, 1, MOST, idempotent=False),
            Case(DOSSIER, 1, MOST, idempotent=True),
            Case(ONE_STATEMENT, 1, MOST, idempotent=True),
            Case(SIX_STATEMENTS, 1, MOST, idempotent=True),
            Case(LEAN, 1, MOST, idempotent=True),
            Case(PEER, 1, MOST, idempotent=True),
        ),
    ),
    *(
        (
            f"{workspaces:,} workspaces",
            tuple(Case(contender, workspaces, MOST, idempotent=True) for contender in (DOSSIER, LEAN, PEER)),
        )
        for workspaces in (MANY, THOUSAND)
    ),
)

_WIDTH = 760
_MARGIN = 20
_LABELS = 190
_FIGURES = 70
_BAR = 20
_ROW = 28
_TITLE = 34
_INK, _QUIET, _OURS, _OTHERS, _PAPER = "#1f2328", "#59636e", "#0969da", "#afb8c1", "#ffffff"


def chart(results: Results) -> str:
    """Return the SVG: one panel per number of workspaces, all with one scale."""
    panels = [
        (title, bars)
        for title, cases in _PANELS
        if (
            bars := [(case.contender, medians(results.samples[case]).rate) for case in cases if case in results.samples]
        )
    ]
    most = max((rate for _, bars in panels for _, rate in bars), default=1)
    room = _WIDTH - 2 * _MARGIN - _LABELS - _FIGURES
    parts, top = [_text(_MARGIN, 32, f"Creates per second, {MOST} connections, fsync on", size=17, weight=600)], 44
    for title, bars in panels:
        parts.append(_text(_MARGIN, top + 22, title, size=13, colour=_QUIET))
        top += _TITLE
        for name, rate in bars:
            length = round(rate / most * room, 1)
            left = _MARGIN + _LABELS
            parts += [
                _text(left - 10, top + 15, name, size=13, anchor="end", weight=600 if name == DOSSIER else 400),
                f'<rect x="{left}" y="{top}" width="{length}" height="{_BAR}" rx="2" '
                f'fill="{_OURS if name == DOSSIER else _OTHERS}"/>',
                _text(left + length + 8, top + 15, f"{rate:,.0f}", size=13),
            ]
            top += _ROW
    conditions = results.conditions
    source = (
        f"Medians of {conditions['rounds']} interleaved rounds of {conditions['seconds']} s on {conditions['cores']} "
        f"cores of {conditions['processor']}; {conditions['postgres']}; make bench, {conditions['date']}"
    )
    parts.append(_text(_MARGIN, top + 24, source, size=11, colour=_QUIET))
    height = top + 40
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {height}" width="{_WIDTH}" height="{height}" '
        'font-family="system-ui, sans-serif" role="img">\n'
        "<title>Creates per second of Dossier and its contenders</title>\n"
        f'<rect width="{_WIDTH}" height="{height}" fill="{_PAPER}"/>\n' + "\n".join(parts) + "\n</svg>\n"
    )


def _text(
    x: float, y: float, text: str, *, size: int, colour: str = _INK, anchor: str = "start", weight: int = 400
) -> str:
    return (
        f'<text x="{x}" y="{y}" font-size="{size}" font-weight="{weight}" fill="{colour}" text-anchor="{anchor}">'
        f"{escape(text)}</text>"
    )
