"""What `import gem_tasks` offers, and what it loads."""

import subprocess
import sys

import gem_tasks
from gem_tasks.notebook import check


def test_all_is_what_is_documented_and_every_name_is_there():
    assert gem_tasks.__all__ == ["Settings", "check", "export", "load", "synthesize"]
    for name in gem_tasks.__all__:
        assert getattr(gem_tasks, name).__doc__, name
        assert name in dir(gem_tasks)
    assert not hasattr(gem_tasks, "nothing")


def test_importing_the_package_loads_nothing_else():
    code = "import sys, gem_tasks; print([name for name in sys.modules if name.startswith('gem_tasks.')])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_check_says_what_is_wrong_with_each_row():
    tools = [{"type": "function", "function": {"name": "find", "parameters": {"type": "object", "properties": {}}}}]
    call = {"id": "c1", "type": "function", "function": {"name": "lose", "arguments": "{}"}}
    messages = [
        {"role": "user", "content": "Find it."},
        {"role": "assistant", "content": None, "tool_calls": [call]},
        {"role": "tool", "tool_call_id": "c1", "content": "{}"},
        {"role": "assistant", "content": "Done."},
    ]
    bad, unreadable = check([{"messages": messages, "tools": tools}, {"nothing": 1}])
    assert bad.format == "openai"
    assert bad.worst() == "error"
    assert any("lose" in finding.detail for finding in bad.findings)
    assert [finding.check for finding in unreadable.findings] == ["format"]
