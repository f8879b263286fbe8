/* The choice that keeps RSA key transport silent about its padding (RFC 5246 section 7.4.7.1). */
#include "ft_premaster.h"

#include "ft_memory.h"

void ft_premaster_choose(uint8_t out[FT_PREMASTER], const uint8_t *decrypted, size_t size,
                         const uint8_t fallback[FT_PREMASTER], uint32_t version) {
    uint8_t candidate[FT_PREMASTER];
    uint32_t wrong;
    uint8_t keep;

    /* How long it is may not show either: every byte is read, the first one in place of those that are not there. */
    for (size_t i = 0; i < FT_PREMASTER; i++) {
        size_t there = (size_t)0 - ((i - size) >> (sizeof(size_t) * 8 - 1));
        candidate[i] = (uint8_t)(decrypted[i & there] & (uint8_t)there);
    }
    wrong = (uint32_t)(size ^ FT_PREMASTER) | (uint32_t)((uint64_t)(size ^ FT_PREMASTER) >> 32);
    wrong |= candidate[0] ^ (version >> 8);
    wrong |= candidate[1] ^ (version & 0xff);
    /* All ones when nothing is wrong, all zeros otherwise. */
    keep = (uint8_t)(((uint64_t)wrong - 1) >> 32);
    for (int i = 0; i < FT_PREMASTER; i++) {
        out[i] = (uint8_t)((candidate[i] & keep) | (fallback[i] & (uint8_t)~keep));
    }
    ft_wipe(candidate, sizeof candidate);
}
