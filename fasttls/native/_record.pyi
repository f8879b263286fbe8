from typing import NoReturn, Protocol, final

from typing_extensions import Buffer

from fasttls.native._secret import Secret

HEADER_SIZE: int
MAX_PLAINTEXT: int

class Encrypts(Protocol):
    def encrypt(self, nonce: bytes, data: bytes, associated_data: bytes, /) -> bytes: ...

class Decrypts(Protocol):
    def decrypt(self, nonce: bytes, data: bytes, associated_data: bytes, /) -> bytes: ...

@final
class Deframer:
    max_body: int
    @property
    def waiting(self) -> int: ...
    @property
    def wanted(self) -> int: ...
    def peek(self, size: int) -> bytes: ...
    def feed(self, data: Buffer) -> None: ...
    def next(self) -> tuple[bytes, bytes] | None: ...

class Numbered:
    @property
    def sequence(self) -> int: ...
    def __reduce__(self) -> NoReturn: ...

class Sealer(Numbered):
    def seal(self, content_type: int, content: Buffer, padding: int = 0) -> bytes: ...

class Opener(Numbered):
    @property
    def max_body(self) -> int: ...
    @property
    def hides_type(self) -> bool: ...
    def open(self, header: bytes, body: bytes) -> tuple[int, bytes]: ...

@final
class PlainSealer(Sealer):
    version: int
    def __init__(self, version: int = 0x0303) -> None: ...

@final
class PlainOpener(Opener): ...

@final
class Sealer13(Sealer):
    def __init__(self, aead: Encrypts, iv: Secret, tag_size: int = 16) -> None: ...

@final
class Opener13(Opener):
    def __init__(self, aead: Decrypts, iv: Secret, failure: type[Exception]) -> None: ...

@final
class Sealer12(Sealer):
    def __init__(self, aead: Encrypts, iv: Secret, explicit: bool, tag_size: int = 16) -> None: ...

@final
class Opener12(Opener):
    def __init__(self, aead: Decrypts, iv: Secret, explicit: bool, tag_size: int, failure: type[Exception]) -> None: ...
