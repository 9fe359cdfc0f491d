import pytest

from gem_tasks.plans import MenusError, parse_menus, shipped
from gem_tasks.prompts.contract import LARGEST_BYTES

ONE = 'temper: {calm: {weight: 1, says: "Calm."}}'


def test_a_file_replaces_the_menus_that_it_has_and_keeps_the_others():
    found, ours = parse_menus(ONE), shipped()
    assert list(found.temper) == ["calm"]
    assert found.ending == ours.ending
    assert found.sha256 != ours.sha256


def test_comments_and_order_make_no_other_menus_but_a_weight_does():
    two = 'temper: {calm: {weight: 1, says: "Calm."}, cross: {weight: 2, says: "Cross."}}'
    turned = '# mine\ntemper:\n  cross: {weight: 2, says: "Cross."}\n  calm: {weight: 1.0, says: "Calm."}\n'
    assert parse_menus(two).sha256 == parse_menus(turned).sha256
    assert parse_menus(two.replace("weight: 2", "weight: 3")).sha256 != parse_menus(two).sha256


def test_what_lineage_keeps_is_read_as_the_same_menus():
    for menus in (shipped(), parse_menus(ONE)):
        assert parse_menus(menus.text) == menus


def test_yes_and_no_are_names():
    found = parse_menus('look_alikes: {no: {weight: 1, says: "None."}, yes: {weight: 0, says: "Some."}}')
    assert set(found.look_alikes) == {"no", "yes"}


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("temper: [", "not YAML"),
        ("[1]", "must hold menus by name"),
        ("a: &x 1\nb: *x", "alias"),
        ("mood: {}", "there is no menu 'mood'; there are change_of_mind, "),
        ("temper: {}", "temper: Dictionary should have at least 1 item"),
        ('temper: {calm: {weight: 0, says: "x"}}', "temper: no option has a weight above 0"),
        ('temper: {calm: {weight: -1, says: "x"}}', "temper.calm.weight: Input should be greater than or equal to 0"),
        ('temper: {calm: {weight: .nan, says: "x"}}', "temper.calm.weight: Input should be a finite number"),
        (
            'temper: {calm: {weight: 1, not_with: voice.brisk, says: "x"}}',
            "temper.calm.not_with: Value error, must be a list, such as [voice.brisk]",
        ),
        ("temper: {calm: {weight: 1}}", "temper.calm.says: Field required"),
        ('temper: {calm: {weight: 1, says: ""}}', "temper.calm.says: String should have at least 1 character"),
        ('temper: {calm: {weight: 1, says: "x", share: 2}}', "temper.calm.share: Extra inputs"),
        ('temper: {"Calm, or so": {weight: 1, says: "x"}}', "temper.Calm, or so"),
        ('patterns: {temper: {weight: 1, says: "x"}}', "patterns: 'temper' is the name of a menu; choose another"),
        ("pattern_count: {5: 1}", "pattern_count.5: Input should be less than or equal to 4"),
        (
            "length: {tiny: {weight: 1, messages: [2, 4], user_turns: [2, 2], patterns: 0}}",
            "length.tiny.messages: Value error, must be [from, to] with 10 <= from <= to <= 200",
        ),
        (
            "length: {tiny: {weight: 1, messages: [20, 12], user_turns: [2, 2], patterns: 0}}",
            "length.tiny.messages: Value error, must be [from, to]",
        ),
        (
            "length: {one: {weight: 1, messages: [20, 22], user_turns: [1, 2], patterns: 0}}",
            "length.one.user_turns: Value error, must be [from, to] with 2 <= from",
        ),
        (
            "length: {crowd: {weight: 1, messages: [20, 22], user_turns: [2, 12], patterns: 0}}",
            "12 turns of the user do not fit into 20 messages",
        ),
        ("#" * (LARGEST_BYTES + 1), "menus have at most"),
    ],
)
def test_a_fault_is_named_with_its_place(text, complaint):
    with pytest.raises(MenusError) as raised:
        parse_menus(text)
    assert complaint in str(raised.value)
