"""The fields of a certificate that validation reads, found in its DER (RFC 5280 section 4.1, X.690).

`cryptography` reads keys, and what is rarely asked for; this finds the pieces without making an object of each.
"""

from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_GET_SIZE
from libc.stdint cimport uint8_t

from fasttls.native._der cimport (
    ANY,
    BIT_STRING,
    BOOLEAN,
    CONTEXT_0,
    CONTEXT_1,
    CONTEXT_2,
    CONTEXT_3,
    INTEGER,
    OBJECT_IDENTIFIER,
    OCTET_STRING,
    SEQUENCE,
    SET,
    Span,
    bit_length,
    boolean,
    bytes_of,
    contents_of,
    element,
    end_of,
    is_next,
    raw,
    reader_over,
    small_integer,
    time_of,
    well_formed,
)

# What validation understands or, as OpenSSL's default, may pass over when it is marked critical: keyUsage,
# subjectAltName, basicConstraints, nameConstraints, cRLDistributionPoints, the policies' four, extKeyUsage; nsCertType.
_HANDLED = frozenset([bytes((0x55, 0x1D, last)) for last in (15, 17, 19, 30, 31, 32, 33, 36, 37, 54)])
_HANDLED |= {bytes.fromhex("6086480186f8420101")}


_RSA_KEY = bytes.fromhex("2a864886f70d010101")
_RSA_PSS_KEY = bytes.fromhex("2a864886f70d01010a")

# id-sha1 and id-mgf1, the contents of their DER: what RSASSA-PSS parameters mean where they say nothing.
_SHA1 = bytes.fromhex("2b0e03021a")
_MGF1 = bytes.fromhex("2a864886f70d010108")
_DSA_KEY = bytes.fromhex("2a8648ce380401")
_EC_KEY = bytes.fromhex("2a8648ce3d0201")

# Bits of the named curves that `cryptography` has; any other one counts for nothing.
_CURVES = {
    bytes.fromhex("2a8648ce3d030101"): 192, bytes.fromhex("2b81040021"): 224, bytes.fromhex("2a8648ce3d030107"): 256,
    bytes.fromhex("2b81040022"): 384, bytes.fromhex("2b81040023"): 521, bytes.fromhex("2b8104000a"): 256,
    bytes.fromhex("2b2403030208010107"): 256, bytes.fromhex("2b240303020801010b"): 384,
    bytes.fromhex("2b240303020801010d"): 512,
}


cdef int _key_usage(Span *outer) except -1:
    """The named bits as a mask: digitalSignature is bit 0, decipherOnly bit 8 (RFC 5280 section 4.2.1.3)."""
    cdef Span inner
    cdef int mask = 0
    cdef int i, bits
    element(outer, BIT_STRING, &inner)
    if inner.next == inner.end or inner.next[0] > 7:
        raise ValueError("a BIT STRING that is none")
    bits = <int>(8 * (inner.end - inner.next - 1) - inner.next[0])
    if bits < 0:
        raise ValueError("a BIT STRING that is none")
    for i in range(min(bits, 9)):
        if inner.next[1 + i // 8] & 0x80 >> i % 8:
            mask |= 1 << i
    return mask


cdef tuple _general_name(Span *outer):
    """One GeneralName as a pair of its kind and its bytes (RFC 5280 section 4.2.1.6).

    What they say is not judged here: a name of no good form is one that nothing matches.
    """
    cdef Span inner
    cdef int kind = element(outer, ANY, &inner)
    if kind & 0xC0 != 0x80 or kind & 0x1F > 8:
        raise ValueError("a GeneralName of no kind")
    # otherName, x400Address, directoryName and ediPartyName are structures, the others strings.
    if bool(kind & 0x20) != (kind & 0x1F in (0, 3, 4, 5)):
        raise ValueError("a GeneralName of the wrong form")
    return kind & 0x1F, bytes_of(inner.next, inner.end)


cdef tuple _general_names(Span *outer, int tag):
    """GeneralNames as pairs of the kind and the bytes (RFC 5280 section 4.2.1.6)."""
    cdef Span names
    cdef list listed = []
    element(outer, tag, &names)
    while names.next < names.end:
        listed.append(_general_name(&names))
    return tuple(listed)


cdef class CertificateFields:
    """What stands in a certificate, as it stands there: slices of its DER, and the extensions that paths depend on.

    Times are seconds since the epoch. `fault` says what is malformed in an extension, or is None; a certificate with
    one may be named and sent, not relied on.
    """

    def __init__(self, bytes der not None):
        """Find the fields of der. Raises ValueError when it is not one certificate, whole."""
        cdef Span all_of = reader_over(der)
        cdef Span certificate, tbs, bits
        cdef const uint8_t *start
        element(&all_of, SEQUENCE, &certificate)
        end_of(&all_of)
        self.der = der
        start = certificate.next
        element(&certificate, SEQUENCE, &tbs)
        self.tbs = bytes_of(start, tbs.end)
        self.signature_algorithm = raw(&certificate, SEQUENCE)
        element(&certificate, BIT_STRING, &bits)
        if bits.next == bits.end:
            raise ValueError("a BIT STRING that is none")
        self.unused_bits = bits.next[0]
        self.signature = bytes_of(bits.next + 1, bits.end)
        end_of(&certificate)
        self._read_tbs(&tbs)

    cdef int _read_tbs(self, Span *tbs) except -1:
        cdef Span inner, dates
        self.version = 1
        if is_next(tbs, CONTEXT_0):
            element(tbs, CONTEXT_0, &inner)
            version = small_integer(&inner)
            if version > 2:
                raise ValueError("a certificate of a version that does not exist")
            self.version = 1 + version
        self.serial = contents_of(tbs, INTEGER)
        if raw(tbs, SEQUENCE) != self.signature_algorithm:
            # RFC 5280 section 4.1.1.2: the same algorithm inside and outside of what is signed.
            self.fault = "the algorithm that is signed is not the algorithm of the signature"
        self.issuer_der = raw(tbs, SEQUENCE)
        element(tbs, SEQUENCE, &dates)
        self.not_before = time_of(&dates)
        self.not_after = time_of(&dates)
        end_of(&dates)
        self.subject_der = raw(tbs, SEQUENCE)
        self.issuer = self._name(self.issuer_der)
        self.subject = self.issuer if self.subject_der == self.issuer_der else self._name(self.subject_der)
        self.self_issued = self.subject == self.issuer
        self.spki = raw(tbs, SEQUENCE)
        inner = reader_over(self.spki)
        well_formed(&inner, 0)
        inner = reader_over(self.signature_algorithm)
        well_formed(&inner, 0)
        self._read_key()
        self.key_usage = -1
        self.extension_values = {}
        self.unhandled = ()
        if is_next(tbs, 0x81):
            element(tbs, 0x81, &inner)
        if is_next(tbs, 0x82):
            element(tbs, 0x82, &inner)
        if is_next(tbs, CONTEXT_3):
            element(tbs, CONTEXT_3, &inner)
            try:
                self._read_extensions(&inner)
            except ValueError as exc:
                self.fault = str(exc)
        return end_of(tbs)

    cdef tuple _name(self, bytes der):
        """A name for comparing; one that is malformed is like itself alone."""
        try:
            return canonical_name(der)
        except ValueError as exc:
            self.fault = f"a name that is malformed: {exc}"
            return (der,)

    cdef int _read_key(self) except -1:
        """What kind of key it is and how strong: RSA by its modulus, EC by its curve (RFC 3279, RFC 5480)."""
        cdef Span spki = reader_over(self.spki)
        cdef Span key, algorithm, bits, rsa, modulus
        cdef bytes oid, curve
        cdef const uint8_t *at
        self.key_kind = "other"
        element(&spki, SEQUENCE, &key)
        element(&key, SEQUENCE, &algorithm)
        oid = contents_of(&algorithm, OBJECT_IDENTIFIER)
        if oid == _EC_KEY:
            self.key_kind = "ec"
            if is_next(&algorithm, OBJECT_IDENTIFIER):
                curve = contents_of(&algorithm, OBJECT_IDENTIFIER)
                self.key_bits = _CURVES.get(curve, 0)
            return 0
        if oid == _DSA_KEY:
            self.key_kind = "dsa"
            return 0
        if oid != _RSA_KEY and oid != _RSA_PSS_KEY:
            return 0
        self.key_kind = "rsa" if oid == _RSA_KEY else "rsa-pss"
        if oid == _RSA_PSS_KEY:
            self.pss_parameters = _pss_parameters(&algorithm)
        element(&key, BIT_STRING, &bits)
        if bits.next == bits.end or bits.next[0] != 0:
            raise ValueError("an RSA key that is none")
        bits.next += 1
        element(&bits, SEQUENCE, &rsa)
        element(&rsa, INTEGER, &modulus)
        at = modulus.next
        while at < modulus.end and at[0] == 0:
            at += 1
        if at < modulus.end:
            self.key_bits = <int>(8 * (modulus.end - at - 1)) + bit_length(at[0])
        return 0

    cdef int _read_extensions(self, Span *outer) except -1:
        cdef Span extensions, one, value
        cdef bytes oid
        cdef bint critical
        cdef list unhandled = []
        element(outer, SEQUENCE, &extensions)
        while extensions.next < extensions.end:
            element(&extensions, SEQUENCE, &one)
            oid = contents_of(&one, OBJECT_IDENTIFIER)
            critical = boolean(&one) if is_next(&one, BOOLEAN) else False
            element(&one, OCTET_STRING, &value)
            end_of(&one)
            if oid in self.extension_values:
                raise ValueError("the same extension twice")  # RFC 5280 section 4.2
            self.extension_values[oid] = (critical, bytes_of(value.next, value.end))
            if critical and oid not in _HANDLED:
                unhandled.append(oid)
            if self._read_extension(<const uint8_t *>PyBytes_AS_STRING(oid), PyBytes_GET_SIZE(oid), &value):
                end_of(&value)
        self.unhandled = tuple(unhandled)
        return 0

    cdef int _read_extension(self, const uint8_t *oid, Py_ssize_t size, Span *value) except -1:
        """Read an extension of the arc id-ce that paths depend on; return whether it is one."""
        cdef Span inner
        cdef list uses
        cdef bint with_serial = False
        if size != 3 or oid[0] != 0x55 or oid[1] != 0x1D:
            return 0
        if oid[2] == 19:  # basicConstraints
            element(value, SEQUENCE, &inner)
            self.has_basic_constraints = True
            if is_next(&inner, BOOLEAN):
                self.ca = boolean(&inner)
            if inner.next < inner.end:
                self.path_length = small_integer(&inner)
            end_of(&inner)
        elif oid[2] == 15:  # keyUsage
            self.key_usage = _key_usage(value)
        elif oid[2] == 37:  # extKeyUsage
            uses = []
            element(value, SEQUENCE, &inner)
            while inner.next < inner.end:
                uses.append(contents_of(&inner, OBJECT_IDENTIFIER))
            self.extended_key_usage = tuple(uses)
        elif oid[2] == 17:  # subjectAltName
            self.alternative_names = _general_names(value, SEQUENCE)
        elif oid[2] == 14:  # subjectKeyIdentifier
            self.subject_key_identifier = contents_of(value, OCTET_STRING)
        elif oid[2] == 35:  # authorityKeyIdentifier
            element(value, SEQUENCE, &inner)
            if is_next(&inner, 0x80):
                self.authority_key_identifier = contents_of(&inner, 0x80)
            if is_next(&inner, 0xA1):
                self.authority_issuers = _general_names(&inner, 0xA1)
                with_serial = True
            if is_next(&inner, 0x82):
                self.authority_serial = contents_of(&inner, 0x82)
            if with_serial != (self.authority_serial is not None):
                # RFC 5280 section 4.2.1.1: the issuer and its serial number, or neither.
                raise ValueError("an authority key identifier with half of what names a certificate")
            end_of(&inner)
        else:
            if oid[2] == 31:  # cRLDistributionPoints, which lists of revoked certificates are held to
                inner = value[0]
                well_formed(&inner, 0)
            return 0
        return 1

    @property
    def subject_public_key(self):
        """The bits of the public key, of which key identifiers are digests (RFC 5280 section 4.2.1.2)."""
        cdef Span spki = reader_over(self.spki)
        cdef Span key, bits
        element(&spki, SEQUENCE, &key)
        raw(&key, SEQUENCE)
        element(&key, BIT_STRING, &bits)
        if bits.next == bits.end:
            raise ValueError("a BIT STRING that is none")
        return bytes_of(bits.next + 1, bits.end)

    def __reduce__(self):
        raise TypeError("a certificate's fields cannot be pickled or copied; its DER can")


cdef tuple _pss_parameters(Span *algorithm):
    """The two digests and the salt in bytes of RSASSA-PSS-params (RFC 4055 section 3.1), None where they are absent."""
    cdef Span parameters, one, inner, digest
    cdef bytes hash_oid = _SHA1
    cdef bytes mask_oid = _SHA1
    cdef object salt = 20
    if algorithm.next == algorithm.end:
        return None
    element(algorithm, SEQUENCE, &parameters)
    if is_next(&parameters, CONTEXT_0):
        element(&parameters, CONTEXT_0, &one)
        element(&one, SEQUENCE, &inner)
        hash_oid = contents_of(&inner, OBJECT_IDENTIFIER)
    if is_next(&parameters, CONTEXT_1):
        element(&parameters, CONTEXT_1, &one)
        element(&one, SEQUENCE, &inner)
        if contents_of(&inner, OBJECT_IDENTIFIER) == _MGF1:
            element(&inner, SEQUENCE, &digest)
            mask_oid = contents_of(&digest, OBJECT_IDENTIFIER)
        else:
            mask_oid = b""
    if is_next(&parameters, CONTEXT_2):
        element(&parameters, CONTEXT_2, &one)
        salt = small_integer(&one)
    if is_next(&parameters, CONTEXT_3):
        element(&parameters, CONTEXT_3, &one)
        if small_integer(&one) != 1:
            raise ValueError("RSASSA-PSS parameters with a trailer that is not 1")
    end_of(&parameters)
    return hash_oid, mask_oid, salt


def pss_parameters(bytes algorithm not None):
    """Return what an AlgorithmIdentifier, DER, says of RSASSA-PSS: the object identifiers of the two digests, contents
    of their DER, and the bytes of salt. None for another algorithm, and without parameters. Raises ValueError.
    """
    cdef Span whole = reader_over(algorithm)
    cdef Span inner
    element(&whole, SEQUENCE, &inner)
    return _pss_parameters(&inner) if contents_of(&inner, OBJECT_IDENTIFIER) == _RSA_PSS_KEY else None


def signed_algorithm(bytes der not None):
    """Return the AlgorithmIdentifier, DER, of what is signed as certificates and revocation lists are.

    Raises ValueError for what is not.
    """
    cdef Span whole = reader_over(der)
    cdef Span inner
    element(&whole, SEQUENCE, &inner)
    raw(&inner, SEQUENCE)
    return raw(&inner, SEQUENCE)


def dotted(bytes oid not None):
    """Return an object identifier's contents as its digits, '2.5.29.19' for example. Raises ValueError."""
    cdef list parts = []
    cdef object value = 0
    cdef uint8_t byte = 0x80
    for byte in oid:
        value = value << 7 | byte & 0x7F
        if not byte & 0x80:
            if not parts:
                parts += (min(value // 40, 2), value - 40 * min(value // 40, 2))
            else:
                parts.append(value)
            value = 0
    if byte & 0x80:
        raise ValueError("an object identifier that is cut short")
    return ".".join(map(str, parts))


cdef dict _ENCODINGS = {
    0x0C: "utf-8", 0x12: "latin-1", 0x13: "latin-1", 0x14: "latin-1", 0x16: "latin-1", 0x1A: "latin-1",
    0x1C: "utf-32-be", 0x1E: "utf-16-be",
}


cdef bytes _canonical_text(const uint8_t *at, Py_ssize_t size, int tag):
    """A DirectoryString in one case, with single spaces, whatever its type (RFC 5280 section 7.1)."""
    cdef uint8_t made[256]
    cdef Py_ssize_t i, used = 0
    cdef bint space = False
    if size <= 256 and tag != 0x1C and tag != 0x1E:
        for i in range(size):
            if at[i] & 0x80:
                break
            if at[i] == 32 or 9 <= at[i] <= 13 or 28 <= at[i] <= 31:
                space = used > 0
                continue
            if space:
                made[used] = 32
                used += 1
                space = False
            made[used] = at[i] + 32 if 65 <= at[i] <= 90 else at[i]
            used += 1
        else:
            return bytes_of(made, made + used)
    text = bytes_of(at, at + size).decode(_ENCODINGS[tag])
    return " ".join(text.split()).casefold().encode("utf-8", "surrogatepass")


def text_of(int tag, bytes value not None):
    """Return a string of a tag as text, as far as it can be read; bytes of no string as Latin-1."""
    return value.decode(_ENCODINGS.get(tag, "latin-1"), "replace")


def canonical_name(bytes der not None):
    """Return a Name as a tuple of its RDNs, in which two names that match are equal (RFC 5280 section 7.1).

    Case and runs of white space do not count, nor does the string type; the order of RDNs does. Raises ValueError.
    """
    cdef list rdns = []
    cdef list parts
    cdef bytes oid, value, canonical
    cdef int tag
    for relative in attributes(der):
        parts = []
        for oid, tag, value in relative:
            canonical = value
            if tag in _ENCODINGS:
                canonical = _canonical_text(<const uint8_t *>PyBytes_AS_STRING(value), PyBytes_GET_SIZE(value), tag)
                tag = 0
            parts.append(b"%d %b %d %d %b" % (len(oid), oid, tag, len(canonical), canonical))
        parts.sort()
        rdns.append(b"".join(parts))
    return tuple(rdns)


def elements(bytes contents not None):
    """Return the DER elements that stand one behind the other in contents, as pairs of tag and contents.

    Raises ValueError.
    """
    cdef Span whole = reader_over(contents)
    cdef Span inner
    cdef int tag
    cdef list found = []
    while whole.next < whole.end:
        tag = element(&whole, ANY, &inner)
        found.append((tag, bytes_of(inner.next, inner.end)))
    return found


def attributes(bytes der not None):
    """Return a Name as a tuple of its RDNs, each a tuple of (object identifier, tag, value): contents of their DER.

    Raises ValueError.
    """
    cdef Span whole = reader_over(der)
    cdef Span name, rdn, part, value
    cdef list rdns = []
    cdef list parts
    cdef bytes oid
    cdef int tag
    element(&whole, SEQUENCE, &name)
    end_of(&whole)
    while name.next < name.end:
        element(&name, SET, &rdn)
        parts = []
        while rdn.next < rdn.end:
            element(&rdn, SEQUENCE, &part)
            oid = contents_of(&part, OBJECT_IDENTIFIER)
            tag = element(&part, ANY, &value)
            end_of(&part)
            parts.append((oid, tag, bytes_of(value.next, value.end)))
        rdns.append(tuple(parts))
    return tuple(rdns)


def small_integers(bytes der not None):
    """Return a SEQUENCE of non-negative INTEGERs, as TLS features are (RFC 7633 section 4). Raises ValueError."""
    cdef Span whole = reader_over(der)
    cdef Span inner
    cdef list found = []
    element(&whole, SEQUENCE, &inner)
    end_of(&whole)
    while inner.next < inner.end:
        found.append(small_integer(&inner))
    return tuple(found)
