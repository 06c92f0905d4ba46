/* SPDX-License-Identifier: Apache-2.0 */
/* Finds the row of api_routes or web_routes for a method and path. */
#ifndef PORTAL_ROUTER_H
#define PORTAL_ROUTER_H

#include "request.h"

#define ROUTER_ALLOW_SIZE 64

typedef struct RouterMatch {
    const Route *route;            /* NULL: nothing here, or not with this method */
    const char *element;           /* what "*" stands for; within the path */
    char allow[ROUTER_ALLOW_SIZE]; /* when route is NULL: the methods that path takes; "": there is no such path */
} RouterMatch;

void router_find(const char *method, const char *path, RouterMatch *ret);

#endif
