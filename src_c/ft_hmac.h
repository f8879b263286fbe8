/* HMAC (RFC 2104) whose key is taken in once: the inner and outer states are kept and copied. */
#ifndef FT_HMAC_H
#define FT_HMAC_H

#include "ft_sha2.h"

typedef struct {
    ft_hash inner;
    ft_hash outer;
} ft_hmac_key;

void ft_hmac_key_init(ft_hmac_key *key, ft_hash_id id, const uint8_t *secret, size_t size);
void ft_hmac_key_wipe(ft_hmac_key *key);

/* A MAC in parts: begin with a copy of the key's inner state, ft_hash_update it, then finish. */
void ft_hmac_begin(ft_hash *running, const ft_hmac_key *key);
void ft_hmac_finish(ft_hash *running, const ft_hmac_key *key, uint8_t *mac);

/* The MAC of one piece of data under a secret used once. */
void ft_hmac(ft_hash_id id, const uint8_t *secret, size_t secret_size, const uint8_t *data, size_t size, uint8_t *mac);

#endif
