"""Goals of tasks: whether steps in a world lead to where the reference of the same variant and seed leads."""
