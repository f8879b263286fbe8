"""What a handler does to the outside: an ordered list of effects.

Handlers never write to a connection. They append to a Flight, in wire order; whoever drives the
machine applies the effects one after another.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from fasttls.crypto.key_schedule12 import RecordKeys
    from fasttls.crypto.suites import Suite
    from fasttls.events import Event
    from fasttls.handshake.config import Config
    from fasttls.native._hash import Transcript
    from fasttls.native._secret import Secret
    from fasttls.wire.messages import Message


class Epoch(Enum):
    """The keys that protect a part of the connection (RFC 8446 §7.3)."""

    EARLY = "early"
    HANDSHAKE = "handshake"
    APPLICATION = "application"


@dataclass(frozen=True)
class Send:
    """Write one handshake message, header included."""

    message: bytes


@dataclass(frozen=True)
class SendChangeCipherSpec:
    """Write ChangeCipherSpec: TLS 1.2's, or the one for middleboxes (RFC 8446 Appendix D.4)."""


@dataclass(frozen=True)
class ReadWith:
    """From the next record on, read with these keys."""

    epoch: Epoch
    suite: Suite
    secret: Secret


@dataclass(frozen=True)
class WriteWith:
    """From the next record on, write with these keys."""

    epoch: Epoch
    suite: Suite
    secret: Secret


@dataclass(frozen=True)
class ReadWith12:
    """From the next record on, read with these keys of TLS 1.2."""

    keys: RecordKeys


@dataclass(frozen=True)
class WriteWith12:
    """From the next record on, write with these keys of TLS 1.2."""

    keys: RecordKeys


@dataclass(frozen=True)
class WritePlain:
    """From the next record on, write in the clear again: a second ClientHello after early data."""


@dataclass(frozen=True)
class OfferEarlyData:
    """Let the caller send so many bytes of early data; 0 takes that back."""

    size: int  # bytes


@dataclass(frozen=True)
class TakeEarlyData:
    """Take application data before the handshake is complete, at most so many bytes."""

    size: int  # bytes


@dataclass(frozen=True)
class AnswerKeyUpdate:
    """Update this side's keys too, before application data is sent next (RFC 8446 §4.6.3)."""


@dataclass(frozen=True)
class SendWarning:
    """Write an alert that does not end the connection."""

    description: int


@dataclass(frozen=True)
class Emit:
    """Tell the caller."""

    event: Event


@dataclass(frozen=True)
class LogSecret:
    """Give a secret to the key log, if there is one."""

    label: str
    client_random: bytes
    secret: Secret


@dataclass(frozen=True)
class SelectConfig:
    """Go on with another configuration than the connection began with: a server's choice."""

    config: Config


@dataclass(frozen=True)
class SkipEarlyData:
    """Pass over early data that was refused, at most this many bytes.

    by_type says that every application_data record is early data, as it is before the second
    ClientHello; else the ones that do not decrypt are (RFC 8446 §4.2.10).
    """

    size: int  # bytes
    by_type: bool


Effect = (
    Send
    | SendChangeCipherSpec
    | SendWarning
    | AnswerKeyUpdate
    | ReadWith
    | WriteWith
    | WritePlain
    | OfferEarlyData
    | TakeEarlyData
    | ReadWith12
    | WriteWith12
    | Emit
    | LogSecret
    | SelectConfig
    | SkipEarlyData
)


class Flight:
    """The effects of one step, and the transcript that messages are added to as they are sent.

    Secrets are among the effects only where somebody logs them.
    """

    def __init__(self, transcript: Transcript, logs_secrets: bool = True) -> None:
        self.transcript = transcript
        self._logs_secrets = logs_secrets
        self.effects: list[Effect] = []
        self.received = b""
        """The message that is answered, header included."""

        self.changes_reading = False
        """Whether what the peer sends next comes with other keys."""

    def send(self, message: Message) -> None:
        """Send a handshake message, and add it to the transcript."""
        encoded = message.encode()
        self.transcript.add(encoded)
        self.effects.append(Send(encoded))

    def send_untracked(self, message: Message) -> None:
        """Send a message that is no part of the transcript: those after the handshake."""
        self.effects.append(Send(message.encode()))

    def send_change_cipher_spec(self) -> None:
        """Send a ChangeCipherSpec record."""
        self.effects.append(SendChangeCipherSpec())

    def read_with(self, epoch: Epoch, suite: Suite, secret: Secret) -> None:
        """Change the keys for reading."""
        self.changes_reading = True
        self.effects.append(ReadWith(epoch, suite, secret))

    def write_with(self, epoch: Epoch, suite: Suite, secret: Secret) -> None:
        """Change the keys for writing."""
        self.effects.append(WriteWith(epoch, suite, secret))

    def read_with12(self, keys: RecordKeys) -> None:
        """Change the keys for reading, in TLS 1.2."""
        self.effects.append(ReadWith12(keys))

    def write_with12(self, keys: RecordKeys) -> None:
        """Change the keys for writing, in TLS 1.2."""
        self.effects.append(WriteWith12(keys))

    def write_plain(self) -> None:
        """Write in the clear again."""
        self.effects.append(WritePlain())

    def offer_early_data(self, size: int) -> None:
        """Let the caller send early data, at most size bytes."""
        self.effects.append(OfferEarlyData(size))

    def take_early_data(self, size: int) -> None:
        """Take early data, at most size bytes."""
        self.effects.append(TakeEarlyData(size))

    def answer_key_update(self) -> None:
        """Answer the peer's request for new keys."""
        self.effects.append(AnswerKeyUpdate())

    def warn(self, description: int) -> None:
        """Send a warning alert."""
        self.effects.append(SendWarning(description))

    def emit(self, event: Event) -> None:
        """Tell the caller of something."""
        self.effects.append(Emit(event))

    def log_secret(self, label: str, client_random: bytes, secret: Secret) -> None:
        """Give a secret to the key log."""
        if self._logs_secrets:
            self.effects.append(LogSecret(label, client_random, secret))

    def select_config(self, config: Config) -> None:
        """Go on with another configuration."""
        self.effects.append(SelectConfig(config))

    def skip_early_data(self, size: int, *, by_type: bool) -> None:
        """Pass over refused early data, at most size bytes."""
        self.effects.append(SkipEarlyData(size, by_type))
