/* SPDX-License-Identifier: Apache-2.0 */
#include "router.h"

#include <stdio.h>
#include <string.h>

static bool path_fits(const char *pattern, const char *path, const char **ret_element) {
    const char *star = strchr(pattern, '*');
    size_t head = star ? (size_t)(star - pattern) : 0;

    *ret_element = NULL;
    if (!star)
        return strcmp(pattern, path) == 0;
    if (strncmp(pattern, path, head) != 0 || path[head] == '\0' || strchr(path + head, '/'))
        return false;
    *ret_element = path + head;
    return true;
}

static bool method_fits(const char *wanted, const char *method) {
    return strcmp(wanted, method) == 0 || (strcmp(wanted, "GET") == 0 && strcmp(method, "HEAD") == 0);
}

static void allow(char list[ROUTER_ALLOW_SIZE], const char *method) {
    size_t used = strlen(list);

    if (!strstr(list, method))
        (void)snprintf(list + used, ROUTER_ALLOW_SIZE - used, "%s%s", used ? ", " : "", method);
}

static bool look(const Route *routes, const char *method, const char *path, RouterMatch *ret) {
    for (const Route *route = routes; route->method; route++) {
        const char *element = NULL;
        if (!path_fits(route->path, path, &element))
            continue;
        if (method_fits(route->method, method)) {
            ret->route = route;
            ret->element = element;
            return true;
        }
        allow(ret->allow, route->method);
    }
    return false;
}

void router_find(const char *method, const char *path, RouterMatch *ret) {
    *ret = (RouterMatch){0};
    if (!look(api_routes, method, path, ret))
        (void)look(web_routes, method, path, ret);
}
