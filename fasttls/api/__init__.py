"""The standard library's interface over the engine: SSLContext, and what stands behind its sockets."""
