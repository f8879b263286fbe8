/* Checks src_c against cases read from standard input, with every implementation that the machine has.
 *
 * A case is a line: a word, then fields in hexadecimal ("-" for none), the last one the expected result. The data
 * is put into buffers of exactly its size, so that a sanitizer sees any read or write past an end. Prints the
 * implementations and the number of cases; the exit status is 1 when a case fails.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ft_hkdf.h"
#include "ft_hmac.h"
#include "ft_memory.h"
#include "ft_premaster.h"
#include "ft_prf12.h"
#include "ft_record.h"
#include "ft_sha2.h"
#include "ft_wire.h"

#define MAX_FIELDS 6

typedef struct {
    uint8_t *data;
    size_t size;
} bytes;

static int failures = 0;

static void fail(const char *what, size_t line) {
    fprintf(stderr, "case %zu: %s\n", line, what);
    failures++;
}

static int digit(char c) {
    return c <= '9' ? c - '0' : c - 'a' + 10;
}

static bytes parse(const char *text) {
    bytes field = {NULL, 0};

    field.size = strcmp(text, "-") == 0 ? 0 : strlen(text) / 2;
    field.data = malloc(field.size != 0 ? field.size : 1);
    if (field.data == NULL) {
        abort();
    }
    for (size_t i = 0; i < field.size; i++) {
        field.data[i] = (uint8_t)(digit(text[2 * i]) << 4 | digit(text[2 * i + 1]));
    }
    return field;
}

static bytes room(size_t size) {
    bytes field = {malloc(size != 0 ? size : 1), size};

    if (field.data == NULL) {
        abort();
    }
    memset(field.data, 0xa5, size != 0 ? size : 1);
    return field;
}

static void expect(bytes got, bytes wanted, const char *what, size_t line) {
    if (got.size != wanted.size || memcmp(got.data, wanted.data, got.size) != 0) {
        fail(what, line);
    }
    free(got.data);
}

static int all_zero(const uint8_t *data, size_t size) {
    uint8_t seen = 0;

    for (size_t i = 0; i < size; i++) {
        seen |= data[i];
    }
    return seen == 0;
}

static void check_hash(ft_hash_id id, bytes data, bytes wanted, size_t line) {
    size_t count = id == FT_SHA256 ? ft_sha256_implementation_count() : ft_sha512_implementation_count();

    for (size_t i = 0; i < count; i++) {
        bytes got = room(ft_hash_digest_size(id));
        if (ft_hash_with(id, i, data.data, data.size, got.data) != 0) {
            fail("an implementation is missing", line);
        }
        expect(got, wanted, i == 0 ? "digest, portable" : "digest, native", line);
    }
    if (ft_hash_with(id, count, data.data, data.size, wanted.data) != -1) {
        fail("an implementation too many", line);
    }
    if (data.size != 0) {
        /* From an address that is no multiple of anything. */
        bytes moved = room(data.size + 1), got = room(ft_hash_digest_size(id));
        memcpy(moved.data + 1, data.data, data.size);
        for (size_t i = 0; i < count; i++) {
            ft_hash_with(id, i, moved.data + 1, data.size, got.data);
            if (memcmp(got.data, wanted.data, wanted.size) != 0) {
                fail("digest of misaligned data", line);
            }
        }
        free(moved.data);
        free(got.data);
    }
    /* In two parts, with a copy taken on the way; long data at fewer splits, for the time it takes in an emulator. */
    for (size_t split = 0; split <= data.size; split += 1 + data.size / (data.size < 5000 ? 37 : 2)) {
        ft_hash running, copy;
        bytes got = room(ft_hash_digest_size(id)), again = room(ft_hash_digest_size(id));
        ft_hash_init(&running, id);
        ft_hash_update(&running, data.data, split);
        copy = running;
        ft_hash_update(&running, data.data + split, data.size - split);
        ft_hash_final(&running, got.data);
        if (!all_zero((const uint8_t *)&running, sizeof running)) {
            fail("a state that is done is not wiped", line);
        }
        ft_hash_update(&copy, data.data + split, data.size - split);
        ft_hash_final(&copy, again.data);
        expect(got, wanted, "digest in parts", line);
        expect(again, wanted, "digest of a copied state", line);
    }
}

/* The kept states of a key serve again and again, in parts, and are gone when they are wiped. */
static void check_kept_key(ft_hash_id id, bytes secret, bytes data, bytes wanted, size_t line) {
    ft_hmac_key key;

    ft_hmac_key_init(&key, id, secret.data, secret.size);
    for (size_t split = 0; split <= data.size; split += 1 + data.size / 5) {
        bytes got = room(ft_hash_digest_size(id));
        ft_hash running;
        ft_hmac_begin(&running, &key);
        ft_hash_update(&running, data.data, split);
        ft_hash_update(&running, data.data + split, data.size - split);
        ft_hmac_finish(&running, &key, got.data);
        expect(got, wanted, "HMAC with a kept key", line);
    }
    ft_hmac_key_wipe(&key);
    if (!all_zero((const uint8_t *)&key, sizeof key)) {
        fail("an HMAC key is not wiped", line);
    }
}

/* What does not fit is refused, and the output, which has no room at all, is not touched. */
static void check_refusals(void) {
    static const ft_hash_id ids[] = {FT_SHA256, FT_SHA384, FT_SHA512};
    bytes secret = room(32), label = room(250), context = room(256), out = room(0);
    const char *text = (const char *)label.data;

    for (size_t i = 0; i < 3; i++) {
        size_t most = 255 * ft_hash_digest_size(ids[i]);
        bytes fits = room(most);
        ft_hmac_key kept;
        ft_hmac_key_init(&kept, ids[i], secret.data, secret.size);
        if (ft_hkdf_expand(&kept, context.data, 256, fits.data, most) != 0 ||
            ft_hkdf_expand_label(&kept, text, 249, context.data, 255, fits.data, most) != 0) {
            fail("what fits is refused", i);
        }
        if (ft_hkdf_expand(&kept, context.data, 256, out.data, most + 1) != -1 ||
            ft_hkdf_expand(&kept, context.data, 256, out.data, SIZE_MAX) != -1 ||
            ft_hkdf_expand_label(&kept, text, 250, context.data, 0, out.data, 1) != -1 ||
            ft_hkdf_expand_label(&kept, text, SIZE_MAX, context.data, 0, out.data, 1) != -1 ||
            ft_hkdf_expand_label(&kept, text, 1, context.data, 256, out.data, 1) != -1 ||
            ft_hkdf_expand_label(&kept, text, 1, context.data, 0, out.data, most + 1) != -1 ||
            ft_hkdf_expand_label(&kept, text, 1, context.data, 0, out.data, 0x10000) != -1) {
            fail("what does not fit is not refused", i);
        }
        free(fits.data);
    }
    if (ft_sha256_implementation_name(ft_sha256_implementation_count()) != NULL ||
        ft_sha512_implementation_name(ft_sha512_implementation_count()) != NULL) {
        fail("an implementation that is not there has a name", 0);
    }
    free(secret.data);
    free(label.data);
    free(context.data);
    free(out.data);
}

static void check_memory(void) {
    bytes left = room(33), right = room(33);

    for (size_t i = 0; i < left.size; i++) {
        if (!ft_equal(left.data, right.data, left.size)) {
            fail("equal memory is not equal", 0);
        }
        right.data[i] ^= 1;
        if (ft_equal(left.data, right.data, left.size)) {
            fail("different memory is equal", 0);
        }
        right.data[i] ^= 1;
    }
    if (!ft_equal(left.data, right.data, 0)) {
        fail("nothing is not equal to nothing", 0);
    }
    ft_wipe(left.data, left.size);
    for (size_t i = 0; i < left.size; i++) {
        if (left.data[i] != 0) {
            fail("memory is not wiped", 0);
        }
    }
    ft_wipe(NULL, 0);
    free(left.data);
    free(right.data);
}

static void check_wire(void) {
    static const uint64_t values[] = {0,      1,       0x80,     0xff,      0x100,
                                      0xffff, 0x10000, 0xffffff, 0x1000000, 0xfedcba9876543210};

    for (size_t i = 0; i < sizeof values / sizeof values[0]; i++) {
        bytes two = room(2), three = room(3), four = room(4), eight = room(8);
        ft_store16(two.data, (uint32_t)(values[i] & 0xffff));
        ft_store24(three.data, (uint32_t)(values[i] & 0xffffff));
        ft_store32(four.data, (uint32_t)values[i]);
        ft_store64(eight.data, values[i]);
        if (ft_load16(two.data) != (values[i] & 0xffff) || ft_load24(three.data) != (values[i] & 0xffffff) ||
            ft_load32(four.data) != (uint32_t)values[i] || ft_load64(eight.data) != values[i]) {
            fail("an integer is not read as it was written", i);
        }
        if (eight.data[0] != (uint8_t)(values[i] >> 56) || eight.data[7] != (uint8_t)values[i]) {
            fail("an integer is not big-endian", i);
        }
        free(two.data);
        free(three.data);
        free(four.data);
        free(eight.data);
    }
}

static void check_record(void) {
    bytes header = room(FT_RECORD_HEADER), iv = room(FT_NONCE), nonce = room(FT_NONCE);
    static const uint8_t wanted[FT_RECORD_HEADER] = {23, 3, 3, 0x41, 0x00};

    ft_record_header(header.data, 23, 0x0303, 0x4100);
    if (memcmp(header.data, wanted, sizeof wanted) != 0) {
        fail("record header", 0);
    }
    memset(iv.data, 0xff, iv.size);
    ft_record_nonce(nonce.data, iv.data, 0x0102030405060708);
    for (size_t i = 0; i < FT_NONCE; i++) {
        if (nonce.data[i] != (i < 4 ? 0xff : 0xff ^ (i - 3))) {
            fail("record nonce", i);
        }
    }
    for (size_t size = 0; size < 8; size++) {
        bytes inner = room(size);
        memset(inner.data, 0, size != 0 ? size : 1);
        if (ft_record_content_end(inner.data, size) != -1) {
            fail("padding without a content type", size);
        }
        for (size_t at = 0; at < size; at++) {
            memset(inner.data, 7, at + 1);
            if (ft_record_content_end(inner.data, size) != (ptrdiff_t)at) {
                fail("the end of the content", at);
            }
        }
        free(inner.data);
    }
    free(header.data);
    free(iv.data);
    free(nonce.data);
}

static void run(const char *word, bytes *f, size_t count, size_t line) {
    ft_hash_id id = count != 0 && f[0].size == 1 ? (ft_hash_id)f[0].data[0] : FT_SHA256;
    bytes wanted = f[count - 1], got;
    ft_hmac_key kept;

    ft_hmac_key_init(&kept, id, count > 1 ? f[1].data : NULL, count > 1 ? f[1].size : 0);
    if (strcmp(word, "hash") == 0 && count == 3) {
        check_hash(id, f[1], wanted, line);
    } else if (strcmp(word, "hmac") == 0 && count == 4) {
        got = room(ft_hash_digest_size(id));
        ft_hmac(id, f[1].data, f[1].size, f[2].data, f[2].size, got.data);
        expect(got, wanted, "HMAC", line);
        check_kept_key(id, f[1], f[2], wanted, line);
    } else if (strcmp(word, "extract") == 0 && count == 4) {
        got = room(ft_hash_digest_size(id));
        ft_hkdf_extract(&kept, f[2].data, f[2].size, got.data);
        expect(got, wanted, "HKDF-Extract", line);
    } else if (strcmp(word, "expand") == 0 && count == 4) {
        got = room(wanted.size);
        if (ft_hkdf_expand(&kept, f[2].data, f[2].size, got.data, got.size) != 0) {
            fail("HKDF-Expand refuses", line);
        }
        expect(got, wanted, "HKDF-Expand", line);
    } else if (strcmp(word, "label") == 0 && count == 5) {
        got = room(wanted.size);
        if (ft_hkdf_expand_label(&kept, (const char *)f[2].data, f[2].size, f[3].data, f[3].size, got.data, got.size) !=
            0) {
            fail("HKDF-Expand-Label refuses", line);
        }
        expect(got, wanted, "HKDF-Expand-Label", line);
    } else if (strcmp(word, "prf") == 0 && count == 5) {
        got = room(wanted.size);
        ft_prf12(&kept, f[2].data, f[2].size, f[3].data, f[3].size, got.data, got.size);
        expect(got, wanted, "PRF", line);
    } else if (strcmp(word, "premaster") == 0 && count == 4) {
        got = room(FT_PREMASTER);
        ft_premaster_choose(got.data, f[0].data, f[0].size, f[1].data, ft_load16(f[2].data));
        expect(got, wanted, "premaster secret", line);
    } else {
        fail("a case that is not understood", line);
    }
}

int main(void) {
    static char text[1 << 22];
    size_t line = 0;

    ft_sha2_select();
    for (size_t i = 0; i < ft_sha256_implementation_count(); i++) {
        printf("sha256 %s\n", ft_sha256_implementation_name(i));
    }
    for (size_t i = 0; i < ft_sha512_implementation_count(); i++) {
        printf("sha512 %s\n", ft_sha512_implementation_name(i));
    }
    check_memory();
    check_refusals();
    check_wire();
    check_record();
    while (fgets(text, sizeof text, stdin) != NULL) {
        bytes fields[MAX_FIELDS];
        size_t count = 0;
        char *word = strtok(text, " \n"), *next;

        line++;
        while (count < MAX_FIELDS && (next = strtok(NULL, " \n")) != NULL) {
            fields[count++] = parse(next);
        }
        if (word == NULL || count == 0) {
            fail("an empty line", line);
            continue;
        }
        run(word, fields, count, line);
        for (size_t i = 0; i < count; i++) {
            free(fields[i].data);
        }
    }
    printf("cases %zu\n", line);
    return failures == 0 ? 0 : 1;
}
