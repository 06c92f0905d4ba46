/* SPDX-License-Identifier: Apache-2.0 */
/* What pcscd asks of libudev, answered from a folder: so virtual readers come and go as USB readers do, through pcscd's
 * own hot-plug code. Preloaded into the sandbox's pcscd. EONAY_TEST_READERS names the folder: a file usb/N is reader N
 * in its socket, the text in it is the serial number; a message "add N" or "remove N" to the socket "events" is the
 * kernel's news. A device and its USB parent are one thing here. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

/* These are libudev's prototypes; its header would be one more package to build with. */
#pragma GCC diagnostic ignored "-Wmissing-prototypes"
#pragma GCC visibility push(default)

enum { READERS_MAXIMUM = 16, PATH_LENGTH = 512, SERIAL_LENGTH = 64 };

struct udev {
    int unused;
};
struct udev_list_entry {
    struct udev_list_entry *next;
    char name[16];
};
struct udev_enumerate {
    struct udev_list_entry *first;
};
struct udev_device {
    unsigned number;
    char action[16];
    char name[16];
    char node[32];
    char serial[SERIAL_LENGTH];
};
struct udev_monitor {
    int fd;
};

static void *allocate(size_t size) {
    void *memory = calloc(1, size);
    if (!memory)
        abort();
    return memory;
}

static const char *folder(void) {
    const char *path = getenv("EONAY_TEST_READERS");
    return path ? path : "/nonexistent";
}

static void device_path(unsigned number, char ret[static PATH_LENGTH]) {
    snprintf(ret, PATH_LENGTH, "%s/usb/%u", folder(), number);
}

static struct udev_device *device_new(unsigned number, const char *action) {
    struct udev_device *device = allocate(sizeof(*device));
    char path[PATH_LENGTH];
    device->number = number;
    snprintf(device->action, sizeof(device->action), "%s", action);
    snprintf(device->name, sizeof(device->name), "%u", number);
    snprintf(device->node, sizeof(device->node), "/dev/bus/usb/001/%u", number);
    device_path(number, path);
    FILE *file = fopen(path, "re");
    if (file) {
        if (fgets(device->serial, sizeof(device->serial), file))
            device->serial[strcspn(device->serial, "\n")] = '\0';
        fclose(file);
    }
    return device;
}

struct udev *udev_new(void) {
    return allocate(sizeof(struct udev));
}

struct udev *udev_unref(struct udev *udev) {
    free(udev);
    return NULL;
}

struct udev_enumerate *udev_enumerate_new(struct udev *udev) {
    (void)udev;
    return allocate(sizeof(struct udev_enumerate));
}

int udev_enumerate_add_match_subsystem(struct udev_enumerate *enumerate, const char *subsystem) {
    (void)enumerate, (void)subsystem;
    return 0;
}

int udev_enumerate_scan_devices(struct udev_enumerate *enumerate) {
    char path[PATH_LENGTH];
    struct udev_list_entry **end = &enumerate->first;
    for (unsigned i = 0; i < READERS_MAXIMUM; i++) {
        device_path(i, path);
        if (access(path, F_OK) != 0)
            continue;
        *end = allocate(sizeof(**end));
        snprintf((*end)->name, sizeof((*end)->name), "%u", i);
        end = &(*end)->next;
    }
    return 0;
}

struct udev_list_entry *udev_enumerate_get_list_entry(struct udev_enumerate *enumerate) {
    return enumerate->first;
}

struct udev_list_entry *udev_list_entry_get_next(struct udev_list_entry *entry) {
    return entry->next;
}

const char *udev_list_entry_get_name(struct udev_list_entry *entry) {
    return entry->name;
}

struct udev_enumerate *udev_enumerate_unref(struct udev_enumerate *enumerate) {
    while (enumerate->first) {
        struct udev_list_entry *entry = enumerate->first;
        enumerate->first = entry->next;
        free(entry);
    }
    free(enumerate);
    return NULL;
}

struct udev_device *udev_device_new_from_syspath(struct udev *udev, const char *path) {
    (void)udev;
    return device_new((unsigned)strtoul(path, NULL, 10), "add");
}

struct udev_device *udev_device_unref(struct udev_device *device) {
    free(device);
    return NULL;
}

struct udev_device *udev_device_get_parent_with_subsystem_devtype(struct udev_device *device, const char *subsystem,
                                                                  const char *type) {
    (void)subsystem, (void)type;
    return device;
}

const char *udev_device_get_devnode(struct udev_device *device) {
    return device->node;
}

const char *udev_device_get_sysname(struct udev_device *device) {
    return device->name;
}

const char *udev_device_get_action(struct udev_device *device) {
    return device->action;
}

/* The numbers of usb.plist, and a smart card's interface class. */
const char *udev_device_get_sysattr_value(struct udev_device *device, const char *name) {
    if (strcmp(name, "idVendor") == 0)
        return "e0a1";
    if (strcmp(name, "idProduct") == 0)
        return "0001";
    if (strcmp(name, "bInterfaceClass") == 0)
        return "0b";
    if (strcmp(name, "bInterfaceNumber") == 0 || strcmp(name, "bConfigurationValue") == 0)
        return "0";
    if (strcmp(name, "serial") == 0)
        return *device->serial ? device->serial : NULL;
    return NULL;
}

struct udev_monitor *udev_monitor_new_from_netlink(struct udev *udev, const char *name) {
    (void)udev, (void)name;
    struct udev_monitor *monitor = allocate(sizeof(*monitor));
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    snprintf(address.sun_path, sizeof(address.sun_path), "%s/events", folder());
    (void)unlink(address.sun_path);
    monitor->fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (monitor->fd >= 0 && bind(monitor->fd, (struct sockaddr *)&address, sizeof(address)) < 0)
        perror(address.sun_path);
    return monitor;
}

int udev_monitor_filter_add_match_subsystem_devtype(struct udev_monitor *monitor, const char *subsystem,
                                                    const char *type) {
    (void)monitor, (void)subsystem, (void)type;
    return 0;
}

int udev_monitor_enable_receiving(struct udev_monitor *monitor) {
    (void)monitor;
    return 0;
}

int udev_monitor_get_fd(struct udev_monitor *monitor) {
    return monitor->fd;
}

struct udev_device *udev_monitor_receive_device(struct udev_monitor *monitor) {
    char news[32];
    ssize_t size = recv(monitor->fd, news, sizeof(news) - 1, 0);
    if (size < 0)
        return NULL;
    news[size] = '\0';
    char *number = strchr(news, ' ');
    if (number)
        *number++ = '\0';
    return device_new(number ? (unsigned)strtoul(number, NULL, 10) : 0, news);
}

#pragma GCC visibility pop
