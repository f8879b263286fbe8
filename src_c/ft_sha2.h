/* SHA-256, SHA-384 and SHA-512 (FIPS 180-4) with states that are copied by assignment. */
#ifndef FT_SHA2_H
#define FT_SHA2_H

#include <stddef.h>
#include <stdint.h>

#define FT_MAX_DIGEST 64
#define FT_MAX_BLOCK  128

typedef enum { FT_SHA256 = 0, FT_SHA384 = 1, FT_SHA512 = 2 } ft_hash_id;

typedef struct {
    union {
        uint32_t h32[8];
        uint64_t h64[8];
    } state;
    uint64_t total; /* bytes taken so far; FIPS 180-4 allows more, TLS never comes near */
    uint32_t used;  /* bytes waiting in block */
    ft_hash_id id;
    uint8_t block[FT_MAX_BLOCK];
} ft_hash;

/* Choose the fastest compression functions for this processor. Call it once, before any thread
 * hashes; without it everything works, with the portable ones. */
void ft_sha2_select(void);

size_t ft_hash_digest_size(ft_hash_id id);
size_t ft_hash_block_size(ft_hash_id id);

void ft_hash_init(ft_hash *hash, ft_hash_id id);
void ft_hash_update(ft_hash *hash, const uint8_t *data, size_t size);
/* Write the digest and wipe the state. To go on hashing, copy the state first. */
void ft_hash_final(ft_hash *hash, uint8_t *digest);

/* The implementations of each compression function. Index 0 is the portable one; the others are
 * there when this processor has the instructions, and then ft_sha2_select chooses it. */
size_t ft_sha256_implementation_count(void);
size_t ft_sha512_implementation_count(void);
const char *ft_sha256_implementation_name(size_t index);
const char *ft_sha512_implementation_name(size_t index);

/* The digest of data by one implementation, for tests. 0, or -1 when there is none at index. */
int ft_hash_with(ft_hash_id id, size_t index, const uint8_t *data, size_t size, uint8_t *digest);

#endif
