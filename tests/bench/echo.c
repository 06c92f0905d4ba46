// SPDX-License-Identifier: Apache-2.0
/*
 * The least a bus service can do: a method that answers with as many bytes as it is asked for, from memory that is
 * there already. Its interface is the agent's, because the policy of a system bus lets nothing else through to a name
 * that is not well known.
 *
 * Usage: echo BUS-ADDRESS; prints its unique name and serves until its standard input ends.
 */
#include <pthread.h>

#include "bench-bus.h"

static int on_echo(sd_bus_message *call, void *userdata, sd_bus_error *error) {
    static uint8_t bytes[1 << 20];
    sd_bus_message *reply = NULL;
    uint32_t size;
    int r;

    (void)userdata;
    (void)error;
    r = sd_bus_message_read(call, "u", &size);
    if (r < 0)
        return r;
    r = sd_bus_message_new_method_return(call, &reply);
    if (r >= 0)
        r = sd_bus_message_append_array(reply, 'y', bytes, size < sizeof bytes ? size : sizeof bytes);
    if (r >= 0)
        r = sd_bus_send(NULL, reply, NULL);
    sd_bus_message_unref(reply);
    return r < 0 ? r : 1;
}

static const sd_bus_vtable vtable[] = {
    SD_BUS_VTABLE_START(0),
    SD_BUS_METHOD("Echo", "u", "ay", on_echo, SD_BUS_VTABLE_UNPRIVILEGED),
    SD_BUS_VTABLE_END,
};

static void *end_with_input(void *unused) {
    (void)unused;
    while (getchar() != EOF)
        ;
    _Exit(EXIT_SUCCESS);
}

int main(int argc, char **argv) {
    const char *name;
    pthread_t thread;
    sd_bus *bus;

    if (argc != 2)
        bench_fail("usage: echo BUS-ADDRESS");
    bus = bench_connect(argv[1]);
    if (sd_bus_get_unique_name(bus, &name) < 0)
        bench_fail("no name");
    if (sd_bus_add_object_vtable(bus, NULL, "/echo", "org.eonay.EOnay1.Agent", vtable, NULL) < 0 ||
        pthread_create(&thread, NULL, end_with_input, NULL) != 0)
        bench_fail("cannot serve");
    puts(name);
    fflush(stdout);
    for (;;) {
        if (sd_bus_process(bus, NULL) == 0)
            sd_bus_wait(bus, UINT64_MAX);
    }
}
