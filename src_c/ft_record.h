/* Record headers, nonces and TLS 1.3's inner plaintext (RFC 8446 section 5). */
#ifndef FT_RECORD_H
#define FT_RECORD_H

#include <stddef.h>
#include <stdint.h>

#define FT_RECORD_HEADER     5
#define FT_NONCE             12
#define FT_MAX_PLAINTEXT     16384
#define FT_MAX_CIPHERTEXT_13 (FT_MAX_PLAINTEXT + 256)
#define FT_MAX_CIPHERTEXT_12 (FT_MAX_PLAINTEXT + 2048)

/* The five bytes before every record. */
void ft_record_header(uint8_t *out, uint8_t type, uint32_t version, size_t length);

/* The per-record nonce: the sequence number, left-padded, XOR the iv (RFC 8446 section 5.3). */
void ft_record_nonce(uint8_t out[FT_NONCE], const uint8_t iv[FT_NONCE], uint64_t sequence);

/* Where the content of a TLSInnerPlaintext ends: the index of its last non-zero byte, which is the
 * content type, or -1 when there is none. */
ptrdiff_t ft_record_content_end(const uint8_t *inner, size_t size);

#endif
