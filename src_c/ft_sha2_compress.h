/* The compression functions, one per instruction set. Internal to ft_sha2*.c. */
#ifndef FT_SHA2_COMPRESS_H
#define FT_SHA2_COMPRESS_H

#include <stddef.h>
#include <stdint.h>

typedef void (*ft_sha256_compress)(uint32_t state[8], const uint8_t *blocks, size_t count);
typedef void (*ft_sha512_compress)(uint64_t state[8], const uint8_t *blocks, size_t count);

void ft_sha256_compress_portable(uint32_t state[8], const uint8_t *blocks, size_t count);
void ft_sha512_compress_portable(uint64_t state[8], const uint8_t *blocks, size_t count);

/* The fastest for this processor beside the portable one, or NULL. */
ft_sha256_compress ft_sha256_compress_native(const char **name);
ft_sha512_compress ft_sha512_compress_native(const char **name);

#endif
