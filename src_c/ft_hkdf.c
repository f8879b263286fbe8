/* HKDF (RFC 5869) and HKDF-Expand-Label (RFC 8446 section 7.1). */
#include "ft_hkdf.h"

#include <string.h>

#include "ft_memory.h"
#include "ft_wire.h"

void ft_hkdf_extract(const ft_hmac_key *salt, const uint8_t *input, size_t input_size, uint8_t *out) {
    ft_hash running;

    ft_hmac_begin(&running, salt);
    ft_hash_update(&running, input, input_size);
    ft_hmac_finish(&running, salt, out);
}

int ft_hkdf_expand(const ft_hmac_key *secret, const uint8_t *info, size_t info_size, uint8_t *out, size_t out_size) {
    size_t digest_size = ft_hash_digest_size(secret->inner.id);
    uint8_t block[FT_MAX_DIGEST];
    ft_hash running;

    if (out_size > 255 * digest_size) {
        return -1;
    }
    for (uint8_t counter = 1; out_size != 0; counter++) {
        size_t part = out_size < digest_size ? out_size : digest_size;

        ft_hmac_begin(&running, secret);
        if (counter > 1) {
            ft_hash_update(&running, block, digest_size);
        }
        ft_hash_update(&running, info, info_size);
        ft_hash_update(&running, &counter, 1);
        ft_hmac_finish(&running, secret, block);
        memcpy(out, block, part);
        out += part;
        out_size -= part;
    }
    ft_wipe(block, sizeof block);
    return 0;
}

int ft_hkdf_expand_label(const ft_hmac_key *secret, const char *label, size_t label_size, const uint8_t *context,
                         size_t context_size, uint8_t *out, size_t out_size) {
    static const char prefix[] = {'t', 'l', 's', '1', '3', ' '};
    uint8_t info[FT_MAX_HKDF_LABEL];
    uint8_t *next = info;

    if (out_size > 0xffff || label_size > 255 - sizeof prefix || context_size > 255) {
        return -1;
    }
    ft_store16(next, (uint32_t)out_size);
    next += 2;
    *next++ = (uint8_t)(sizeof prefix + label_size);
    memcpy(next, prefix, sizeof prefix);
    next += sizeof prefix;
    memcpy(next, label, label_size);
    next += label_size;
    *next++ = (uint8_t)context_size;
    if (context_size != 0) {
        memcpy(next, context, context_size);
        next += context_size;
    }
    return ft_hkdf_expand(secret, info, (size_t)(next - info), out, out_size);
}
