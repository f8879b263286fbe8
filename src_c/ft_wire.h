/* Big-endian integers, as every TLS structure has them (RFC 8446 section 3.3). */
#ifndef FT_WIRE_H
#define FT_WIRE_H

#include <stdint.h>

static inline uint32_t ft_load16(const uint8_t *p) {
    return ((uint32_t)p[0] << 8) | p[1];
}

static inline uint32_t ft_load24(const uint8_t *p) {
    return ((uint32_t)p[0] << 16) | ((uint32_t)p[1] << 8) | p[2];
}

static inline uint32_t ft_load32(const uint8_t *p) {
    return ((uint32_t)p[0] << 24) | ((uint32_t)p[1] << 16) | ((uint32_t)p[2] << 8) | p[3];
}

static inline uint64_t ft_load64(const uint8_t *p) {
    return ((uint64_t)ft_load32(p) << 32) | ft_load32(p + 4);
}

static inline void ft_store16(uint8_t *p, uint32_t value) {
    p[0] = (uint8_t)(value >> 8);
    p[1] = (uint8_t)value;
}

static inline void ft_store24(uint8_t *p, uint32_t value) {
    p[0] = (uint8_t)(value >> 16);
    ft_store16(p + 1, value);
}

static inline void ft_store32(uint8_t *p, uint32_t value) {
    ft_store16(p, value >> 16);
    ft_store16(p + 2, value);
}

static inline void ft_store64(uint8_t *p, uint64_t value) {
    ft_store32(p, (uint32_t)(value >> 32));
    ft_store32(p + 4, (uint32_t)value);
}

#endif
