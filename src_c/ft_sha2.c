/* The SHA-2 hashes over whichever compression function the processor runs fastest. */
#include "ft_sha2.h"

#include <string.h>

#include "ft_memory.h"
#include "ft_sha2_compress.h"
#include "ft_sha2_constants.h"
#include "ft_sha512_rounds.h"
#include "ft_wire.h"

size_t ft_hash_digest_size(ft_hash_id id) {
    return id == FT_SHA256 ? 32 : id == FT_SHA384 ? 48 : 64;
}

size_t ft_hash_block_size(ft_hash_id id) {
    return id == FT_SHA256 ? 64 : 128;
}

static uint32_t rotate32(uint32_t value, int by) {
    return (value >> by) | (value << (32 - by));
}

/* The choices of FIPS 180-4 section 4.1. */
#define CHOOSE(x, y, z)   (((x) & (y)) ^ (~(x) & (z)))
#define MAJORITY(x, y, z) (((x) & (y)) ^ ((x) & (z)) ^ ((y) & (z)))

void ft_sha256_compress_portable(uint32_t state[8], const uint8_t *blocks, size_t count) {
    uint32_t w[64];

    for (; count != 0; count--, blocks += 64) {
        for (int t = 0; t < 16; t++) {
            w[t] = ft_load32(blocks + 4 * t);
        }
        for (int t = 16; t < 64; t++) {
            uint32_t s0 = rotate32(w[t - 15], 7) ^ rotate32(w[t - 15], 18) ^ (w[t - 15] >> 3);
            uint32_t s1 = rotate32(w[t - 2], 17) ^ rotate32(w[t - 2], 19) ^ (w[t - 2] >> 10);
            w[t] = w[t - 16] + s0 + w[t - 7] + s1;
        }
        uint32_t a = state[0], b = state[1], c = state[2], d = state[3];
        uint32_t e = state[4], f = state[5], g = state[6], h = state[7];
        for (int t = 0; t < 64; t++) {
            uint32_t s1 = rotate32(e, 6) ^ rotate32(e, 11) ^ rotate32(e, 25);
            uint32_t t1 = h + s1 + CHOOSE(e, f, g) + ft_sha256_k[t] + w[t];
            uint32_t s0 = rotate32(a, 2) ^ rotate32(a, 13) ^ rotate32(a, 22);
            uint32_t t2 = s0 + MAJORITY(a, b, c);
            h = g, g = f, f = e, e = d + t1;
            d = c, c = b, b = a, a = t1 + t2;
        }
        state[0] += a, state[1] += b, state[2] += c, state[3] += d;
        state[4] += e, state[5] += f, state[6] += g, state[7] += h;
    }
    ft_wipe(w, sizeof w);
}

/* The message schedule is a ring of sixteen words. */
#define FT_SHA512_KW(i) (ft_sha512_k[t + (i)] + w[i])

/* Put the word that is sixteen rounds on in the place of the one that was used. */
static inline void next_word(uint64_t w[16], int i) {
    uint64_t two = w[(i + 14) & 15], fifteen = w[(i + 1) & 15];

    w[i] += (FT_ROTATE64(fifteen, 1) ^ FT_ROTATE64(fifteen, 8) ^ (fifteen >> 7)) + w[(i + 9) & 15] +
            (FT_ROTATE64(two, 19) ^ FT_ROTATE64(two, 61) ^ (two >> 6));
}

void ft_sha512_compress_portable(uint64_t state[8], const uint8_t *blocks, size_t count) {
    uint64_t w[16];

    for (; count != 0; count--, blocks += 128) {
        uint64_t a = state[0], b = state[1], c = state[2], d = state[3];
        uint64_t e = state[4], f = state[5], g = state[6], h = state[7];

        for (int i = 0; i < 16; i++) {
            w[i] = ft_load64(blocks + 8 * i);
        }
        for (int t = 0; t < 80; t += 16) {
            if (t != 0) {
                for (int i = 0; i < 16; i++) {
                    next_word(w, i);
                }
            }
            FT_SHA512_FOUR(0);
            FT_SHA512_NEXT_FOUR(4);
            FT_SHA512_FOUR(8);
            FT_SHA512_NEXT_FOUR(12);
        }
        state[0] += a, state[1] += b, state[2] += c, state[3] += d;
        state[4] += e, state[5] += f, state[6] += g, state[7] += h;
    }
    ft_wipe(w, sizeof w);
}

typedef struct {
    ft_sha256_compress sha256;
    ft_sha512_compress sha512;
} compressors;

static const compressors portable = {ft_sha256_compress_portable, ft_sha512_compress_portable};

/* Written once, by ft_sha2_select, while the module that holds it is being imported. */
static compressors fastest = {ft_sha256_compress_portable, ft_sha512_compress_portable};

void ft_sha2_select(void) {
    const char *name;
    ft_sha256_compress sha256 = ft_sha256_compress_native(&name);
    ft_sha512_compress sha512 = ft_sha512_compress_native(&name);

    fastest.sha256 = sha256 != NULL ? sha256 : ft_sha256_compress_portable;
    fastest.sha512 = sha512 != NULL ? sha512 : ft_sha512_compress_portable;
}

void ft_hash_init(ft_hash *hash, ft_hash_id id) {
    hash->id = id;
    hash->total = 0;
    hash->used = 0;
    if (id == FT_SHA256) {
        memcpy(hash->state.h32, ft_sha256_initial, sizeof ft_sha256_initial);
    } else if (id == FT_SHA384) {
        memcpy(hash->state.h64, ft_sha384_initial, sizeof ft_sha384_initial);
    } else {
        memcpy(hash->state.h64, ft_sha512_initial, sizeof ft_sha512_initial);
    }
}

#if defined(_MSC_VER)
#    define NOT_INLINE __declspec(noinline)
#else
#    define NOT_INLINE __attribute__((noinline))
#endif

/* Wipe the stack where a compression function was just called from the same place: what it kept there of its registers
 * is out of its own reach. */
NOT_INLINE static void wipe_stack(void) {
    uint8_t spent[512];
    ft_wipe(spent, sizeof spent);
}

static void compress(const compressors *with, ft_hash *hash, const uint8_t *blocks, size_t count) {
    if (hash->id == FT_SHA256) {
        with->sha256(hash->state.h32, blocks, count);
    } else {
        with->sha512(hash->state.h64, blocks, count);
    }
    wipe_stack();
}

static void update(const compressors *with, ft_hash *hash, const uint8_t *data, size_t size) {
    size_t block_size = ft_hash_block_size(hash->id);

    hash->total += size;
    if (hash->used != 0) {
        size_t part = block_size - hash->used;
        if (part > size) {
            part = size;
        }
        memcpy(hash->block + hash->used, data, part);
        hash->used += (uint32_t)part;
        data += part;
        size -= part;
        if (hash->used < block_size) {
            return;
        }
        compress(with, hash, hash->block, 1);
        hash->used = 0;
    }
    size_t whole = size / block_size;
    if (whole != 0) {
        compress(with, hash, data, whole);
        data += whole * block_size;
        size -= whole * block_size;
    }
    if (size != 0) {
        memcpy(hash->block, data, size);
        hash->used = (uint32_t)size;
    }
}

static void finish(const compressors *with, ft_hash *hash, uint8_t *digest) {
    size_t block_size = ft_hash_block_size(hash->id);
    size_t length_size = block_size / 8;
    uint64_t total = hash->total;
    uint8_t out[FT_MAX_DIGEST];

    hash->block[hash->used++] = 0x80;
    if (hash->used > block_size - length_size) {
        memset(hash->block + hash->used, 0, block_size - hash->used);
        compress(with, hash, hash->block, 1);
        hash->used = 0;
    }
    memset(hash->block + hash->used, 0, block_size - hash->used);
    ft_store64(hash->block + block_size - 8, total << 3); /* bits; no message here is 2^61 bytes */
    compress(with, hash, hash->block, 1);
    if (hash->id == FT_SHA256) {
        for (int i = 0; i < 8; i++) {
            ft_store32(out + 4 * i, hash->state.h32[i]);
        }
    } else {
        for (int i = 0; i < 8; i++) {
            ft_store64(out + 8 * i, hash->state.h64[i]);
        }
    }
    memcpy(digest, out, ft_hash_digest_size(hash->id));
    ft_wipe(out, sizeof out);
    ft_wipe(hash, sizeof *hash);
}

void ft_hash_update(ft_hash *hash, const uint8_t *data, size_t size) {
    if (size != 0) {
        update(&fastest, hash, data, size);
    }
}

void ft_hash_final(ft_hash *hash, uint8_t *digest) {
    finish(&fastest, hash, digest);
}

size_t ft_sha256_implementation_count(void) {
    const char *name;
    return ft_sha256_compress_native(&name) != NULL ? 2 : 1;
}

size_t ft_sha512_implementation_count(void) {
    const char *name;
    return ft_sha512_compress_native(&name) != NULL ? 2 : 1;
}

const char *ft_sha256_implementation_name(size_t index) {
    const char *name = NULL;
    if (index == 0) {
        return "portable";
    }
    return index == 1 && ft_sha256_compress_native(&name) != NULL ? name : NULL;
}

const char *ft_sha512_implementation_name(size_t index) {
    const char *name = NULL;
    if (index == 0) {
        return "portable";
    }
    return index == 1 && ft_sha512_compress_native(&name) != NULL ? name : NULL;
}

int ft_hash_with(ft_hash_id id, size_t index, const uint8_t *data, size_t size, uint8_t *digest) {
    size_t count = id == FT_SHA256 ? ft_sha256_implementation_count() : ft_sha512_implementation_count();
    compressors with = portable;
    const char *name;
    ft_hash hash;

    if (index >= count) {
        return -1;
    }
    if (index == 1 && id == FT_SHA256) {
        with.sha256 = ft_sha256_compress_native(&name);
    } else if (index == 1) {
        with.sha512 = ft_sha512_compress_native(&name);
    }
    ft_hash_init(&hash, id);
    if (size != 0) {
        update(&with, &hash, data, size);
    }
    finish(&with, &hash, digest);
    return 0;
}
