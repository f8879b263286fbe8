from typing import final

from typing_extensions import Buffer

HEADER_SIZE: int
MAX_PLAINTEXT: int

@final
class Deframer:
    max_body: int
    @property
    def waiting(self) -> int: ...
    @property
    def wanted(self) -> int: ...
    def feed(self, data: Buffer) -> None: ...
    def take_header(self, data: Buffer) -> int: ...
    def next(self) -> tuple[bytes, bytes] | None: ...
