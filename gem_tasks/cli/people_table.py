"""Agreement of checks and judge with people, for the terminal."""

from rich.markup import escape
from rich.table import Table

from gem_tasks.audit.people import KindReport, PeopleReport, Share
from gem_tasks.cli.terminal import Terminal


def print_people(found: PeopleReport, console: Terminal) -> None:
    """Prints the table by kind, and advice."""
    rated = found.published + found.refused
    if not rated:
        console.print("No conversation is rated yet. Start with: gem audit draw, and gem audit draw --what refused")
        return
    console.print(_table(found, f"Checks and judge compared with people, {rated} conversations"))
    console.print(
        f"People reject {found.people_refuse} of {rated} rated conversations ({found.published} published,"
        f" {found.refused} rejected)"
    )
    missing = "gem audit draw" if not found.published else "gem audit draw --what refused" if not found.refused else ""
    if missing:
        console.print(
            f"Recall and kappa need ratings of published and rejected conversations. Draw the missing ones: {missing}"
        )
    for line in found.advice:
        console.print(f"  {line}", markup=False, soft_wrap=True)


def _table(found: PeopleReport, title: str) -> Table:
    table = Table(title=title)
    for column in ("kind", "severity"):
        table.add_column(column)
    for column in ("people reject", "precision", "recall", "kappa"):
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
