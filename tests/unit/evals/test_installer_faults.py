"""What is said when an installer fails."""

import pytest

from gem_tasks.evals.environment import fault_of

NONE = "ERROR: No matching distribution found for torch==2.13.0"
BROKEN = "WARNING: Retrying (Retry(total=0)) after connection broken by 'NewConnectionError: refused': /simple/torch/"


@pytest.mark.parametrize(
    ("stderr", "said"),
    [
        (f"{BROKEN}\nERROR: Could not find a version\n{NONE}\n", BROKEN),
        (f"ERROR: Could not find a version\n{NONE}", NONE),
        (f"{BROKEN}\nERROR: THESE PACKAGES DO NOT MATCH THE HASHES", "ERROR: THESE PACKAGES DO NOT MATCH THE HASHES"),
        ("", "the installer printed nothing"),
    ],
)
def test_an_index_that_does_not_answer_is_named_instead_of_a_package_that_it_has(stderr, said):
    assert fault_of(stderr) == said
