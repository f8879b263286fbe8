"""The cryptography of the protocol, as tables and stages over the `cryptography` package."""
