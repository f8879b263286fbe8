"""What a context offers and chooses from: suites, groups, signature schemes, application protocols."""

from __future__ import annotations

import os
import ssl

from fasttls.api.later import later

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any

    from typing_extensions import Buffer

    from fasttls.api.keyfile import Path
    from fasttls.handshake.config import Config

# OpenSSL's security level for RSA of 2048 bits and more, and the highest that there is here.
SECURITY_LEVEL = 2

# The tables are imported when a context is set up by them, or connects: programs make contexts that they never use.


def _suites13() -> tuple[int, ...]:
    from fasttls.crypto.suites import DEFAULT_SUITES13

    return DEFAULT_SUITES13


def _suites12() -> tuple[int, ...]:
    from fasttls.crypto.suites12 import DEFAULT_SUITES12

    return DEFAULT_SUITES12


def _groups() -> tuple[int, ...]:
    from fasttls.crypto.groups import DEFAULT_GROUPS

    return DEFAULT_GROUPS


def _key_shares() -> tuple[int, ...]:
    from fasttls.crypto.groups import DEFAULT_KEY_SHARES

    return DEFAULT_KEY_SHARES


class Offers:
    """The part of SSLContext that is about algorithms."""

    _alpn: tuple[bytes, ...] = ()
    _suites: tuple[int, ...] = later(_suites13)
    _suites12: tuple[int, ...] = later(_suites12)
    _groups: tuple[int, ...] = later(_groups)
    _key_shares: tuple[int, ...] = later(_key_shares)
    _dhe_groups: tuple[int, ...] | None = None
    _client_schemes: tuple[int, ...] | None = None
    _server_schemes: tuple[int, ...] | None = None
    _level = SECURITY_LEVEL

    def _config(self) -> Config:
        raise NotImplementedError

    def set_ciphers(self, ciphers: str, /) -> None:
        """Set the suites of TLS 1.2, by an OpenSSL cipher string; those of TLS 1.3 stay, as in OpenSSL.

        OpenSSL parses the string, and what fasttls speaks of it counts. Raises ssl.SSLError for a string that
        selects nothing.
        """
        if not isinstance(ciphers, str):
            raise TypeError(f"set_ciphers() argument must be str, not {type(ciphers).__name__}")
        import re

        from fasttls.api.errors import ssl_error
        from fasttls.crypto.suites import SUITES
        from fasttls.crypto.suites12 import SUITES12

        levels = [int(level) for level in re.findall(r"@SECLEVEL=(\d+)", ciphers)]
        if any(level > SECURITY_LEVEL for level in levels):
            raise NotImplementedError(f"a security level above {SECURITY_LEVEL} is not supported: {ciphers!r}")
        super().set_ciphers(ciphers)  # type: ignore[misc]
        selected = [cipher["id"] & 0xFFFF for cipher in super().get_ciphers()]  # type: ignore[misc]
        chosen = tuple(code for code in selected if code in SUITES12)
        if not chosen and any(code not in SUITES for code in selected):
            raise ssl_error("NO_CIPHER_MATCH", f"no cipher match: {ciphers!r} selects only suites that are not AEADs")
        self._suites12 = chosen
        if levels:
            self._level = levels[-1]

    def set_ciphersuites(self, ciphersuites: str, /) -> None:
        """Set the suites of TLS 1.3, in order of preference: IANA names with colons between.

        Raises ssl.SSLError for a name that is not known.
        """
        from fasttls.api.errors import ssl_error
        from fasttls.crypto.suites import SUITES
        from fasttls.wire.iana import CipherSuite

        chosen: list[int] = []
        for name in filter(None, ciphersuites.split(":")):
            code = CipherSuite.__members__.get(name)
            if code is None or code not in SUITES:
                raise ssl_error("NO_CIPHER_MATCH", f"no cipher match: {name!r}")
            if code not in chosen:
                chosen.append(code)
        if not chosen:
            raise ssl_error("NO_CIPHER_MATCH", "no cipher match: the list is empty")
        self._suites = tuple(chosen)

    def get_ciphers(self) -> list[dict[str, Any]]:
        """Return the suites that are set, those of TLS 1.3 first, whatever versions are spoken."""
        from fasttls.api.ciphers import cipher_dict

        return [cipher_dict(code) for code in (*self._suites, *self._suites12)]

    def set_groups(self, groups: str, /) -> None:
        """Set the key exchange groups, in order of preference: OpenSSL's names with colons between.

        A `*` before a name asks a client to send a share for it; without any, it sends one for the
        first group, and for X25519 too when that is X25519MLKEM768 and X25519 is listed. A `?` lets
        a name be unknown. Raises ssl.SSLError for another one that is not known.
        """
        from fasttls.api.errors import ssl_error
        from fasttls.crypto.groups import group_by_name
        from fasttls.wire.iana import NamedGroup

        chosen: list[int] = []
        shares: list[int] = []
        for part in filter(None, groups.replace("/", ":").split(":")):
            name = part.lstrip("*?")
            marks = part[: len(part) - len(name)]
            group = group_by_name(name)
            if group is None:
                if "?" in marks:
                    continue
                raise ssl_error("UNKNOWN_GROUP", f"unknown group: {name!r}")
            if group.code not in chosen:
                chosen.append(group.code)
            if "*" in marks and group.code not in shares:
                shares.append(group.code)
        if not chosen:
            raise ssl_error("UNKNOWN_GROUP", "unknown group: the list is empty")
        if not shares:
            shares = chosen[:1]
            if shares == [NamedGroup.X25519MLKEM768] and NamedGroup.X25519 in chosen:
                shares.append(NamedGroup.X25519)
        self._groups, self._key_shares = tuple(chosen), tuple(shares)

    def get_groups(self, *, include_aliases: bool = False) -> list[str]:
        """Return the names of the groups that a connection may use, the preferred first."""
        from fasttls.crypto.groups import GROUPS

        names = [GROUPS[code].names for code in self._groups]
        return [name for group in names for name in (group if include_aliases else group[:1])]

    def set_ecdh_curve(self, name: str | bytes, /) -> None:
        """Set the one group to use. Raises ValueError for a name that is not known."""
        from fasttls.crypto.groups import group_by_name

        group = group_by_name(os.fsdecode(name))
        if group is None:
            raise ValueError(f"unknown elliptic curve name {name!r}")
        self._groups = self._key_shares = (group.code,)

    def set_alpn_protocols(self, alpn_protocols: Iterable[str]) -> None:
        """Set the application protocols, in order of preference. Raises ssl.SSLError for a name over 255 bytes."""
        names = tuple(name.encode("ascii") for name in alpn_protocols)
        if any(not 1 <= len(name) <= 255 for name in names):
            raise ssl.SSLError("ALPN protocols must be 1 to 255 in length")
        self._alpn = names

    def _set_alpn_protocols(self, protocols: Buffer, /) -> None:
        """Set them by what the extension has on the wire, as the base class does."""
        data, names = bytes(protocols), []
        while data:
            size = data[0]
            names.append(data[1 : 1 + size].decode("ascii"))
            data = data[1 + size :]
        self.set_alpn_protocols(names)

    def set_client_sigalgs(self, sigalgs: str, /) -> None:
        """Set what a client may sign with to authenticate itself (Python 3.15): OpenSSL's names with colons between.

        On a client it is what it signs with itself, on a server what it asks for. Raises ssl.SSLError for a name
        that is not known.
        """
        from fasttls.api.sigalgs import schemes_of

        self._client_schemes = schemes_of(sigalgs, "client")

    def set_server_sigalgs(self, sigalgs: str, /) -> None:
        """Set what a server may sign its handshake with (Python 3.15), in the same form.

        On a client it is what it asks for, and takes in certificates too; on a server what it signs with itself.
        """
        from fasttls.api.sigalgs import schemes_of

        self._server_schemes = schemes_of(sigalgs, "server")

    def load_dh_params(self, path: Path, /) -> None:
        """Set the group for DHE suites on a server, by a file of parameters.

        They must be those of RFC 7919, or of RFC 3526, which stand for RFC 7919's of the same size. Raises
        ssl.SSLError for others, and for a file without any.
        """
        from fasttls.api.dhparams import dh_groups  # `cryptography` warns of such groups when they are imported

        os.fsencode(path)  # raises TypeError for what is no path, a file descriptor among that
        self._dhe_groups = dh_groups(path)
