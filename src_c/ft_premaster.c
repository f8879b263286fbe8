/* The choice that keeps RSA key transport silent about its padding (RFC 5246 section 7.4.7.1). */
#include "ft_premaster.h"

#include <string.h>

#include "ft_memory.h"

void ft_premaster_choose(uint8_t out[FT_PREMASTER], const uint8_t *decrypted, size_t size,
                         const uint8_t fallback[FT_PREMASTER], uint32_t version) {
    uint8_t candidate[FT_PREMASTER] = {0};
    uint32_t wrong;
    uint8_t keep;

    if (size != 0) {
        memcpy(candidate, decrypted, size < FT_PREMASTER ? size : FT_PREMASTER);
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
