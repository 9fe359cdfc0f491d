"""A model with a few thousand parameters, and a training that takes seconds."""

SHAPE = {
    "hidden": 32, "feed_forward": 64, "layers": 1, "heads": 2, "key_value_heads": 1, "head_size": 16,
    "vocabulary": 1024, "max_positions": 4096,
}  # fmt: skip
SFT = {
    "max_length": 2048, "max_steps": 60, "save_steps": 10, "logging_steps": 1, "learning_rate": 1e-3,
    "per_device_train_batch_size": 1, "bf16": False, "use_cpu": True, "activation_checkpointing": False,
}  # fmt: skip
