/* Record headers, nonces and the inner plaintext of TLS 1.3 (RFC 8446 section 5). */
#include "ft_record.h"

#include "ft_wire.h"

void ft_record_header(uint8_t *out, uint8_t type, uint32_t version, size_t length) {
    out[0] = type;
    ft_store16(out + 1, version);
    ft_store16(out + 3, (uint32_t)length);
}

void ft_record_nonce(uint8_t out[FT_NONCE], const uint8_t iv[FT_NONCE], uint64_t sequence) {
    uint8_t padded[FT_NONCE] = {0};

    ft_store64(padded + FT_NONCE - 8, sequence);
    for (int i = 0; i < FT_NONCE; i++) {
        out[i] = iv[i] ^ padded[i];
    }
}

ptrdiff_t ft_record_content_end(const uint8_t *inner, size_t size) {
    /* How much padding there was shows in the time, as RFC 8446 Appendix E.3 grants; the record was
     * authenticated before this, so a forger learns nothing. */
    while (size != 0) {
        size--;
        if (inner[size] != 0) {
            return (ptrdiff_t)size;
        }
    }
    return -1;
}
