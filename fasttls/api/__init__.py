"""The standard library's interface over the engine."""
