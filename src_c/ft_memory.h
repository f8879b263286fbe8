/* Memory that holds secrets: wiping it for certain, comparing it in constant time. */
#ifndef FT_MEMORY_H
#define FT_MEMORY_H

#include <stddef.h>
#include <stdint.h>

/* Zero size bytes; the compiler may not remove it, even when the memory dies right after. */
void ft_wipe(void *memory, size_t size);

/* 1 when the two are equal, else 0, in a time that depends on size alone. */
int ft_equal(const void *left, const void *right, size_t size);

/* Put value where there is NULL, so that other threads see either or: 1, or 0 when something is there already. */
int ft_publish(void **place, void *value);

#endif
