"""What holds today, with room for a busy machine: the ratios to `ssl` that no change may pass.

They are not the goals, which stand in the report. A goal that is met becomes a guard, with some room.
"""

GUARDS: dict[tuple[str, str], float] = {
    ("full 1.3, P-256, X25519", "fasttls, warm"): 1.0,
    ("full 1.2, P-256, X25519", "fasttls, warm"): 1.2,
    ("full 1.3, RSA-2048, X25519", "fasttls, warm"): 1.25,
    ("full 1.2, RSA-2048, X25519", "fasttls, warm"): 1.3,
    ("mutual 1.3, P-256, X25519", "fasttls, warm"): 0.75,
    ("full 1.3, P-256, X25519MLKEM768", "fasttls, warm"): 1.35,
    ("resumption 1.3", "fasttls"): 1.4,
    ("resumption 1.2", "fasttls"): 1.6,
    ("bulk 16 KiB, both ways", "fasttls"): 2.5,
    ("64-byte ping-pong", "fasttls"): 5.0,
}
FIRST_CONTEXT, NEXT_CONTEXT = 0.4, 0.03
FIRST_HANDSHAKE = 4.0
IDLE_KIB = 11.0
