"""Calls of a model are names with literals, whatever it writes; nothing of it is evaluated."""

import importlib.util
import sys

import pytest

from gem_tasks.resources import shipped

specification = importlib.util.spec_from_file_location("calls", shipped("envs") / "bfcl" / "calls.py")
calls = importlib.util.module_from_spec(specification)
specification.loader.exec_module(calls)

EVIL = "__import__('os').system('touch PWNED')"
HOSTILE = [
    f"{EVIL}()",
    "open('PWNED', 'w').write('x') or str()",
    f"files.cd(folder={EVIL})",
    f"files.cd({EVIL})",
    f"files.cd(*[{EVIL}])",
    f"files.cd(**{{'folder': {EVIL}}})",
    f"files.cd(folder=[{EVIL}])",
    f"files.cd(folder={{'a': {EVIL}}})",
    f"files.cd(folder=f'{{{EVIL}}}')",
    f"files.cd(folder=lambda: {EVIL})",
    f"files.cd(folder=[x for x in [{EVIL}]])",
    f"(lambda: {EVIL})()",
    f"files.cd(folder='a') or {EVIL}",
    f"files.cd(folder='a', folder={EVIL})",
    f"(x := {EVIL})",
    f"[{EVIL}][0]()",
    "files.__class__.__init__(a=1)",
    "files.__init__()",
    "files._private()",
    "files.cd.__globals__['x']()",
    "files.attribute()",
    "exec(source='x')",
    "open(file='PWNED', mode='w')",
    "print(file='x')",
    "copy.deepcopy(x=1)",
    "other.cd(folder='a')",
    "files.cd(folder=open)",
    "files.cd(folder=2**99999)",
    "files.cd(folder='a'.join(['b']))",
    "files.cd(folder=1 if True else 2)",
    "files",
    "",
    "import os",
    "files.cd(folder='a'); import os",
    "(" * 5000,
    "files.cd(folder='" + "a" * 200_000 + "')",
    "await files.cd(folder='a')",
    "files.cd(folder='\0')",
    "files.cd(folder=0x" + "f" * 50_000 + ")",
    "files.cd(folder=1e999)",
    "files.cd(folder={1, 2})",
    "files.cd(folder={(1, 2): 3})",
    "files.cd(folder=b'a')",
    "files.cd(folder=...)",
    "files.cd(folder=1j)",
    "files.＿＿init＿＿()",
    "ｆiles.__class__()",
    "files.cd(folder=f'a')",
    "files.cd(folder={**{'a': 1}})",
    "files.cd(folder=(yield))",
    "files.cd(x for x in [1])",
]


class Files:
    """In place of one of BFCL's classes."""

    def __init__(self):
        self.been = []
        self.attribute = lambda: self.been.append("attribute")

    def cd(self, folder=None, depth=0, **more):
        self.been.append((folder, depth, more))
        return {"folder": folder}

    def _private(self):
        self.been.append("private")


@pytest.fixture
def files():
    return Files()


@pytest.fixture
def call(files):
    return calls.caller({"files": files, "other": object(), "copy": sys}, lambda found: isinstance(found, Files))


@pytest.mark.parametrize("text", HOSTILE, ids=[text[:40] for text in HOSTILE])
def test_anything_else_is_an_invalid_call_and_changes_nothing(call, files, tmp_path, monkeypatch, text):
    monkeypatch.chdir(tmp_path)
    with pytest.raises((calls.InvalidCall, NameError)):
        call(text)
    assert not (tmp_path / "PWNED").exists()
    assert files.been == []


@pytest.mark.parametrize(
    ("text", "carried_out"),
    [
        ("files.cd(folder='a')", ("a", 0, {})),
        ("files.cd('a',2)", ("a", 2, {})),
        ("files.cd(folder=['a', {'b': None}, (1, -2.5)],depth=-1)", (["a", {"b": None}, (1, -2.5)], -1, {})),
        ('files.cd(folder="it\'s; import os\\n",x=True)', ("it's; import os\n", 0, {"x": True})),
    ],
)
def test_a_call_with_literals_is_carried_out(call, files, text, carried_out):
    assert call(text) == {"folder": carried_out[0]}
    assert files.been == [carried_out]


def test_arithmetic_of_a_model_is_not_computed():
    import ast

    for text in (f"1 + {EVIL}", "9 ** 9 ** 9", "2 * 3"):
        with pytest.raises(calls.InvalidCall):
            calls.literal(ast.unparse(ast.parse(text, mode="eval").body))
