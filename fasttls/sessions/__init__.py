"""Sessions: what one connection leaves for the next, and the keys of its tickets (RFC 8446 §2.2, RFC 5077)."""
