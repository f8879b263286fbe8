"""The compiled core: wire codec, secrets, hashes, key derivation, Finished and records."""
