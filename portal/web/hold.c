/* SPDX-License-Identifier: Apache-2.0 */
#include "hold.h"

#include "moment-text.h"

int64_t hold_until(int64_t not_after, int months) {
    g_autoptr(GDateTime) end = moment_local(not_after);
    g_autoptr(GDateTime) earlier = end ? g_date_time_add_months(end, -months) : NULL;

    /* A date beyond every calendar: nothing would ever be produced early by holding it as it is. */
    if (!earlier)
        return not_after;
    return g_date_time_to_unix(earlier) * G_USEC_PER_SEC + g_date_time_get_microsecond(earlier);
}
