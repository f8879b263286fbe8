/* Runs one function of src_c on a secret, so that from outside it can be seen what the secret leaves behind.
 *
 * secrets stack NAME        runs NAME on a stack of its own, then looks there for the secret, and for what HMAC makes
 *                           of it; prints how many pieces it found.
 * secrets trace NAME A B    runs NAME on the hexadecimal A and B, once; a tracer sees which instructions ran.
 *
 * `leaky` and `early` do it wrong on purpose: what looks for a fault must see theirs. The result is not looked for:
 * a compiler may keep words of it in the stack as it keeps them in registers, where no C can wipe them.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <ucontext.h>

#include "ft_hkdf.h"
#include "ft_hmac.h"
#include "ft_memory.h"
#include "ft_premaster.h"
#include "ft_prf12.h"
#include "ft_record.h"
#include "ft_sha2.h"

#define STACK_SIZE ((size_t)1 << 18)
#define WINDOW     8 /* bytes in a row that are no coincidence */

typedef void (*function)(const uint8_t *a, size_t a_size, const uint8_t *b, size_t b_size);

static uint8_t result[512];
static volatile int verdict;

__attribute__((noinline)) static void ft_test_early(const uint8_t *a, size_t a_size, const uint8_t *b, size_t b_size) {
    int equal = a_size == b_size;

    for (size_t i = 0; equal && i < a_size; i++) {
        if (a[i] != b[i]) {
            equal = 0;
        }
    }
    verdict = equal;
}

__attribute__((noinline)) static void ft_test_leaky(const uint8_t *a, size_t a_size, const uint8_t *b, size_t b_size) {
    volatile uint8_t copy[64];

    (void)b;
    (void)b_size;
    for (size_t i = 0; i < a_size && i < sizeof copy; i++) {
        copy[i] = a[i];
    }
    verdict = copy[0];
}

/* The same copy, wiped: the one difference is ft_wipe, which is all that keeps the store from being removed. */
__attribute__((noinline)) static void ft_test_wiped(const uint8_t *a, size_t a_size, const uint8_t *b, size_t b_size) {
    uint8_t copy[64] = {0};

    (void)b;
    (void)b_size;
    memcpy(copy, a, a_size < sizeof copy ? a_size : sizeof copy);
    __asm__ __volatile__("" : : "r"(copy) : "memory");
    verdict = copy[0];
    ft_wipe(copy, sizeof copy);
}

static void equal(const uint8_t *a, size_t a_size, const uint8_t *b, size_t b_size) {
    verdict = ft_equal(a, b, a_size < b_size ? a_size : b_size);
}

static void premaster(const uint8_t *a, size_t a_size, const uint8_t *b, size_t b_size) {
    if (b_size == FT_PREMASTER) {
        ft_premaster_choose(result, a, a_size, b, 0x0303);
    }
}

static void nonce(const uint8_t *a, size_t a_size, const uint8_t *b, size_t b_size) {
    (void)a_size;
    ft_record_nonce(result, a, b_size != 0 ? b[0] : 0);
}

#define OVER_A_HASH(name, id)                                                                                          \
    static void portable_##name(const uint8_t *a, size_t a_size, const uint8_t *b, size_t b_size) {                    \
        (void)b;                                                                                                       \
        (void)b_size;                                                                                                  \
        ft_hash_with(id, 0, a, a_size, result);                                                                        \
    }                                                                                                                  \
    static void fastest_##name(const uint8_t *a, size_t a_size, const uint8_t *b, size_t b_size) {                     \
        ft_hash hash;                                                                                                  \
        (void)b;                                                                                                       \
        (void)b_size;                                                                                                  \
        ft_hash_init(&hash, id);                                                                                       \
        ft_hash_update(&hash, a, a_size);                                                                              \
        ft_hash_final(&hash, result);                                                                                  \
    }                                                                                                                  \
    static void hmac_##name(const uint8_t *a, size_t a_size, const uint8_t *b, size_t b_size) {                        \
        ft_hmac(id, a, a_size, b, b_size, result);                                                                     \
    }                                                                                                                  \
    static void extract_##name(const uint8_t *a, size_t a_size, const uint8_t *b, size_t b_size) {                     \
        ft_hmac_key kept;                                                                                              \
        ft_hmac_key_init(&kept, id, b, b_size);                                                                        \
        ft_hkdf_extract(&kept, a, a_size, result);                                                                     \
        ft_hmac_key_wipe(&kept);                                                                                       \
    }                                                                                                                  \
    static void label_##name(const uint8_t *a, size_t a_size, const uint8_t *b, size_t b_size) {                       \
        ft_hmac_key kept;                                                                                              \
        ft_hmac_key_init(&kept, id, a, a_size);                                                                        \
        ft_hkdf_expand_label(&kept, "c hs traffic", 12, b, b_size, result, 70);                                        \
        ft_hmac_key_wipe(&kept);                                                                                       \
    }                                                                                                                  \
    static void prf_##name(const uint8_t *a, size_t a_size, const uint8_t *b, size_t b_size) {                         \
        ft_hmac_key kept;                                                                                              \
        ft_hmac_key_init(&kept, id, a, a_size);                                                                        \
        ft_prf12(&kept, (const uint8_t *)"key expansion", 13, b, b_size, result, 70);                                  \
        ft_hmac_key_wipe(&kept);                                                                                       \
    }

OVER_A_HASH(sha256, FT_SHA256)
OVER_A_HASH(sha512, FT_SHA512)

static const struct {
    const char *name;
    function run;
} functions[] = {
    {"early", ft_test_early},
    {"leaky", ft_test_leaky},
    {"wiped", ft_test_wiped},
    {"equal", equal},
    {"premaster", premaster},
    {"nonce", nonce},
    {"portable-sha256", portable_sha256},
    {"portable-sha512", portable_sha512},
    {"fastest-sha256", fastest_sha256},
    {"fastest-sha512", fastest_sha512},
    {"hmac-sha256", hmac_sha256},
    {"hmac-sha512", hmac_sha512},
    {"extract-sha256", extract_sha256},
    {"extract-sha512", extract_sha512},
    {"label-sha256", label_sha256},
    {"label-sha512", label_sha512},
    {"prf-sha256", prf_sha256},
    {"prf-sha512", prf_sha512},
};

static function find(const char *name) {
    for (size_t i = 0; i < sizeof functions / sizeof functions[0]; i++) {
        if (strcmp(functions[i].name, name) == 0) {
            return functions[i].run;
        }
    }
    return NULL;
}

static ucontext_t outside, inside;
static function chosen;
static uint8_t secret[48], public_data[48];

static void on_the_stack(void) {
    chosen(secret, sizeof secret, public_data, sizeof public_data);
}

/* How many windows of needle, each word of it reversed and every byte XORed with mask, are in the stack. */
static size_t count(const uint8_t *stack, const uint8_t *needle, size_t size, size_t word, uint8_t mask) {
    uint8_t wanted[FT_MAX_DIGEST];
    size_t found = 0;

    for (size_t i = 0; i < size; i++) {
        wanted[i] = needle[word * (i / word) + (word - 1 - i % word)] ^ mask;
    }
    for (size_t at = 0; at + WINDOW <= size; at += word > 4 ? word : 4) {
        for (size_t i = 0; i + WINDOW <= STACK_SIZE; i++) {
            if (memcmp(stack + i, wanted + at, WINDOW) == 0) {
                found++;
                break;
            }
        }
    }
    return found;
}

static void run_on(uint8_t *stack) {
    if (getcontext(&inside) != 0) {
        abort();
    }
    inside.uc_stack.ss_sp = stack;
    inside.uc_stack.ss_size = STACK_SIZE;
    inside.uc_link = &outside;
    makecontext(&inside, on_the_stack, 0);
    if (swapcontext(&outside, &inside) != 0) {
        abort();
    }
}

/* What HMAC makes of the secret on its way: the inner state, which stands for the key, and the inner digest. The outer
 * state is what the last compression begins with, of which a compiler may keep words as it does of the result. */
static ft_hmac_key key;
static uint8_t inner_digest[FT_MAX_DIGEST];

static void prepare(ft_hash_id id) {
    ft_hash running;

    ft_hmac_key_init(&key, id, secret, sizeof secret);
    ft_hmac_begin(&running, &key);
    ft_hash_update(&running, public_data, sizeof public_data);
    ft_hash_final(&running, inner_digest);
}

static size_t search(const uint8_t *stack, ft_hash_id id) {
    static const size_t words[] = {1, 4, 8};
    static const uint8_t masks[] = {0, 0x36, 0x5c};
    size_t state_size = id == FT_SHA256 ? sizeof key.inner.state.h32 : sizeof key.inner.state.h64;
    size_t found = 0;

    found += count(stack, (const uint8_t *)&key.inner.state, state_size, 1, 0);
    found += count(stack, inner_digest, ft_hash_digest_size(id), 1, 0);

    for (size_t w = 0; w < 3; w++) {
        for (size_t m = 0; m < 3; m++) {
            found += count(stack, secret, sizeof secret, words[w], masks[m]);
        }
    }
    return found;
}

static void search_stack(function run, ft_hash_id id) {
    uint8_t *stack = malloc(STACK_SIZE);

    if (stack == NULL) {
        abort();
    }
    for (size_t i = 0; i < sizeof secret; i++) {
        secret[i] = (uint8_t)(0x91 + 37 * i);
        public_data[i] = (uint8_t)(7 * i);
    }
    memset(stack, 0, STACK_SIZE);
    prepare(id);
    chosen = run;
    run_on(stack);
    printf("%zu\n", search(stack, id));
    free(stack);
}

static size_t parse(const char *text, uint8_t *out, size_t room) {
    size_t size = strlen(text) / 2;

    if (size > room) {
        abort();
    }
    for (size_t i = 0; i < size; i++) {
        char two[3] = {text[2 * i], text[2 * i + 1], 0};
        out[i] = (uint8_t)strtoul(two, NULL, 16);
    }
    return size;
}

int main(int count_of_arguments, char **arguments) {
    static uint8_t a[256], b[256];
    function run = count_of_arguments > 2 ? find(arguments[2]) : NULL;

    if (run == NULL) {
        return 2;
    }
    ft_sha2_select();
    if (strcmp(arguments[1], "stack") == 0) {
        search_stack(run, strstr(arguments[2], "512") != NULL ? FT_SHA512 : FT_SHA256);
        return 0;
    }
    if (strcmp(arguments[1], "trace") != 0 || count_of_arguments != 5) {
        return 2;
    }
    run(a, parse(arguments[3], a, sizeof a), b, parse(arguments[4], b, sizeof b));
    return 0;
}
