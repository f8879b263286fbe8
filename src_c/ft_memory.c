/* Wiping and constant-time comparison. */
#include "ft_memory.h"

#include <string.h>

#if defined(_MSC_VER)
#    include <windows.h>

void ft_wipe(void *memory, size_t size) {
    if (size != 0) {
        SecureZeroMemory(memory, size);
    }
}

static void hide(uint32_t *value) {
    volatile uint32_t seen = *value;
    *value = seen;
}

int ft_publish(void **place, void *value) {
    return InterlockedCompareExchangePointer(place, value, NULL) == NULL;
}
#else
void ft_wipe(void *memory, size_t size) {
    if (size == 0) {
        return;
    }
    memset(memory, 0, size);
    /* The barrier claims to read the memory, so the stores above are not dead. */
    __asm__ __volatile__("" : : "r"(memory) : "memory");
}

int ft_publish(void **place, void *value) {
    void *nothing = NULL;
    return __atomic_compare_exchange_n(place, &nothing, value, 0, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE);
}

static void hide(uint32_t *value) {
    /* The compiler may not reason about the value, and so cannot turn the loop into an early exit. */
    __asm__ __volatile__("" : "+r"(*value));
}
#endif

int ft_equal(const void *left, const void *right, size_t size) {
    const uint8_t *a = left;
    const uint8_t *b = right;
    uint32_t difference = 0;

    for (size_t i = 0; i < size; i++) {
        difference |= (uint32_t)(a[i] ^ b[i]);
        hide(&difference);
    }
    /* 0 - 1 borrows into the top bit only when no bit differed. */
    return (int)((difference - 1U) >> 31);
}
