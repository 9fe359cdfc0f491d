"""Whether a chat template can hold a conversation with tools, and in which form it wants arguments."""

import importlib.util

import jinja2
import pytest

from gem_tasks.resources import shipped

spec = importlib.util.spec_from_file_location("targets", shipped("envs") / "train" / "targets.py")
targets = importlib.util.module_from_spec(spec)
spec.loader.exec_module(targets)

TURNS = "{{ tools | tojson }}{% for m in messages %}<{{ m.role }}>{{ m.content }}{{ CALLS }}{% endfor %}"


def render(calls):
    """A renderer of a template with this way to write a message's calls, `c.function` each."""
    loop = "{% for c in m.tool_calls or [] %}" + calls + "{% endfor %}"
    template = jinja2.Environment(undefined=jinja2.StrictUndefined).from_string(TURNS.replace("{{ CALLS }}", loop))

    def rendered(messages, tools):
        filled = [{"tool_calls": None, **message} for message in messages]
        return template.render(messages=filled, tools=tools)

    return rendered


@pytest.mark.parametrize(
    ("calls", "form"),
    [
        ('<tool_call>{"name": "{{ c.function.name }}", "arguments": {{ c.function.arguments | tojson }}}', "object"),
        ("{{ c.function.name }}{% for k, v in c.function.arguments.items() %}<{{ k }}>{{ v }}{% endfor %}", "object"),
        ("{% set a = c.function.arguments %}{{ c.function.name }}{{ a if a is string else a | tojson }}", "object"),
        ("{{ c.function.name + '<sep>' + c.function.arguments }}", "text"),
    ],
    ids=["Hermes, Llama 3", "GLM", "Qwen3", "DeepSeek-V3.1"],
)  # fmt: skip
def test_the_form_is_the_one_in_which_arguments_are_written_once(calls, form):
    assert targets.form_of(render(calls)) == (form, "")


def test_what_a_template_leaves_out_or_refuses_is_named():
    assert targets.form_of(render("")) == (None, "it leaves out the arguments of calls")
    assert targets.form_of(render("{{ c.function.name }}")) == (None, "it leaves out the arguments of calls")
    form, why = targets.form_of(render("{{ c.nothing.here }}"))
    assert form is None
    assert why.startswith("it refuses a conversation with tools: ")


def test_text_beside_a_call_that_is_left_out_is_seen():
    whole = render("{{ c.function.name }}{{ c.function.arguments | tojson }}")
    assert not targets.drops_text(whole, "object")
    assert targets.drops_text(lambda messages, tools: whole(messages, tools).replace("mark7", ""), "object")
