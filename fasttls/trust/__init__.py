"""Which certificate to trust (RFC 5280, RFC 9525)."""
