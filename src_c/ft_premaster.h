/* The choice that keeps RSA key transport silent about its padding (RFC 5246 section 7.4.7.1). */
#ifndef FT_PREMASTER_H
#define FT_PREMASTER_H

#include <stddef.h>
#include <stdint.h>

#define FT_PREMASTER 48

/* Copy decrypted to out when it is a premaster secret of version, else fallback: 48 bytes, in a time
 * that tells nothing of which it was. One byte of decrypted is readable even when size is 0. */
void ft_premaster_choose(uint8_t out[FT_PREMASTER], const uint8_t *decrypted, size_t size,
                         const uint8_t fallback[FT_PREMASTER], uint32_t version);

#endif
