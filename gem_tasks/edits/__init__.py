"""People change single trajectories: veto, edit, comment, and take back; also in the files of annotation tools.

| module | answers |
|---|---|
| `subject` | which conversation is this, and what do people see of it? |
| `reading` | which messages does this text describe? |
| `form` | how is a conversation written for an editor? |
| `findings` | what do the checks say about an edit? |
| `make` | records a change |
| `tools` | writes the files of annotation tools |
| `answers` | reads what annotation tools export |
| `importing` | turns these answers into changes and ratings |
"""
