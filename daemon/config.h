/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Configuration: /etc/eonay/eonayd.conf and the drop-ins eonayd.conf.d/<name>.conf beside it, in order of their names,
 * later ones winning key by key. eonayd.conf(5) lists the keys. Unknown sections, unknown keys and bad values are
 * warned about with file and line, and do not keep the daemon from starting.
 */
#ifndef EONAY_CONFIG_H
#define EONAY_CONFIG_H

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

/* One configured use of a plugin: a [Token NAME] or [Backend NAME] section. */
typedef struct InstanceConfig {
    char *name;
    char *plugin;
    GHashTable *keys; /* key → value, without those that have a member of their own */
    char **read_paths;
    char **write_paths;
    char **environment;
    char **needs;         /* in place of the manifest's when not empty: what a module needs differs */
    char *pin_credential; /* file in the token host's $CREDENTIALS_DIRECTORY; "" for none */
    char *timeout_where;  /* "file:line" of TimeoutMs=, which is the plugin's; NULL: not given */
    char **pin_users;     /* uids whose signatures may use it */
} InstanceConfig;

typedef struct Config {
    /* [Daemon] */
    char *default_backend;
    char *file_plugin; /* takes the files of AddFile */
    char *state_directory;
    char **plugin_directories;
    char **module_directories; /* definitions of vendor modules */
    bool readers;              /* watch PC/SC */
    char *host_path;
    char *host_sockets; /* folder of the socket units; NULL: hosts are our children. An option, no key */
    int log_level;      /* syslog priority */

    uint64_t retention_days; /* [Journal]; 0: for ever */

    /* [Limits]: counts, and times in milliseconds */
    uint64_t consents_per_user;
    uint64_t calls_per_user;
    uint64_t files_per_user;
    uint64_t queue_length;
    uint64_t queue_wait;
    uint64_t pin_delivery;
    uint64_t open_deadline;
    uint64_t list_deadline;
    uint64_t login_deadline;
    uint64_t pinpad_deadline;
    uint64_t sign_deadline;
    uint64_t backend_deadline;

    /* [Signature] */
    char *default_level; /* where the authority states none */
    char *trust_store;   /* the anchors, and the key they are signed with */
    char *trust_key;
    uint64_t grace_period;   /* seconds that P2 and P3 wait for a newer list; 0: the current one will do */
    uint64_t fetch_deadline; /* milliseconds for one transfer */
    InstanceConfig *fetch;   /* [Fetch] */
    GPtrArray *timestamps;   /* InstanceConfig*: [Timestamp NAME], asked in this order */

    GPtrArray *tokens;   /* InstanceConfig* */
    GPtrArray *backends; /* InstanceConfig* */
    GPtrArray *warnings; /* char*, "file:line: …", in the order found */
} Config;

/* Reads file (it need not exist) and file.d/ beside it. Warnings are logged and kept. Never fails. */
Config *config_load(const char *file);
Config *config_free(Config *c);

InstanceConfig *instance_config_new(const char *name, const char *plugin);
void instance_config_free(InstanceConfig *i);
/* Whether this user's signatures may use the PIN that the administrator keeps for the token. */
bool instance_config_gives_pin(const InstanceConfig *i, uid_t uid);

/* The table of keys of [Daemon] and [Limits], for the documentation test: "Section.Key" strings, NULL-terminated. */
char **config_known_keys(void);

#endif
