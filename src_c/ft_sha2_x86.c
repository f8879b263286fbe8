/* SHA-256 with the SHA extensions of x86-64, and SHA-512 with BMI2's rotations, when cpuid says that they are there. */
#include "ft_sha2_compress.h"

#if defined(__x86_64__) || defined(_M_X64)

#    include <immintrin.h>

#    include "ft_sha2_constants.h"
#    include "ft_sha512_rounds.h"

#    if defined(_MSC_VER)
#        include <intrin.h>
#        define TARGET_SHA
#        define TARGET_BMI2
static void cpuid(uint32_t leaf, uint32_t out[4]) {
    __cpuidex((int *)out, (int)leaf, 0);
}
#    else
#        include <cpuid.h>
#        define TARGET_SHA  __attribute__((target("sha,sse4.1,ssse3")))
#        define TARGET_BMI2 __attribute__((target("bmi,bmi2")))
static void cpuid(uint32_t leaf, uint32_t out[4]) {
    __cpuid_count(leaf, 0, out[0], out[1], out[2], out[3]);
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

/* Intel SDM volume 2, CPUID: leaf 7 EBX bits 3 (BMI1) and 8 (BMI2). Both work on general registers alone. */
static int has_bit_manipulation(void) {
    uint32_t leaf[4];

    cpuid(0, leaf);
    if (leaf[0] < 7) {
        return 0;
    }
    cpuid(7, leaf);
    return (leaf[1] & (1U << 3)) != 0 && (leaf[1] & (1U << 8)) != 0;
}

FT_SHA512_FUNCTION(compress_bmi2, TARGET_BMI2 static)

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
    if (!has_bit_manipulation()) {
        return NULL;
    }
    *name = "bmi2";
    return compress_bmi2;
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
