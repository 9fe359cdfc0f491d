"""Checks and judge beside people, for the terminal."""

from rich.markup import escape
from rich.table import Table

from gem_tasks.audit.people import KindReport, PeopleReport, Share
from gem_tasks.cli.terminal import Terminal


def print_people(found: PeopleReport, console: Terminal) -> None:
    """The table kind by kind, and what to do."""
    rated = found.published + found.refused
    if not rated:
        console.print("No person has rated conversations yet: gem audit draw, and gem audit draw --what refused")
        return
    console.print(_table(found, f"Checks and judge beside people, {rated} conversations"))
    console.print(
        f"People refuse {found.people_refuse} of the {rated}: {found.published} published and {found.refused} refused"
        " ones were rated"
    )
    missing = "gem audit draw" if not found.published else "gem audit draw --what refused" if not found.refused else ""
    if missing:
        console.print(f"Recall and kappa need ratings of both; the others: {missing}")
    for line in found.advice:
        console.print(f"  {line}", markup=False, soft_wrap=True)


def _table(found: PeopleReport, title: str) -> Table:
    table = Table(title=title)
    for column in ("kind", "severity"):
        table.add_column(column)
    for column in ("people refuse", "precision", "recall", "kappa"):
        table.add_column(column, justify="right")
    for each in found.kinds:
        counts = f"{each.precision.hits} of {each.precision.items}"
        cells = (counts, _share(each.precision), _share(each.recall), _kappa(each))
        table.add_row(escape(each.kind), each.severity, *cells)
    return table


def _share(share: Share | None) -> str:
    return "-" if share is None else f"{share.share:.2f} ({share.low:.2f} to {share.high:.2f})"


def _kappa(found: KindReport) -> str:
    if found.kappa is None or found.kappa_low is None or found.kappa_high is None:
        return "-"
    return f"{found.kappa:.2f} ({found.kappa_low:.2f} to {found.kappa_high:.2f})"
