/* The rounds of SHA-512's compression (FIPS 180-4 section 6.4), written out so that the eight words change names and
 * are not moved. Who includes this makes the message schedule, and defines FT_SHA512_KW. */
#ifndef FT_SHA512_ROUNDS_H
#define FT_SHA512_ROUNDS_H

#include <stdint.h>

#define FT_ROTATE64(value, by) (((value) >> (by)) | ((value) << (64 - (by))))

/* One round: the words in the order that this round has them, and the sum of its constant and its schedule's word. */
#define FT_SHA512_ROUND(a, b, c, d, e, f, g, h, kw)                                                                    \
    do {                                                                                                               \
        uint64_t t1 =                                                                                                  \
            (h) + (FT_ROTATE64(e, 14) ^ FT_ROTATE64(e, 18) ^ FT_ROTATE64(e, 41)) + ((g) ^ ((e) & ((f) ^ (g)))) + (kw); \
        (d) += t1;                                                                                                     \
        (h) =                                                                                                          \
            t1 + (FT_ROTATE64(a, 28) ^ FT_ROTATE64(a, 34) ^ FT_ROTATE64(a, 39)) + (((a) & (b)) | ((c) & ((a) | (b)))); \
    } while (0)

/* Four rounds, from the first or the fifth of every eight; FT_SHA512_KW(i) is the sum for one of them. */
#define FT_SHA512_FOUR(i)                                                                                              \
    FT_SHA512_ROUND(a, b, c, d, e, f, g, h, FT_SHA512_KW((i) + 0));                                                    \
    FT_SHA512_ROUND(h, a, b, c, d, e, f, g, FT_SHA512_KW((i) + 1));                                                    \
    FT_SHA512_ROUND(g, h, a, b, c, d, e, f, FT_SHA512_KW((i) + 2));                                                    \
    FT_SHA512_ROUND(f, g, h, a, b, c, d, e, FT_SHA512_KW((i) + 3))

#define FT_SHA512_NEXT_FOUR(i)                                                                                         \
    FT_SHA512_ROUND(e, f, g, h, a, b, c, d, FT_SHA512_KW((i) + 0));                                                    \
    FT_SHA512_ROUND(d, e, f, g, h, a, b, c, FT_SHA512_KW((i) + 1));                                                    \
    FT_SHA512_ROUND(c, d, e, f, g, h, a, b, FT_SHA512_KW((i) + 2));                                                    \
    FT_SHA512_ROUND(b, c, d, e, f, g, h, a, FT_SHA512_KW((i) + 3))

#endif
