"""The wire: code points, alerts, messages and extensions."""
