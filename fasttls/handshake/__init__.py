"""Which message may come next: the state machines of TLS."""
