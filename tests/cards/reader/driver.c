/* SPDX-License-Identifier: Apache-2.0 */
/* A thin reader driver around the virtual reader's (vsmartcard-vpcd), for what that one cannot do: be a USB reader with
 * one slot, come and go, and break. Every call goes on to a copy of the real driver, one copy a reader, because it
 * keeps its state in static variables. The device name is pcscd's for USB readers and ends with /N: reader N has the
 * folder EONAY_TEST_READERS/readerN with the copy (driver.so) in it, and listens on EONAY_TEST_PORT + N. While the
 * folder also holds a file "broken", every call fails as on a reader that has lost its cable or its mind. */
#include <dlfcn.h>
#pragma GCC visibility push(default) /* what pcscd calls, and only that */
#include <ifdhandler.h>
#pragma GCC visibility pop
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { READERS_MAXIMUM = 32, PATH_LENGTH = 512 };

typedef struct Reader {
    void *library; /* NULL: free */
    DWORD lun;
    char folder[PATH_LENGTH];
    RESPONSECODE (*create)(DWORD, LPSTR);
    RESPONSECODE (*close)(DWORD);
    RESPONSECODE (*capability)(DWORD, DWORD, PDWORD, PUCHAR);
    RESPONSECODE (*power)(DWORD, DWORD, PUCHAR, PDWORD);
    RESPONSECODE (*transmit)(DWORD, SCARD_IO_HEADER, PUCHAR, DWORD, PUCHAR, PDWORD, PSCARD_IO_HEADER);
    RESPONSECODE (*presence)(DWORD);
} Reader;

/* pcscd adds and removes readers from one thread; the others only look up the entry of their own reader. */
static Reader readers[READERS_MAXIMUM];

static Reader *reader_find(DWORD lun) {
    for (int i = 0; i < READERS_MAXIMUM; i++)
        if (readers[i].library && readers[i].lun == lun)
            return &readers[i];
    return NULL;
}

static bool reader_broken(const Reader *reader) {
    char path[PATH_LENGTH + 16];
    snprintf(path, sizeof(path), "%s/broken", reader->folder);
    return access(path, F_OK) == 0;
}

static bool reader_load(Reader *reader) {
    char path[PATH_LENGTH + 16];
    snprintf(path, sizeof(path), "%s/driver.so", reader->folder);
    void *library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    if (!library)
        return false;
    *(void **)&reader->create = dlsym(library, "IFDHCreateChannelByName");
    *(void **)&reader->close = dlsym(library, "IFDHCloseChannel");
    *(void **)&reader->capability = dlsym(library, "IFDHGetCapabilities");
    *(void **)&reader->power = dlsym(library, "IFDHPowerICC");
    *(void **)&reader->transmit = dlsym(library, "IFDHTransmitToICC");
    *(void **)&reader->presence = dlsym(library, "IFDHICCPresence");
    if (!reader->create || !reader->close || !reader->capability || !reader->power || !reader->transmit ||
        !reader->presence) {
        dlclose(library);
        return false;
    }
    reader->library = library;
    return true;
}

static RESPONSECODE reader_open(Reader *reader, unsigned number) {
    const char *folder = getenv("EONAY_TEST_READERS"), *port = getenv("EONAY_TEST_PORT");
    char device[32];
    if (!folder || !port)
        return IFD_COMMUNICATION_ERROR;
    if ((size_t)snprintf(reader->folder, PATH_LENGTH, "%s/reader%u", folder, number) >= PATH_LENGTH)
        return IFD_COMMUNICATION_ERROR;
    if (!reader_load(reader))
        return IFD_NO_SUCH_DEVICE;
    snprintf(device, sizeof(device), "/dev/null:%lu", strtoul(port, NULL, 10) + number);
    RESPONSECODE code = reader->create(0, device);
    if (code != IFD_SUCCESS) {
        dlclose(reader->library);
        reader->library = NULL;
    }
    return code;
}

RESPONSECODE IFDHCreateChannelByName(DWORD lun, LPSTR name) {
    const char *slash = strrchr(name, '/');
    if (!slash)
        return IFD_COMMUNICATION_ERROR;
    for (int i = 0; i < READERS_MAXIMUM; i++) {
        if (readers[i].library)
            continue;
        readers[i] = (Reader){.lun = lun};
        return reader_open(&readers[i], (unsigned)strtoul(slash + 1, NULL, 10));
    }
    return IFD_COMMUNICATION_ERROR;
}

RESPONSECODE IFDHCreateChannel(DWORD lun, DWORD channel) {
    (void)lun, (void)channel;
    return IFD_COMMUNICATION_ERROR; /* only by name */
}

RESPONSECODE IFDHCloseChannel(DWORD lun) {
    Reader *reader = reader_find(lun);
    if (!reader)
        return IFD_COMMUNICATION_ERROR;
    RESPONSECODE code = reader->close(0);
    dlclose(reader->library);
    reader->library = NULL;
    return code;
}

RESPONSECODE IFDHGetCapabilities(DWORD lun, DWORD tag, PDWORD length, PUCHAR value) {
    Reader *reader = reader_find(lun);
    if (tag == TAG_IFD_SLOTS_NUMBER || tag == TAG_IFD_THREAD_SAFE || tag == TAG_IFD_SLOT_THREAD_SAFE ||
        tag == TAG_IFD_SIMULTANEOUS_ACCESS) {
        if (*length < 1)
            return IFD_ERROR_INSUFFICIENT_BUFFER;
        *length = 1;
        *value = tag == TAG_IFD_SIMULTANEOUS_ACCESS ? READERS_MAXIMUM : 1;
        return IFD_SUCCESS;
    }
    return reader ? reader->capability(0, tag, length, value) : IFD_ERROR_TAG;
}

RESPONSECODE IFDHSetCapabilities(DWORD lun, DWORD tag, DWORD length, PUCHAR value) {
    (void)lun, (void)tag, (void)length, (void)value;
    return IFD_NOT_SUPPORTED;
}

RESPONSECODE IFDHSetProtocolParameters(DWORD lun, DWORD protocol, UCHAR flags, UCHAR pts1, UCHAR pts2, UCHAR pts3) {
    (void)lun, (void)protocol, (void)flags, (void)pts1, (void)pts2, (void)pts3;
    return IFD_SUCCESS;
}

RESPONSECODE IFDHPowerICC(DWORD lun, DWORD action, PUCHAR atr, PDWORD length) {
    Reader *reader = reader_find(lun);
    return reader ? reader->power(0, action, atr, length) : IFD_NO_SUCH_DEVICE;
}

RESPONSECODE IFDHTransmitToICC(DWORD lun, SCARD_IO_HEADER send, PUCHAR command, DWORD size, PUCHAR answer,
                               PDWORD answer_size, PSCARD_IO_HEADER receive) {
    Reader *reader = reader_find(lun);
    if (!reader || reader_broken(reader)) {
        *answer_size = 0;
        return IFD_NO_SUCH_DEVICE;
    }
    return reader->transmit(0, send, command, size, answer, answer_size, receive);
}

RESPONSECODE IFDHControl(DWORD lun, DWORD code, PUCHAR command, DWORD size, PUCHAR answer, DWORD room,
                         LPDWORD answer_size) {
    (void)lun, (void)code, (void)command, (void)size, (void)answer, (void)room;
    *answer_size = 0;
    return IFD_ERROR_NOT_SUPPORTED;
}

RESPONSECODE IFDHICCPresence(DWORD lun) {
    Reader *reader = reader_find(lun);
    if (!reader || reader_broken(reader))
        return IFD_COMMUNICATION_ERROR;
    return reader->presence(0);
}
