/* SPDX-License-Identifier: Apache-2.0 */
/* Released when the scope ends. A plugin knows nothing of the daemon's headers, so these few lines are its own. */
#ifndef CA_REST_SCOPE_H
#define CA_REST_SCOPE_H

#include <curl/curl.h>
#include <jansson.h>
#include <stdlib.h>
#include <unistd.h>

#define _cleanup_(f) __attribute__((cleanup(f)))

static inline void scope_free(void *p) {
    free(*(void **)p);
}
static inline void scope_close(int *fd) {
    if (*fd >= 0)
        close(*fd);
}
static inline void scope_json(json_t **json) {
    json_decref(*json);
}
static inline void scope_slist(struct curl_slist **list) {
    curl_slist_free_all(*list);
}
#define _cleanup_free_  _cleanup_(scope_free)
#define _cleanup_close_ _cleanup_(scope_close)
#define _cleanup_json_  _cleanup_(scope_json)
#define _cleanup_slist_ _cleanup_(scope_slist)

/* Hands a pointer over: the variable is NULL afterwards. */
#define TAKE_PTR(p)                                                                                                    \
    ({                                                                                                                 \
        __typeof__(p) *take_from_ = &(p);                                                                              \
        __typeof__(p) take_value_ = *take_from_;                                                                       \
        *take_from_ = NULL;                                                                                            \
        take_value_;                                                                                                   \
    })

#endif
