/* P_hash and the PRF of TLS 1.2 (RFC 5246 section 5). */
#include "ft_prf12.h"

#include <string.h>

#include "ft_memory.h"

void ft_prf12(const ft_hmac_key *secret, const uint8_t *label, size_t label_size, const uint8_t *seed, size_t seed_size,
              uint8_t *out, size_t out_size) {
    size_t digest_size = ft_hash_digest_size(secret->inner.id);
    uint8_t a[FT_MAX_DIGEST]; /* A(i) of the RFC; A(0) is label and seed */
    uint8_t block[FT_MAX_DIGEST];
    ft_hash running;

    ft_hmac_begin(&running, secret);
    ft_hash_update(&running, label, label_size);
    ft_hash_update(&running, seed, seed_size);
    ft_hmac_finish(&running, secret, a);
    while (out_size != 0) {
        size_t part = out_size < digest_size ? out_size : digest_size;

        ft_hmac_begin(&running, secret);
        ft_hash_update(&running, a, digest_size);
        ft_hash_update(&running, label, label_size);
        ft_hash_update(&running, seed, seed_size);
        ft_hmac_finish(&running, secret, block);
        memcpy(out, block, part);
        out += part;
        out_size -= part;

        ft_hmac_begin(&running, secret);
        ft_hash_update(&running, a, digest_size);
        ft_hmac_finish(&running, secret, a);
    }
    ft_wipe(a, sizeof a);
    ft_wipe(block, sizeof block);
}
