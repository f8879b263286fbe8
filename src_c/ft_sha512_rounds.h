/* SHA-512's compression in plain C (FIPS 180-4 section 6.4), for each file to compile for the processors it knows.
 *
 * Sixteen rounds are written out, so that the eight words change names and are not moved, and the message schedule is
 * a ring of sixteen. */
#ifndef FT_SHA512_ROUNDS_H
#define FT_SHA512_ROUNDS_H

#include <stddef.h>
#include <stdint.h>

#include "ft_memory.h"
#include "ft_sha2_constants.h"
#include "ft_wire.h"

#define FT_ROTATE64(value, by) (((value) >> (by)) | ((value) << (64 - (by))))

/* One round: the words in the order that this round has them, its number in the sixteen, and where they begin. */
#define FT_SHA512_ROUND(a, b, c, d, e, f, g, h, i)                                                                     \
    do {                                                                                                               \
        uint64_t t1 = (h) + (FT_ROTATE64(e, 14) ^ FT_ROTATE64(e, 18) ^ FT_ROTATE64(e, 41)) +                           \
                      ((g) ^ ((e) & ((f) ^ (g)))) + ft_sha512_k[t + (i)] + w[i];                                       \
        (d) += t1;                                                                                                     \
        (h) =                                                                                                          \
            t1 + (FT_ROTATE64(a, 28) ^ FT_ROTATE64(a, 34) ^ FT_ROTATE64(a, 39)) + (((a) & (b)) | ((c) & ((a) | (b)))); \
    } while (0)

/* Put the word that is sixteen rounds on in the place of the one that was used. */
#define FT_SHA512_NEXT(i)                                                                                              \
    do {                                                                                                               \
        uint64_t two = w[((i) + 14) & 15], fifteen = w[((i) + 1) & 15];                                                \
        w[i] += (FT_ROTATE64(fifteen, 1) ^ FT_ROTATE64(fifteen, 8) ^ (fifteen >> 7)) + w[((i) + 9) & 15] +             \
                (FT_ROTATE64(two, 19) ^ FT_ROTATE64(two, 61) ^ (two >> 6));                                            \
    } while (0)

#define FT_SHA512_EIGHT(i)                                                                                             \
    FT_SHA512_ROUND(a, b, c, d, e, f, g, h, (i) + 0);                                                                  \
    FT_SHA512_ROUND(h, a, b, c, d, e, f, g, (i) + 1);                                                                  \
    FT_SHA512_ROUND(g, h, a, b, c, d, e, f, (i) + 2);                                                                  \
    FT_SHA512_ROUND(f, g, h, a, b, c, d, e, (i) + 3);                                                                  \
    FT_SHA512_ROUND(e, f, g, h, a, b, c, d, (i) + 4);                                                                  \
    FT_SHA512_ROUND(d, e, f, g, h, a, b, c, (i) + 5);                                                                  \
    FT_SHA512_ROUND(c, d, e, f, g, h, a, b, (i) + 6);                                                                  \
    FT_SHA512_ROUND(b, c, d, e, f, g, h, a, (i) + 7)

#define FT_SHA512_FOUR_ON(i)                                                                                           \
    FT_SHA512_NEXT((i) + 0);                                                                                           \
    FT_SHA512_NEXT((i) + 1);                                                                                           \
    FT_SHA512_NEXT((i) + 2);                                                                                           \
    FT_SHA512_NEXT((i) + 3)

/* The whole function, under a name and with what the compiler is told about it. */
#define FT_SHA512_FUNCTION(name, attribute)                                                                            \
    attribute void name(uint64_t state[8], const uint8_t *blocks, size_t count) {                                      \
        uint64_t w[16];                                                                                                \
        for (; count != 0; count--, blocks += 128) {                                                                   \
            uint64_t a = state[0], b = state[1], c = state[2], d = state[3];                                           \
            uint64_t e = state[4], f = state[5], g = state[6], h = state[7];                                           \
            for (int i = 0; i < 16; i++) {                                                                             \
                w[i] = ft_load64(blocks + 8 * i);                                                                      \
            }                                                                                                          \
            for (int t = 0; t < 80; t += 16) {                                                                         \
                if (t != 0) {                                                                                          \
                    FT_SHA512_FOUR_ON(0);                                                                              \
                    FT_SHA512_FOUR_ON(4);                                                                              \
                    FT_SHA512_FOUR_ON(8);                                                                              \
                    FT_SHA512_FOUR_ON(12);                                                                             \
                }                                                                                                      \
                FT_SHA512_EIGHT(0);                                                                                    \
                FT_SHA512_EIGHT(8);                                                                                    \
            }                                                                                                          \
            state[0] += a, state[1] += b, state[2] += c, state[3] += d;                                                \
            state[4] += e, state[5] += f, state[6] += g, state[7] += h;                                                \
        }                                                                                                              \
        ft_wipe(w, sizeof w);                                                                                          \
    }

#endif
