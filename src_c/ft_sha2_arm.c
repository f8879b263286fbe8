/* SHA-256 and SHA-512 with the ARMv8 cryptographic extensions, when the system reports them. */
#if defined(__aarch64__)

#    include <arm_neon.h>

#    include "ft_sha2_compress.h"
#    include "ft_sha2_constants.h"

#    if defined(__linux__)
#        include <sys/auxv.h>
/* Linux's arm64 HWCAP bits; the headers of older systems lack the second one. */
#        define HAS_SHA256 (getauxval(AT_HWCAP) & (1UL << 6))
#        define HAS_SHA512 (getauxval(AT_HWCAP) & (1UL << 21))
#    elif defined(__APPLE__)
/* Every 64-bit Apple processor that runs macOS has both. */
#        define HAS_SHA256 1
#        define HAS_SHA512 1
#    else
#        define HAS_SHA256 0
#        define HAS_SHA512 0
#    endif

#    if defined(__clang__)
#        define TARGET_SHA256 __attribute__((target("sha2")))
#        define TARGET_SHA512 __attribute__((target("sha3")))
#    else
#        define TARGET_SHA256 __attribute__((target("arch=armv8-a+crypto")))
#        define TARGET_SHA512 __attribute__((target("arch=armv8.2-a+sha3")))
#    endif

TARGET_SHA256 static void compress_sha256(uint32_t state[8], const uint8_t *blocks, size_t count) {
    uint32x4_t abcd = vld1q_u32(state);
    uint32x4_t efgh = vld1q_u32(state + 4);

    for (; count != 0; count--, blocks += 64) {
        uint32x4_t abcd_before = abcd;
        uint32x4_t efgh_before = efgh;
        uint32x4_t w[4]; /* the last sixteen words of the message schedule, a ring */

        for (int i = 0; i < 16; i++) {
            uint32x4_t *now = &w[i & 3];
            if (i < 4) {
                *now = vreinterpretq_u32_u8(vrev32q_u8(vld1q_u8(blocks + 16 * i)));
            } else {
                *now = vsha256su0q_u32(*now, w[(i + 1) & 3]);
                *now = vsha256su1q_u32(*now, w[(i + 2) & 3], w[(i + 3) & 3]);
            }
            uint32x4_t wk = vaddq_u32(*now, vld1q_u32(ft_sha256_k + 4 * i));
            uint32x4_t abcd_now = abcd;
            abcd = vsha256hq_u32(abcd, efgh, wk);
            efgh = vsha256h2q_u32(efgh, abcd_now, wk);
        }
        abcd = vaddq_u32(abcd, abcd_before);
        efgh = vaddq_u32(efgh, efgh_before);
    }
    vst1q_u32(state, abcd);
    vst1q_u32(state + 4, efgh);
}

TARGET_SHA512 static void compress_sha512(uint64_t state[8], const uint8_t *blocks, size_t count) {
    uint64x2_t ab = vld1q_u64(state), cd = vld1q_u64(state + 2);
    uint64x2_t ef = vld1q_u64(state + 4), gh = vld1q_u64(state + 6);

    for (; count != 0; count--, blocks += 128) {
        uint64x2_t before[4] = {ab, cd, ef, gh};
        uint64x2_t w[8]; /* the last sixteen words of the message schedule, a ring */

        for (int i = 0; i < 40; i++) {
            uint64x2_t *now = &w[i & 7];
            if (i < 8) {
                *now = vreinterpretq_u64_u8(vrev64q_u8(vld1q_u8(blocks + 16 * i)));
            } else {
                uint64x2_t seven_back = vextq_u64(w[(i + 4) & 7], w[(i + 5) & 7], 1);
                *now = vsha512su0q_u64(*now, w[(i + 1) & 7]);
                *now = vsha512su1q_u64(*now, w[(i + 7) & 7], seven_back);
            }
            uint64x2_t wk = vaddq_u64(*now, vld1q_u64(ft_sha512_k + 2 * i));
            uint64x2_t sum = vaddq_u64(vextq_u64(wk, wk, 1), gh);
            uint64x2_t t1 = vsha512hq_u64(sum, vextq_u64(ef, gh, 1), vextq_u64(cd, ef, 1));
            uint64x2_t t2 = vsha512h2q_u64(t1, cd, ab);
            gh = ef;
            ef = vaddq_u64(cd, t1);
            cd = ab;
            ab = t2;
        }
        ab = vaddq_u64(ab, before[0]);
        cd = vaddq_u64(cd, before[1]);
        ef = vaddq_u64(ef, before[2]);
        gh = vaddq_u64(gh, before[3]);
    }
    vst1q_u64(state, ab);
    vst1q_u64(state + 2, cd);
    vst1q_u64(state + 4, ef);
    vst1q_u64(state + 6, gh);
}

ft_sha256_compress ft_sha256_compress_native(const char **name) {
    if (!HAS_SHA256) {
        return NULL;
    }
    *name = "armv8-sha2";
    return compress_sha256;
}

ft_sha512_compress ft_sha512_compress_native(const char **name) {
    if (!HAS_SHA512) {
        return NULL;
    }
    *name = "armv8-sha512";
    return compress_sha512;
}

#else

typedef int ft_sha2_arm_is_empty;

#endif
