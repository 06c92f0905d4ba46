/* SPDX-License-Identifier: Apache-2.0 */
/* A thin reader driver around the virtual reader's (vsmartcard-vpcd), for what that one cannot do: be a USB reader with
 * one slot, come and go, and break. Every call goes on to a copy of the real driver, one copy a reader, because it
 * keeps its state in static variables. The device name is pcscd's for USB readers and ends with /N: reader N has the
 * folder EONAY_TEST_READERS/readerN with the copy (driver.so) in it, and listens on EONAY_TEST_PORT + N. While the
 * folder also holds a file "broken", every call fails as on a reader that has lost its cable or its mind. */
#include <dlfcn.h>
#pragma GCC visibility push(default) /* what pcscd calls, and only that */
#include <ifdhandler.h>
#include <reader.h>
#pragma GCC visibility pop
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { READERS_MAXIMUM = 32, PATH_LENGTH = 512 };
#define KEYPAD_VERIFY SCARD_CTL_CODE(2050)

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

/* What is typed on the keypad, after the time it takes; false without a keypad. */
static bool keypad_read(const Reader *reader, bool wait, char typed[17]) {
    char path[PATH_LENGTH + 16];
    unsigned milliseconds = 0;
    snprintf(path, sizeof(path), "%s/keypad", reader->folder);
    FILE *file = fopen(path, "re");
    if (!file)
        return false;
    int n = fscanf(file, "%16s %u", typed, &milliseconds);
    fclose(file);
    if (n >= 1 && wait)
        usleep(milliseconds * 1000);
    return n >= 1;
}

static RESPONSECODE features(PUCHAR answer, DWORD room, LPDWORD answer_size) {
    static const uint8_t list[] = {FEATURE_VERIFY_PIN_DIRECT,
                                   4,
                                   (uint8_t)(KEYPAD_VERIFY >> 24),
                                   (uint8_t)(KEYPAD_VERIFY >> 16 & 0xff),
                                   (uint8_t)(KEYPAD_VERIFY >> 8 & 0xff),
                                   (uint8_t)(KEYPAD_VERIFY & 0xff)};
    if (room < sizeof(list))
        return IFD_ERROR_INSUFFICIENT_BUFFER;
    memcpy(answer, list, sizeof(list));
    *answer_size = sizeof(list);
    return IFD_SUCCESS;
}

/* PIN_VERIFY_STRUCTURE: the command, with room for the PIN, is its data. */
static RESPONSECODE keypad_verify(Reader *reader, const uint8_t *structure, DWORD size, PUCHAR answer,
                                  LPDWORD answer_size) {
    const PIN_VERIFY_STRUCTURE *s = (const PIN_VERIFY_STRUCTURE *)(const void *)structure;
    SCARD_IO_HEADER header = {.Protocol = 1};
    uint8_t command[64];
    char typed[17] = "";
    if (size < sizeof(*s) || s->ulDataLength > size - sizeof(*s) || s->ulDataLength > sizeof(command) ||
        s->ulDataLength < 5 || !keypad_read(reader, true, typed))
        return IFD_COMMUNICATION_ERROR;
    if (strcmp(typed, "cancel") == 0) {
        memcpy(answer, "\x64\x01", 2);
        *answer_size = 2;
        return IFD_SUCCESS;
    }
    memcpy(command, structure + sizeof(*s), s->ulDataLength);
    memset(command + 5, 0xff, s->ulDataLength - 5);
    memcpy(command + 5, typed, strlen(typed) < s->ulDataLength - 5 ? strlen(typed) : s->ulDataLength - 5);
    return reader->transmit(0, header, command, s->ulDataLength, answer, answer_size, &header);
}

RESPONSECODE IFDHControl(DWORD lun, DWORD code, PUCHAR command, DWORD size, PUCHAR answer, DWORD room,
                         LPDWORD answer_size) {
    Reader *reader = reader_find(lun);
    char typed[17];
    *answer_size = 0;
    if (!reader || !keypad_read(reader, false, typed))
        return IFD_ERROR_NOT_SUPPORTED;
    if (code == CM_IOCTL_GET_FEATURE_REQUEST)
        return features(answer, room, answer_size);
    *answer_size = room;
    return code == KEYPAD_VERIFY ? keypad_verify(reader, command, size, answer, answer_size) : IFD_ERROR_NOT_SUPPORTED;
}

RESPONSECODE IFDHICCPresence(DWORD lun) {
    Reader *reader = reader_find(lun);
    if (!reader || reader_broken(reader))
        return IFD_COMMUNICATION_ERROR;
    return reader->presence(0);
}
