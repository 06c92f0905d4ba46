/* SPDX-License-Identifier: Apache-2.0 */
#include "system-paths.h"

#include <stddef.h>

const char *const system_paths[] = {"/usr",
                                    "/lib",
                                    "/lib32",
                                    "/lib64",
                                    "/libx32",
                                    "/etc/ld.so.cache",
                                    "/etc/ld.so.conf",
                                    "/etc/ld.so.conf.d",
                                    "/etc/ld.so.preload",
                                    "/etc/localtime",
                                    "/etc/pkcs11",
                                    "/etc/ssl/openssl.cnf",
                                    "/dev/urandom",
                                    "/dev/random",
                                    "/proc/self",
                                    "/proc/sys/crypto",
                                    "/sys/devices/system/cpu",
                                    NULL};
const char *const card_paths[] = {"/etc/opensc", "/etc/opensc.conf", NULL};
const char *const network_paths[] = {"/etc/resolv.conf",
                                     "/etc/hosts",
                                     "/etc/host.conf",
                                     "/etc/gai.conf",
                                     "/etc/nsswitch.conf",
                                     "/etc/services",
                                     "/etc/protocols",
                                     "/etc/ssl/certs",
                                     "/run/systemd/resolve",
                                     "/run/NetworkManager",
                                     NULL};
