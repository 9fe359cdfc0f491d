"""Counts of what conversations are, beside their plans."""

from gem_tasks.dataset.card import kept_words
from gem_tasks.dataset.realised import Counting
from gem_tasks.domain.realised import Found, Judged, Kept, Realised, Share, with_judgements
from gem_tasks.domain.trajectory import Message, ToolCall
from gem_tasks.gates import decide, parse_policy
from gem_tasks.gates.diversity import metrics_of
from gem_tasks.plans import shipped

ENGLISH = "Could you please look up my order and tell me whether it was sent to the right address yesterday?"
GERMAN = "Können Sie bitte nachsehen, ob meine Bestellung gestern an die richtige Adresse verschickt worden ist?"


def talk(said, calls=1, result='{"ok": true}', last="Done.", size=20):
    asked = tuple(ToolCall(id=f"c{n}", name="f", arguments={}) for n in range(calls))
    results = [Message(role="tool", content=result, tool_call_id=call.id) for call in asked]
    start = [Message(role="system", content="s"), Message(role="user", content=said)]
    filling = [Message(role="assistant", content="Yes.")] * (size - len(start) - len(results) - 2)
    return [
        *start,
        Message(role="assistant", tool_calls=asked),
        *results,
        *filling,
        Message(role="assistant", content=last),
    ]


def plan(**changes):
    return {
        "parallel_calls": "yes",
        "length": "short",
        "language": "english",
        "messages": 22,
        "user_turns": 3,
    } | changes


def counted(*conversations):
    counting = Counting(shipped())
    for messages, planned, language in conversations:
        counting.add(messages, planned, language)
    return counting.counted("not asked")


def test_code_counts_what_it_can_tell_beside_what_was_planned():
    found = counted(
        (talk(ENGLISH, calls=2), plan(), "en"),
        (talk(ENGLISH, result='{"error": "no such order"}', last="Which one?", size=40), plan(length="medium"), "de"),
        (talk(GERMAN, size=200), plan(language="text", parallel_calls="no", length="longest"), "de"),
        (talk(ENGLISH), plan(language="text"), "en"),
        (talk(GERMAN), plan(), "fr"),
        (talk(ENGLISH), None, None),
    )
    assert (found.conversations, found.tool_error, found.last_question) == (6, 1, 1)
    assert found.by_code["parallel_calls"] == {
        "yes": Kept(planned=4, realised=1, kept=1),
        "no": Kept(planned=1, realised=5, kept=1),
    }
    assert found.by_code["language"] == {
        "english": Kept(planned=2, realised=3, kept=2),
        "text": Kept(planned=2, realised=2, kept=2),
    }, "German about a French text is neither, and an English text has English as its own"
    assert found.by_code["length"]["longest"] == Kept(planned=1, realised=1, kept=1)
    assert found.means["messages"] == (22.0, 60.0)


def test_a_judge_is_counted_where_its_answer_can_be_read():
    told = {"temper": "calm", "patterns": "false_premise, guidance"}
    first = Found(choices={"temper": "calm", "ending": "recap"}, patterns={"false_premise": 3, "guidance": 0})
    second = Found(
        choices={"temper": "annoyed"},
        patterns={"guidance": 2, "domain_rules": 0},
        unreadable={"ending": "no answer"},
    )
    judged = [
        Judged(trajectory_id="a", planned=told, found=first),
        Judged(trajectory_id="b", planned={"temper": "calm", "patterns": ""}, found=second),
        Judged(trajectory_id="c", planned={}, found=Found(unreadable={"answer": "not JSON"})),
    ]
    found = with_judgements(Realised(conversations=10, tool_error=4), judged, {"model": "m"})
    assert found.options["temper"] == {
        "calm": Kept(planned=2, realised=1, kept=1),
        "annoyed": Kept(planned=0, realised=1, kept=0),
    }
    assert found.options["patterns"]["guidance"] == Kept(planned=1, realised=1, kept=0)
    assert (found.judged, found.answers["ending"], found.answers["temper"]) == (2, 1, 2)
    assert found.unreadable == {"ending": 1, "answer": 1}
    assert found.headlines == {
        "tool_error": Share(count=4, of=10), "recap": Share(count=1, of=1), "premise": Share(count=1, of=2)
    }  # fmt: skip


def test_an_interval_is_wilsons():
    kept = Kept(planned=10, realised=9, kept=8)
    assert kept_words(kept) == "80% (49 to 94 %)"
    assert kept_words(Kept(realised=3)) == "–"


POLICY = """
[diversity]
user_phrase_share = { max = 0.2, action = "review", sample = 100 }
recap_share = { min = 0.25, max = 0.75, action = "halt", sample = 50 }
spread = { min = 0.5, action = "continue" }
"""


def manifest(trajectories=200, recap=25, judged=50, phrase=0.1, spread=0.8):
    realised = Realised(
        conversations=trajectories, options={"ending": {"recap": Kept(realised=recap)}}, answers={"ending": judged}
    )
    found = {"phrases": {"user": {"a b c d": phrase}, "assistant": {}}, "spread": spread, "tools": {"evenness": 0.9}}
    return {"trajectories": trajectories, "diversity": {**found, "realised": realised.model_dump(mode="json")}}


def test_the_gate_names_what_is_too_much_alike_and_ignores_what_too_few_say():
    rules = parse_policy(POLICY, "p")
    assert decide(metrics_of(manifest()), rules).action == "continue"
    wrong = decide(metrics_of(manifest(phrase=0.4)), rules)
    assert (wrong.action, wrong.reason) == (
        "review",
        "user_phrase_share is 0.4, expected at most 0.2 (200 conversations)",
    )
    assert decide(metrics_of(manifest(phrase=0.4, trajectories=99)), rules).action == "continue"
    assert decide(metrics_of(manifest(recap=40)), rules).action == "halt"
    assert decide(metrics_of(manifest(recap=40, judged=49)), rules).action == "continue", "the sample is of the judged"
    assert decide(metrics_of(manifest(spread=0.1)), rules).action == "continue"
    assert decide(metrics_of({"trajectories": 900, "diversity": {}}), rules).action == "continue", "an older version"
