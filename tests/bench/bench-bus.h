/* SPDX-License-Identifier: Apache-2.0 */
/* A connection to the bus under measurement. */
#ifndef EONAY_BENCH_BUS_H
#define EONAY_BENCH_BUS_H

#include <stdbool.h>
#include <systemd/sd-bus.h>

#include "bench.h"

static inline sd_bus *bench_connect(const char *address) {
    sd_bus *bus;

    if (sd_bus_new(&bus) < 0 || sd_bus_set_address(bus, address) < 0 || sd_bus_set_bus_client(bus, true) < 0 ||
        sd_bus_start(bus) < 0)
        bench_fail("cannot connect to %s", address);
    return bus;
}

#endif
