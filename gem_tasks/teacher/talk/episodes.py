"""What a refined conversation has more: lists under conditions, look-alikes, a handover, what no tool can do."""

from collections.abc import Sequence
from datetime import date, timedelta

from gem_tasks.domain.base import Json
from gem_tasks.domain.workflow import ToolSpec
from gem_tasks.teacher.talk import english, people
from gem_tasks.teacher.talk.neighbours import MOST_LISTED
from gem_tasks.teacher.talk.scene import Scene
from gem_tasks.teacher.talk.script import Call


def overview(scene: Scene) -> None:
    """Several conditions in one wish, one of them beyond a limit or unspoken; then the histories of what fits."""
    tools, rng = scene.tools, scene.rng
    if tools is None:
        return
    many = english.many(scene.entity)
    status = str(scene.table[0]["status"])
    since = (min(_days(scene)) - timedelta(days=1)).isoformat()
    scene.greedy = greedy = rng.random() < 0.5
    wanted = rng.choice((80, 100, 200)) if greedy else rng.choice((20, 25, 30))
    branch = scene.branches[0]
    ask = rng.choice(
        (
            f"While I have you: my boss wants to know which {many} of the {branch} branch are still "
            f"{_said(status)} and were changed "
            f"after {since}. Give me up to {wanted}, and for the ones with high priority I need to know who "
            "touched them last.",
            f"Something else that has been bugging me. All {many} in {branch} that are {_said(status)}, changed "
            f"after {since}, "
            f"not more than {wanted} of them. And whoever worked last on those with high priority, please.",
            f"I've got a meeting later and need an overview: {many}, only {branch}, status {_said(status)}, last "
            f"changed after {since}, "
            f"{wanted} at most. For the high priority ones also who dealt with them last.",
        )
    )
    scene.script.user(ask)
    words = ""
    if greedy:
        words = rng.choice(
            (
                f"One call returns at most {MOST_LISTED}, so I ask for {MOST_LISTED} first; if that is not "
                "enough, I'll tell you.",
                f"I can only list {MOST_LISTED} at a time, not {wanted}. I start with {MOST_LISTED}.",
            )
        )
    arguments: Json = {
        "status": status, "changed_after": since, "branch": branch, "limit": MOST_LISTED if greedy else wanted,
    }  # fmt: skip
    many_key = many.replace(" ", "_")
    found: Json = {many_key: scene.table, "total_count": len(scene.table), "has_more": False}
    scene.script.call(Call(tools.listing, arguments, found), words=words)
    scene.listed = list(scene.table)
    high = [row for row in scene.table if row["priority"] == "high"][:3]
    calls = [Call(tools.history, {scene.key: row[scene.key]}, _events(scene, row)) for row in high]
    scene.script.call(
        *calls, words=f"{english.counted(len(scene.table), scene.entity).capitalize()} fit; now the histories."
    )
    told = "; ".join(
        f"{_title(scene, row)} was last handled by {scene.history(row)[0]['by']} on {scene.history(row)[0]['on']}"
        for row in high
    )
    others = [str(row[scene.key]) for row in scene.table if row not in high]
    rest = f" The others are {english.join(others)}." if others else ""
    scene.script.assistant(f"{english.counted(len(high), scene.entity).capitalize()} with high priority: {told}.{rest}")


def handover(scene: Scene) -> None:
    """A look-alike to be noticed, a colleague to be found, and a wish that changes while it is being confirmed."""
    tools, rng = scene.tools, scene.rng
    if tools is None or tools.staff is None or tools.handover is None or not scene.listed:
        return
    row = next(
        (row for row in scene.listed if row.get(scene.label_key) == scene.main.get(scene.label_key)), scene.listed[0]
    )
    colleague = people.person(rng)
    first = colleague.split(" ")[0]
    other = next(name for name in iter(lambda: people.person(rng), "") if name.split(" ")[1] != colleague.split(" ")[1])
    text = rng.choice(
        ("please check the amounts again", "call them back first", "papers are on my desk", "needs a second look")
    )
    day, later = (
        (scene.today + timedelta(days=count)).isoformat() for count in (rng.randint(3, 6), rng.randint(8, 14))
    )
    label = str(row[scene.key] if scene.greedy else row.get(scene.label_key, row[scene.key]))
    scene.script.user(
        rng.choice(
            (
                f'{first} should take over {label} from the list. Leave a note with it: "{text}", reminder on {day}.',
                f'Next thing: hand {label} over to {first}, with the note "{text}" and a reminder on {day}.',
                f'{label} should go to {first}, please. Note: "{text}". And set a reminder for {day}.',
            )
        )
    )
    if label == scene.main.get(scene.label_key) and label != str(row[scene.key]):
        _which(scene, row, label)
    number = f"E-{rng.randint(1100, 9899)}"
    here, away = scene.branches
    staff: Json = {
        "staff": [
            {"staff_number": number, "name": colleague, "branch": here, "department": "Operations"},
            {"staff_number": f"E-{rng.randint(1100, 9899)}", "name": f"{first} {other.split(' ')[1]}", "branch": away,
             "department": "Finance"},
        ],
        "total_count": 2,
    }  # fmt: skip
    scene.script.call(Call(tools.staff, {"name": first}, staff))
    scene.script.assistant(
        f"There are two colleagues called {first}. The {scene.entity} belongs to the {here} branch, so I take "
        f"{colleague} ({number}) "
        f'from there. I would now hand over {row[scene.key]}, with the note "{text}" and a reminder on {day}. Is '
        "that right?"
    )
    change = rng.choice(
        (
            f"Right person, yes. But make the reminder {later}, I just saw the calendar.",
            f"Yes, that's {first}. Hm, wait, {later} for the reminder is better. The rest is fine.",
        )
    )
    others = [one for one in scene.listed if one["priority"] == "high" and one is not row][:2]
    assignee, note = {"staff_number": number, "name": colleague}, {"text": text, "follow_up_on": later}
    if others and rng.random() < 0.6:
        scene.script.user(f"{change} {rng.choice(_ALSO)}")
        _hand(scene, tools.handover, [row, *others], assignee, note)
        return
    scene.script.user(change)
    _hand(scene, tools.handover, [row], assignee, note)
    if others:
        scene.script.user(rng.choice(_SAME_AGAIN))
        _hand(scene, tools.handover, others, assignee, note)


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
    state = f" (status {_said(str(main['status']))})" if isinstance(main.get("status"), str) else ""
    scene.script.assistant(
        f"Careful, two of them go by {label}: {main[key]}{state}, which we have been working on, and {row[key]} "
        "(status "
        f"{_said(str(row['status']))}). Which one do you mean?"
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


def limitation(scene: Scene) -> None:
    """What no tool can do, said openly."""
    names = " ".join(spec.name for spec in (*scene.given, *(scene.tools.specs() if scene.tools else ())))
    beyond = [wish for wish in _BEYOND if not any(word in names for word in wish[2].split())]
    if not beyond:
        return
    wish, verb, _ = scene.rng.choice(beyond)
    scene.script.user(wish)
    scene.script.assistant(
        scene.rng.choice(
            (
                f"I have no tool to {verb}, so that is something for you or a colleague. What I can give you is "
                "the text to pass on.",
                f"That is beyond my tools: none of them can {verb}. I can only look things up and change them in "
                "the system.",
            )
        )
    )


_BEYOND = (
    ("Could you also print the whole thing and put it on my desk?", "print anything", "print"),
    ("Can you give them a ring and explain it?", "make phone calls", "call phone ring"),
    ("Can you have it translated into Finnish for the other office?", "translate documents", "translat language"),
    ("Could you text me when somebody reads it?", "send text messages", "message sms text notif send"),
)


def guidance(scene: Scene) -> None:
    """A step that only the user can do: by hand as the text has it, or in front of the screen."""
    if scene.steps:
        _by_hand(scene)
        return
    status = scene.main.get("status")
    if not isinstance(status, str):
        return
    name = scene.main[scene.key]
    scene.script.user(
        scene.rng.choice(
            (
                f"Strange, on my screen the {scene.entity} still looks the old way.",
                f"Hm, my own screen shows something else for the {scene.entity}.",
            )
        )
    )
    scene.script.assistant(
        f"That is a step only you can do: reload the page, open {name} again and look at the field for the "
        "status. What does it say?"
    )
    scene.script.user(
        scene.rng.choice((f"Reloaded. It says {_said(status)} now.", f"Okay, did that. {_said(status).capitalize()}."))
    )
    scene.script.hold(f"Good, that is what the system returned for {name} too.")


def _by_hand(scene: Scene) -> None:
    start = scene.rng.randrange(max(1, len(scene.steps) - 2))
    steps = scene.steps[start : start + 3]
    scene.script.user(
        scene.rng.choice(
            (
                "And how would I do that myself next time, without you?",
                "I want to try it on my own screen as well. What do I have to do?",
                "My colleague prefers to do it by hand. How does it go, and can we try it together?",
            )
        )
    )
    listed = " ".join(f"{number}) {english.sentence(step)}" for number, step in enumerate(steps, start=1))
    scene.script.assistant(
        f"That part is in your hands, I can only tell you how: {listed} Tell me when you are through."
    )
    scene.script.user(
        scene.rng.choice(("Okay... done, I found it.", "Done, that was easy.", "Right, I'm through with that."))
    )
    scene.script.hold(scene.rng.choice(("Very good.", "Well done.", "Perfect.")))


def forgotten(scene: Scene) -> None:
    """Something already said is asked again."""
    if not scene.script.grounds.has(scene.main[scene.key]):
        return
    scene.script.user(
        scene.rng.choice(
            (
                f"Sorry, I lost track: what was the ID of our {scene.entity} again?",
                f"Wait, I forgot to write it down. Which ID did our {scene.entity} have?",
            )
        )
    )
    scene.script.assistant(f"It is {scene.main[scene.key]}.")


def _events(scene: Scene, row: Json) -> Json:
    events = scene.history(row)
    return {scene.key: row[scene.key], "history": events, "total_count": len(events)}


def _title(scene: Scene, row: Json) -> str:
    label = row.get(scene.label_key)
    return f"{row[scene.key]} ({label})" if label is not None and label != row[scene.key] else str(row[scene.key])


def _said(status: str) -> str:
    return status.replace("_", " ")


def _days(scene: Scene) -> list[date]:
    return [date.fromisoformat(str(row["changed_on"])) for row in scene.table]
