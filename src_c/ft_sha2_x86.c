/* SHA-256 with the SHA extensions of x86-64, and SHA-512 with AVX2 and BMI2, when cpuid says that they are there. */
#include "ft_sha2_compress.h"

#if defined(__x86_64__) || defined(_M_X64)

#    include <immintrin.h>
#    include <stdalign.h>

#    include "ft_memory.h"
#    include "ft_sha2_constants.h"
#    include "ft_sha512_rounds.h"

#    if defined(_MSC_VER)
#        include <intrin.h>
#        define TARGET_SHA
#        define TARGET_AVX2
static void cpuid(uint32_t leaf, uint32_t out[4]) {
    __cpuidex((int *)out, (int)leaf, 0);
}
static uint64_t states_that_are_saved(void) {
    return _xgetbv(0);
}
#    else
#        include <cpuid.h>
#        define TARGET_SHA  __attribute__((target("sha,sse4.1,ssse3")))
#        define TARGET_AVX2 __attribute__((target("avx2,bmi,bmi2")))
static void cpuid(uint32_t leaf, uint32_t out[4]) {
    __cpuid_count(leaf, 0, out[0], out[1], out[2], out[3]);
}
static uint64_t states_that_are_saved(void) {
    uint32_t low, high;
    __asm__ volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
    return ((uint64_t)high << 32) | low;
}
#    endif

/* Intel SDM volume 2, CPUID: leaf 1 ECX bits 9 (SSSE3) and 19 (SSE4.1), leaf 7 EBX bit 29 (SHA). */
static int has_sha_extensions(void) {
    uint32_t leaf[4];

    cpuid(0, leaf);
    if (leaf[0] < 7) {
        return 0;
    }
    cpuid(1, leaf);
    if ((leaf[2] & (1U << 9)) == 0 || (leaf[2] & (1U << 19)) == 0) {
        return 0;
    }
    cpuid(7, leaf);
    return (leaf[1] & (1U << 29)) != 0;
}

/* Intel SDM volume 2, CPUID: leaf 7 EBX bits 3 (BMI1), 5 (AVX2) and 8 (BMI2). Volume 1, 14.3: the system must save
 * the registers that AVX widens, which leaf 1 ECX bit 27 lets one ask for. */
static int has_wide_integers(void) {
    const uint32_t wanted = (1U << 3) | (1U << 5) | (1U << 8);
    uint32_t leaf[4];

    cpuid(0, leaf);
    if (leaf[0] < 7) {
        return 0;
    }
    cpuid(1, leaf);
    if ((leaf[2] & (1U << 27)) == 0 || (states_that_are_saved() & 6U) != 6U) {
        return 0;
    }
    cpuid(7, leaf);
    return (leaf[1] & wanted) == wanted;
}

#    define FT_SHA512_KW(i) kw[i]

/* Sigma 0 and 1 of the schedule (FIPS 180-4 section 4.1.3), of four words and of two. */
TARGET_AVX2 static inline __m256i sigma0(__m256i x) {
    __m256i one = _mm256_or_si256(_mm256_srli_epi64(x, 1), _mm256_slli_epi64(x, 63));
    __m256i eight = _mm256_or_si256(_mm256_srli_epi64(x, 8), _mm256_slli_epi64(x, 56));
    return _mm256_xor_si256(_mm256_xor_si256(one, eight), _mm256_srli_epi64(x, 7));
}

TARGET_AVX2 static inline __m128i sigma1(__m128i x) {
    __m128i nineteen = _mm_or_si128(_mm_srli_epi64(x, 19), _mm_slli_epi64(x, 45));
    __m128i sixty_one = _mm_or_si128(_mm_srli_epi64(x, 61), _mm_slli_epi64(x, 3));
    return _mm_xor_si128(_mm_xor_si128(nineteen, sixty_one), _mm_srli_epi64(x, 6));
}

/* The four words that come sixteen on, of the sixteen that w0 to w3 hold: the last two need the first two. */
TARGET_AVX2 static inline __m256i four_on(__m256i w0, __m256i w1, __m256i w2, __m256i w3) {
    __m256i fifteen_back = _mm256_permute4x64_epi64(_mm256_blend_epi32(w0, w1, 0x03), 0x39);
    __m256i seven_back = _mm256_permute4x64_epi64(_mm256_blend_epi32(w2, w3, 0x03), 0x39);
    __m256i sum = _mm256_add_epi64(_mm256_add_epi64(w0, seven_back), sigma0(fifteen_back));
    __m128i low = _mm_add_epi64(_mm256_castsi256_si128(sum), sigma1(_mm256_extracti128_si256(w3, 1)));
    __m128i high = _mm_add_epi64(_mm256_extracti128_si256(sum, 1), sigma1(low));
    return _mm256_inserti128_si256(_mm256_castsi128_si256(low), high, 1);
}

TARGET_AVX2 static inline void add_constants(uint64_t kw[4], __m256i w, const uint64_t *k) {
    _mm256_store_si256((__m256i *)kw, _mm256_add_epi64(w, _mm256_loadu_si256((const __m256i *)k)));
}

/* The schedule four words at a time, beside the rounds, which are those of the plain function. */
TARGET_AVX2 static void compress_avx2(uint64_t state[8], const uint8_t *blocks, size_t count) {
    const __m256i big_endian = _mm256_set_epi8(8, 9, 10, 11, 12, 13, 14, 15, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12,
                                               13, 14, 15, 0, 1, 2, 3, 4, 5, 6, 7);
    alignas(32) uint64_t kw[16];

    for (; count != 0; count--, blocks += 128) {
        uint64_t a = state[0], b = state[1], c = state[2], d = state[3];
        uint64_t e = state[4], f = state[5], g = state[6], h = state[7];
        __m256i w[4];

        for (int i = 0; i < 4; i++) {
            w[i] = _mm256_shuffle_epi8(_mm256_loadu_si256((const __m256i *)(blocks + 32 * i)), big_endian);
            add_constants(kw + 4 * i, w[i], ft_sha512_k + 4 * i);
        }
        for (int t = 16; t < 80; t += 16) {
            FT_SHA512_FOUR(0);
            w[0] = four_on(w[0], w[1], w[2], w[3]);
            add_constants(kw, w[0], ft_sha512_k + t);
            FT_SHA512_NEXT_FOUR(4);
            w[1] = four_on(w[1], w[2], w[3], w[0]);
            add_constants(kw + 4, w[1], ft_sha512_k + t + 4);
            FT_SHA512_FOUR(8);
            w[2] = four_on(w[2], w[3], w[0], w[1]);
            add_constants(kw + 8, w[2], ft_sha512_k + t + 8);
            FT_SHA512_NEXT_FOUR(12);
            w[3] = four_on(w[3], w[0], w[1], w[2]);
            add_constants(kw + 12, w[3], ft_sha512_k + t + 12);
        }
        FT_SHA512_FOUR(0);
        FT_SHA512_NEXT_FOUR(4);
        FT_SHA512_FOUR(8);
        FT_SHA512_NEXT_FOUR(12);
        state[0] += a, state[1] += b, state[2] += c, state[3] += d;
        state[4] += e, state[5] += f, state[6] += g, state[7] += h;
    }
    ft_wipe(kw, sizeof kw);
}

TARGET_SHA static void compress_sha_ni(uint32_t state[8], const uint8_t *blocks, size_t count) {
    const __m128i big_endian = _mm_set_epi8(12, 13, 14, 15, 8, 9, 10, 11, 4, 5, 6, 7, 0, 1, 2, 3);
    /* The instructions want the eight words as ABEF and CDGH. */
    __m128i dcba = _mm_shuffle_epi32(_mm_loadu_si128((const __m128i *)state), 0xB1);
    __m128i hgfe = _mm_shuffle_epi32(_mm_loadu_si128((const __m128i *)(state + 4)), 0x1B);
    __m128i abef = _mm_alignr_epi8(dcba, hgfe, 8);
    __m128i cdgh = _mm_blend_epi16(hgfe, dcba, 0xF0);

    for (; count != 0; count--, blocks += 64) {
        __m128i abef_before = abef;
        __m128i cdgh_before = cdgh;
        __m128i w[4]; /* the last sixteen words of the message schedule, a ring of four by four */

#    if defined(__GNUC__)
#        pragma GCC unroll 16
#    endif
        for (int i = 0; i < 16; i++) {
            __m128i *now = &w[i & 3];
            if (i < 4) {
                *now = _mm_loadu_si128((const __m128i *)(blocks + 16 * i));
                *now = _mm_shuffle_epi8(*now, big_endian);
            } else {
                __m128i seven_back = _mm_alignr_epi8(w[(i + 3) & 3], w[(i + 2) & 3], 4);
                *now = _mm_sha256msg1_epu32(*now, w[(i + 1) & 3]);
                *now = _mm_sha256msg2_epu32(_mm_add_epi32(*now, seven_back), w[(i + 3) & 3]);
            }
            __m128i k = _mm_loadu_si128((const __m128i *)(ft_sha256_k + 4 * i));
            __m128i wk = _mm_add_epi32(*now, k);
            cdgh = _mm_sha256rnds2_epu32(cdgh, abef, wk);
            abef = _mm_sha256rnds2_epu32(abef, cdgh, _mm_shuffle_epi32(wk, 0x0E));
        }
        abef = _mm_add_epi32(abef, abef_before);
        cdgh = _mm_add_epi32(cdgh, cdgh_before);
    }

    __m128i feba = _mm_shuffle_epi32(abef, 0x1B);
    __m128i dchg = _mm_shuffle_epi32(cdgh, 0xB1);
    _mm_storeu_si128((__m128i *)state, _mm_blend_epi16(feba, dchg, 0xF0));
    _mm_storeu_si128((__m128i *)(state + 4), _mm_alignr_epi8(dchg, feba, 8));
}

ft_sha256_compress ft_sha256_compress_native(const char **name) {
    if (!has_sha_extensions()) {
        return NULL;
    }
    *name = "sha-ni";
    return compress_sha_ni;
}

ft_sha512_compress ft_sha512_compress_native(const char **name) {
    if (!has_wide_integers()) {
        return NULL;
    }
    *name = "avx2";
    return compress_avx2;
}

#elif !defined(__aarch64__)

ft_sha256_compress ft_sha256_compress_native(const char **name) {
    (void)name;
    return NULL;
}

ft_sha512_compress ft_sha512_compress_native(const char **name) {
    (void)name;
    return NULL;
}

#endif
