/* HMAC (RFC 2104) over ft_sha2. */
#include "ft_hmac.h"

#include <string.h>

#include "ft_memory.h"

/* Change every byte of a block by a pad, eight at a time. */
static void pad(uint8_t *block, size_t size, uint8_t by) {
    const uint64_t pads = 0x0101010101010101U * by;
    uint64_t eight;

    for (size_t i = 0; i < size; i += sizeof eight) {
        memcpy(&eight, block + i, sizeof eight);
        eight ^= pads;
        memcpy(block + i, &eight, sizeof eight);
    }
}

void ft_hmac_key_init(ft_hmac_key *key, ft_hash_id id, const uint8_t *secret, size_t size) {
    size_t block_size = ft_hash_block_size(id);
    uint8_t block[FT_MAX_BLOCK] = {0};

    if (size > block_size) {
        ft_hash_init(&key->inner, id);
        ft_hash_update(&key->inner, secret, size);
        ft_hash_final(&key->inner, block);
    } else if (size != 0) {
        memcpy(block, secret, size);
    }
    pad(block, block_size, 0x36);
    ft_hash_init(&key->inner, id);
    ft_hash_update(&key->inner, block, block_size);
    pad(block, block_size, 0x36 ^ 0x5c);
    ft_hash_init(&key->outer, id);
    ft_hash_update(&key->outer, block, block_size);
    ft_wipe(block, sizeof block);
}

void ft_hmac_key_wipe(ft_hmac_key *key) {
    ft_wipe(key, sizeof *key);
}

void ft_hmac_begin(ft_hash *running, const ft_hmac_key *key) {
    *running = key->inner;
}

void ft_hmac_finish(ft_hash *running, const ft_hmac_key *key, uint8_t *mac) {
    size_t digest_size = ft_hash_digest_size(key->inner.id);
    uint8_t digest[FT_MAX_DIGEST];

    ft_hash_final(running, digest);
    *running = key->outer;
    ft_hash_update(running, digest, digest_size);
    ft_hash_final(running, mac);
    ft_wipe(digest, sizeof digest);
}

void ft_hmac(ft_hash_id id, const uint8_t *secret, size_t secret_size, const uint8_t *data, size_t size, uint8_t *mac) {
    ft_hmac_key key;
    ft_hash running;

    ft_hmac_key_init(&key, id, secret, secret_size);
    ft_hmac_begin(&running, &key);
    ft_hash_update(&running, data, size);
    ft_hmac_finish(&running, &key, mac);
    ft_hmac_key_wipe(&key);
}
