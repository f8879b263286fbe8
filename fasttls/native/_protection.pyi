from collections.abc import Callable
from typing import Any, NoReturn, Protocol, final

from typing_extensions import Buffer, disjoint_base

from fasttls.native._secret import Secret

class Encrypts(Protocol):
    def encrypt_into(self, nonce: bytes, data: bytes, associated_data: bytes, buf: Any, /) -> int: ...

class Decrypts(Protocol):
    def decrypt_into(self, nonce: bytes, data: Any, associated_data: bytes, buf: Any, /) -> int: ...

@final
class Window: ...

@final
class Later:
    def __init__(self, make: Callable[[Any], Any], key: Secret) -> None: ...
    def __reduce__(self) -> NoReturn: ...

class Numbered:
    @property
    def sequence(self) -> int: ...
    def __reduce__(self) -> NoReturn: ...

class Sealer(Numbered):
    def protect(self, content_type: int, content: Buffer, padding: int) -> bytes: ...
    def seal(self, content_type: int, content: Buffer, padding: int = 0) -> bytes: ...

@disjoint_base
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
    def __init__(self, aead: Encrypts | Later, iv: Secret, tag_size: int = 16) -> None: ...

@final
class Opener13(Opener):
    def __init__(self, aead: Decrypts | Later, iv: Secret, failure: type[Exception], tag_size: int = 16) -> None: ...

def sealer13_later(make: Callable[[Secret], Encrypts], key: Secret, iv: Secret, tag_size: int) -> Sealer13: ...
def opener13_later(
    make: Callable[[Secret], Decrypts], key: Secret, iv: Secret, failure: type[Exception], tag_size: int
) -> Opener13: ...

@final
class Sealer12(Sealer):
    def __init__(self, aead: Encrypts | Later, iv: Secret, explicit: bool, tag_size: int = 16) -> None: ...

@final
class Opener12(Opener):
    def __init__(
        self, aead: Decrypts | Later, iv: Secret, explicit: bool, tag_size: int, failure: type[Exception]
    ) -> None: ...
