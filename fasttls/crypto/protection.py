"""Record protection for a suite and its secrets (RFC 8446 §5.2, §7.3; RFC 5246 §6.2.3.3)."""

from cryptography.exceptions import InvalidTag

from fasttls.crypto.key_schedule12 import RecordKeys
from fasttls.crypto.suites import Suite
from fasttls.native._kdf import traffic_keys
from fasttls.native._protection import Opener12, Opener13, Sealer12, Sealer13, opener13_later, sealer13_later
from fasttls.native._secret import Secret

# A key is wiped when its Secret goes: at once, where the AEAD has copied it, or with the AEAD that holds it,
# as AESCCM does.


def sealer13(suite: Suite, secret: Secret) -> Sealer13:
    """Return what protects records under a traffic secret."""
    key, iv = traffic_keys(suite.hash_name, secret, suite.key_size)
    return sealer13_later(suite.aead, key, iv, suite.tag_size)


def sealer12(keys: RecordKeys) -> Sealer12:
    """Return what protects records of TLS 1.2."""
    suite = keys.suite
    return Sealer12(suite.aead(keys.key), keys.iv, suite.explicit_nonce, suite.tag_size)


def opener12(keys: RecordKeys) -> Opener12:
    """Return what opens records of TLS 1.2."""
    suite = keys.suite
    return Opener12(suite.aead(keys.key), keys.iv, suite.explicit_nonce, suite.tag_size, InvalidTag)


def opener13(suite: Suite, secret: Secret) -> Opener13:
    """Return what opens records under a traffic secret."""
    key, iv = traffic_keys(suite.hash_name, secret, suite.key_size)
    return opener13_later(suite.aead, key, iv, InvalidTag, suite.tag_size)
