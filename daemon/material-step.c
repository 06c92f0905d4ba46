/* SPDX-License-Identifier: Apache-2.0 */
/* What a material holds: counted bytes, each its own. */
#include "material.h"

static void step_clear(MaterialStep *s) {
    g_clear_pointer(&s->certificate, g_bytes_unref);
    g_clear_pointer(&s->crl, g_bytes_unref);
    g_clear_pointer(&s->ocsp, g_bytes_unref);
}

void material_clear(Material *m) {
    for (size_t i = 0; i < m->n; i++)
        step_clear(&m->step[i]);
    m->n = 0;
}

static GBytes *bytes_ref(GBytes *b) {
    return b ? g_bytes_ref(b) : NULL;
}

Material *material_copy(const Material *m) {
    Material *copy = g_new0(Material, 1);
    copy->n = m->n;
    for (size_t i = 0; i < m->n; i++)
        copy->step[i] = (MaterialStep){bytes_ref(m->step[i].certificate), bytes_ref(m->step[i].crl),
                                       bytes_ref(m->step[i].ocsp), m->step[i].answer};
    return copy;
}

void material_free(Material *m) {
    if (!m)
        return;
    material_clear(m);
    g_free(m);
}
