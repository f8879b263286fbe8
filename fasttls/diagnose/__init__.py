"""Telling a person what a handshake did."""
