"""Questions answered before a run: do the models respond, and what will the run cost?"""
