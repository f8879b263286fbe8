/* The pseudorandom function of TLS 1.2 (RFC 5246 section 5). */
#ifndef FT_PRF12_H
#define FT_PRF12_H

#include "ft_hmac.h"

/* PRF(secret, label, seed), out_size bytes of it, under a secret whose HMAC states are kept. */
void ft_prf12(const ft_hmac_key *secret, const uint8_t *label, size_t label_size, const uint8_t *seed, size_t seed_size,
              uint8_t *out, size_t out_size);

#endif
