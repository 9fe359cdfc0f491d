"""Giving work to a colleague: a look-alike to be noticed, a person to be found, a wish that changes meanwhile."""

from collections.abc import Sequence
from datetime import timedelta

from gem_tasks.domain.base import Json
from gem_tasks.domain.workflow import ToolSpec
from offline_teacher.reading import english
from offline_teacher.talk import people
from offline_teacher.talk.neighbours import Neighbours
from offline_teacher.talk.scene import Scene, said
from offline_teacher.talk.script import Call

_NOTES = ("please check the amounts again", "call them back first", "papers are on my desk", "needs a second look")


def handover(scene: Scene, tools: Neighbours) -> None:
    """Hands over a record of the list, and the urgent rest of it; nothing if there is no tool for it."""
    if tools.staff is None or tools.handover is None or not scene.listed:
        return
    rng, own = scene.rng, scene.main.get(scene.label_key)
    row = next((row for row in scene.listed if row.get(scene.label_key) == own), scene.listed[0])
    label = str(row[scene.key] if scene.greedy else row.get(scene.label_key, row[scene.key]))
    colleague, text = people.person(rng), rng.choice(_NOTES)
    first = colleague.split(" ")[0]
    day, later = ((scene.today + timedelta(days=days)).isoformat() for days in (rng.randint(3, 6), rng.randint(8, 14)))
    scene.script.user(
        rng.choice(
            (
                f'{first} should take over {label} from the list. Leave a note with it: "{text}", reminder on {day}.',
                f'Next thing: hand {label} over to {first}, with the note "{text}" and a reminder on {day}.',
                f'{label} should go to {first}, please. Note: "{text}". And set a reminder for {day}.',
            )
        )
    )
    if label == own and label != str(row[scene.key]):
        _which(scene, row, label)
    assignee = _find(scene, tools.staff, colleague)
    scene.script.assistant(
        f"There are two colleagues called {first}. The {scene.entity} belongs to the {scene.branches[0]} branch, "
        "so I take "
        f"{colleague} ({assignee['staff_number']}) from there. I would now hand over {row[scene.key]}, with the note "
        f'"{text}" and a reminder on {day}. Is that right?'
    )
    change = rng.choice(
        (
            f"Right person, yes. But make the reminder {later}, I just saw the calendar.",
            f"Yes, that's {first}. Hm, wait, {later} for the reminder is better. The rest is fine.",
        )
    )
    _settle(scene, tools.handover, row, (assignee, {"text": text, "follow_up_on": later}), change)


def _find(scene: Scene, tool: ToolSpec, colleague: str) -> Json:
    """Two people answer to the first name; the right one is of the branch that the list is about."""
    rng = scene.rng
    first, last = colleague.split(" ")
    other = next(name for name in iter(lambda: people.person(rng).split(" ")[1], "") if name != last)
    here, away = scene.branches
    assignee = {"staff_number": f"E-{rng.randint(1100, 5499)}", "name": colleague}
    namesake = {"staff_number": f"E-{rng.randint(5500, 9899)}", "name": f"{first} {other}"}
    staff = [
        {**assignee, "branch": here, "department": "Operations"},
        {**namesake, "branch": away, "department": "Finance"},
    ]
    scene.script.call(Call(tool, {"name": first}, {"staff": staff, "total_count": 2}))
    return assignee


def _settle(scene: Scene, tool: ToolSpec, row: Json, what: tuple[Json, Json], change: str) -> None:
    """The confirmation with a change in it, and the same for the urgent others: at once or afterwards."""
    others = [one for one in scene.listed if one["priority"] == "high" and one is not row][:2]
    if others and scene.rng.random() < 0.6:
        scene.script.user(f"{change} {scene.rng.choice(_ALSO)}")
        _hand(scene, tool, [row, *others], *what)
        return
    scene.script.user(change)
    _hand(scene, tool, [row], *what)
    if others:
        scene.script.user(scene.rng.choice(_SAME_AGAIN))
        _hand(scene, tool, others, *what)


_ALSO = (
    "And the other ones with high priority go the same way, same note and day.",
    "Oh, and the same for the rest of the high priority ones, please.",
)
_SAME_AGAIN = (
    "And do the same for the other ones with high priority, same note, same day.",
    "Great. Same person, note and day for the rest of the high priority ones, please.",
)


def _which(scene: Scene, row: Json, label: str) -> None:
    """Two records answer to the same name: only the user knows which is meant."""
    main, key = scene.main, scene.key
    state = f" (status {said(str(main['status']))})" if isinstance(main.get("status"), str) else ""
    scene.script.assistant(
        f"Careful, two of them go by {label}: {main[key]}{state}, which we have been working on, and {row[key]} "
        "(status "
        f"{said(str(row['status']))}). Which one do you mean?"
    )
    scene.script.user(
        scene.rng.choice(
            (
                f"Oh, good that you ask. {row[key]}, not ours.",
                f"The other one, {row[key]}.",
                f"I meant {row[key]}, sorry.",
            )
        )
    )


def _hand(scene: Scene, tool: ToolSpec, rows: Sequence[Json], assignee: Json, note: Json) -> None:
    """Hands records over, all in one turn."""
    scene.script.call(*(Call(tool, *_handed(scene, row, assignee, note)) for row in rows))
    names = english.join([str(row[scene.key]) for row in rows])
    are, name, day = "is" if len(rows) == 1 else "are", assignee["name"], note["follow_up_on"]
    scene.script.assistant(
        scene.rng.choice(
            (
                f"{names} {are} with {name} now; the note is saved and the reminder set for {day}.",
                f"Done: {name} has {names} now, with your note and a reminder on {day}.",
            )
        )
    )


def _handed(scene: Scene, row: Json, assignee: Json, note: Json) -> tuple[Json, Json]:
    arguments: Json = {scene.key: row[scene.key], "assignee": assignee, "note": note}
    number = scene.rng.randint(21000, 89000)
    stamp = f"{scene.today.isoformat()}T10:{10 + scene.script.calls}:00Z"
    response: Json = {
        scene.key: row[scene.key], "status": row["status"], "assigned_to": assignee, "note_number": number,
        "reminder_on": note["follow_up_on"], "branch": row["branch"], "priority": row["priority"], "updated_at": stamp,
    }  # fmt: skip
    return arguments, response
