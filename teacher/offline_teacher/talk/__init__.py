"""The dialogue half of the offline teacher: what `generate`, `refine` and `validate` share."""
