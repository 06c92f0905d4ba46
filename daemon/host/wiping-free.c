/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Modules copy the PIN into buffers (a command for the card, a message to pcscd) and free them as they are. This
 * program's free() stands before libc's for everything that is loaded into it, and erases what it is given. What a
 * module keeps is still its own affair; realloc() is made of the two so that what it leaves behind is erased as well.
 */
#include <malloc.h>
#include <stdlib.h>
#include <string.h>

#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define __SANITIZE_ADDRESS__ 1
#endif
#endif

/* The sanitizer has an allocator of its own. */
#if defined(__GLIBC__) && !defined(__SANITIZE_ADDRESS__)

extern void __libc_free(void *p);
__attribute__((visibility("default"))) void free(void *p);
__attribute__((visibility("default"))) void *realloc(void *p, size_t size);

void free(void *p) {
    if (p)
        explicit_bzero(p, malloc_usable_size(p));
    __libc_free(p);
}

void *realloc(void *p, size_t size) {
    if (!p)
        return malloc(size);
    if (size == 0) {
        free(p);
        return NULL;
    }
    size_t had = malloc_usable_size(p);
    if (size <= had && size > had / 2)
        return p;
    void *fresh = malloc(size);
    if (!fresh)
        return NULL;
    memcpy(fresh, p, size < had ? size : had);
    free(p);
    return fresh;
}

#endif
