"""Short turns of a refined conversation: what no tool can do, what only the user can do, what was forgotten."""

from offline_teacher.reading import english
from offline_teacher.talk.scene import Scene, said


def limitation(scene: Scene) -> None:
    """What no tool can do, said openly."""
    names = " ".join(spec.name for spec in scene.specs)
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
        scene.rng.choice((f"Reloaded. It says {said(status)} now.", f"Okay, did that. {said(status).capitalize()}."))
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
