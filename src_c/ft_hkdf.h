/* HKDF (RFC 5869) and TLS 1.3's labelled form of it (RFC 8446 section 7.1). */
#ifndef FT_HKDF_H
#define FT_HKDF_H

#include "ft_hmac.h"

/* The longest HkdfLabel: a 2-byte length, and a label and a context of at most 255 bytes each,
 * with a length byte before either. */
#define FT_MAX_HKDF_LABEL (2 + 1 + 255 + 1 + 255)

/* Write one digest: HKDF-Extract(salt, input). */
void ft_hkdf_extract(const ft_hmac_key *salt, const uint8_t *input, size_t input_size, uint8_t *out);

/* HKDF-Expand under a secret whose HMAC states are kept. 0, or -1 when out_size is over 255 digests. */
int ft_hkdf_expand(const ft_hmac_key *secret, const uint8_t *info, size_t info_size, uint8_t *out, size_t out_size);

/* HKDF-Expand-Label, label without its "tls13 " prefix. 0, or -1 when a length does not fit. */
int ft_hkdf_expand_label(const ft_hmac_key *secret, const char *label, size_t label_size, const uint8_t *context,
                         size_t context_size, uint8_t *out, size_t out_size);

#endif
