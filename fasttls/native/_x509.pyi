class CertificateFields:
    der: bytes
    tbs: bytes
    serial: bytes
    issuer_der: bytes
    subject_der: bytes
    issuer: tuple[bytes, ...]
    subject: tuple[bytes, ...]
    self_issued: bool
    spki: bytes
    key_kind: str
    key_bits: int
    pss_parameters: tuple[bytes, bytes, int] | None
    signature_algorithm: bytes
    signature: bytes
    not_before: float
    not_after: float
    version: int
    unused_bits: int
    extension_values: dict[bytes, tuple[bool, bytes]]
    unhandled: tuple[bytes, ...]
    fault: str | None
    has_basic_constraints: bool
    ca: bool
    path_length: int | None
    key_usage: int
    extended_key_usage: tuple[bytes, ...] | None
    alternative_names: tuple[tuple[int, bytes], ...] | None
    subject_key_identifier: bytes | None
    authority_key_identifier: bytes | None
    authority_serial: bytes | None
    authority_issuers: tuple[tuple[int, bytes], ...] | None

    def __init__(self, der: bytes) -> None: ...
    @property
    def subject_public_key(self) -> bytes: ...

def pss_parameters(algorithm: bytes) -> tuple[bytes, bytes, int] | None: ...
def signed_algorithm(der: bytes) -> bytes: ...
def dotted(oid: bytes) -> str: ...
def text_of(tag: int, value: bytes) -> str: ...
def canonical_name(der: bytes) -> tuple[bytes, ...]: ...
def elements(contents: bytes) -> list[tuple[int, bytes]]: ...
def attributes(der: bytes) -> tuple[tuple[tuple[bytes, int, bytes], ...], ...]: ...
def small_integers(der: bytes) -> tuple[int, ...]: ...
