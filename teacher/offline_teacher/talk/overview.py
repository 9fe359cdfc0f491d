"""A list under several conditions, histories of some of it, and what follows from both together."""

from datetime import date, timedelta

from gem_tasks.domain.base import Json
from offline_teacher.reading import english
from offline_teacher.talk.neighbours import MOST_LISTED, Neighbours
from offline_teacher.talk.scene import Scene, said
from offline_teacher.talk.script import Call

_MOST_HISTORIES = 3


def overview(scene: Scene, tools: Neighbours) -> None:
    """Several conditions in one wish, perhaps one of them beyond a limit; then the histories of what fits."""
    scene.greedy = scene.rng.random() < 0.5
    arguments = _wish(scene)
    words = ""
    if scene.greedy:
        words = scene.rng.choice(
            (
                f"One call returns at most {MOST_LISTED}, so I ask for {MOST_LISTED} first; if that is not "
                "enough, I'll "
                "tell you.",
                f"I can only list {MOST_LISTED} at a time, so I start with {MOST_LISTED}.",
            )
        )
    many = english.many(scene.entity).replace(" ", "_")
    found: Json = {many: scene.table, "total_count": len(scene.table), "has_more": False}
    scene.script.call(Call(tools.listing, arguments, found), words=words)
    scene.listed = list(scene.table)
    high = [row for row in scene.table if row["priority"] == "high"][:_MOST_HISTORIES]
    calls = [Call(tools.history, {scene.key: row[scene.key]}, _events(scene, row)) for row in high]
    scene.script.call(*calls, words=f"{english.counted(len(scene.table), scene.entity)} fit; now the histories.")
    told = "; ".join(
        f"{_title(scene, row)} was last handled by {scene.history(row)[0]['by']} on {scene.history(row)[0]['on']}"
        for row in high
    )
    others = [str(row[scene.key]) for row in scene.table if row not in high]
    rest = f" The others are {english.join(others)}." if others else ""
    scene.script.assistant(f"{english.counted(len(high), scene.entity)} with high priority: {told}.{rest}")


def _wish(scene: Scene) -> Json:
    """The user says what should be listed.

    Returns:
        The arguments that the list takes for it.
    """
    rng, many, branch = scene.rng, english.many(scene.entity), scene.branches[0]
    status = str(scene.table[0]["status"])
    first = min(date.fromisoformat(str(row["changed_on"])) for row in scene.table)
    since = (first - timedelta(days=1)).isoformat()
    wanted = rng.choice((80, 100, 200)) if scene.greedy else rng.choice((20, 25, 30))
    scene.script.user(
        rng.choice(
            (
                f"While I have you: my boss wants to know which {many} of the {branch} branch are still "
                f"{said(status)} and "
                f"were changed after {since}. Give me up to {wanted}, and for the ones with high priority I need "
                "to know "
                "who touched them last.",
                f"Something else that has been bugging me. All {many} in {branch} that are {said(status)}, "
                "changed after "
                f"{since}, not more than {wanted} of them. And whoever worked last on those with high priority, "
                "please.",
                f"I've got a meeting later and need an overview: {many}, only {branch}, status {said(status)}, "
                "last changed "
                f"after {since}, {wanted} at most. For the high priority ones also who dealt with them last.",
            )
        )
    )
    limit = MOST_LISTED if scene.greedy else wanted
    return {"status": status, "changed_after": since, "branch": branch, "limit": limit}


def compare(scene: Scene) -> None:
    """A question that several earlier results answer together, without another call."""
    if len(scene.listed) < 2:
        return
    oldest = min(scene.listed, key=lambda row: str(row["changed_on"]))
    newest = max(scene.listed, key=lambda row: str(row["changed_on"]))
    high = sum(row["priority"] == "high" for row in scene.listed)
    scene.script.user(
        scene.rng.choice(
            (
                "So from all you've seen: which one has been lying around longest, which is the newest, and how "
                "many are high priority?",
                "Sum it up for me: longest untouched, most recent, and the number with high priority?",
            )
        )
    )
    scene.script.assistant(
        f"Of the {len(scene.listed)} in the list, {_title(scene, oldest)} has not been changed since "
        f"{oldest['changed_on']}, the most recent "
        f"is {_title(scene, newest)} ({newest['changed_on']}), and {high} {'has' if high == 1 else 'have'} high "
        "priority."
    )


def _events(scene: Scene, row: Json) -> Json:
    events = scene.history(row)
    return {scene.key: row[scene.key], "history": events, "total_count": len(events)}


def _title(scene: Scene, row: Json) -> str:
    label = row.get(scene.label_key)
    return f"{row[scene.key]} ({label})" if label is not None and label != row[scene.key] else str(row[scene.key])
