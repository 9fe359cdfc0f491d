"""What holds for every test."""

import hypothesis

# The machine may be busy, and a first call may load a model: how long an example takes is not what is tested.
hypothesis.settings.register_profile("gem", deadline=None, print_blob=True)
hypothesis.settings.load_profile("gem")
