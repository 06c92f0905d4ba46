/* SPDX-License-Identifier: Apache-2.0 */
/* The records under stress: bad configuration, damage, full disk, several processes at once, sudden death. */
#include <fcntl.h>
#include <signal.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "fixture.h"

static Fixture *f;
static unsigned flushes;

/* SQLite's calls arrive here, as the plugin's of clock_gettime() do. */
__attribute__((visibility("default"))) int fdatasync(int fd) {
    flushes++;
    return (int)syscall(SYS_fdatasync, fd);
}
__attribute__((visibility("default"))) int fsync(int fd) {
    flushes++;
    return (int)syscall(SYS_fsync, fd);
}

static void setup(void) {
    f = fixture_new();
}

static void teardown(void) {
    f = fixture_free(f);
}

static const char *beside(const char *suffix) {
    static char path[PATH_MAX];

    snprintf(path, sizeof path, "%s%s", f->database, suffix);
    return path;
}

static unsigned mode_of(const char *path) {
    struct stat st;

    ck_assert_msg(stat(path, &st) == 0, "%s", path);
    return st.st_mode & 0777;
}

/* ------------------------------------------------------------------------------------------ configuration -- */

static void assert_open_fails(int expected, const char *reason) {
    int r = fixture_open(f);

    ck_assert_msg(r == expected, "got %d, expected %d: %s", r, expected, f->reason);
    ck_assert_ptr_null(f->context);
    ck_assert_msg(strstr(f->reason, reason) != NULL, "\"%s\" does not tell \"%s\"", f->reason, reason);
}

START_TEST(bad_values_are_named) {
    static const char *const cases[][3] = {
        {"Database", "relative/ca.db", "Database=relative/ca.db"},
        {"Database", "", "Database="},
        {"TrustAnchors", "", "TrustAnchors="},
        {"TrustAnchors", "root.pem", "TrustAnchors=root.pem"},
        {"Intermediates", "x", "Intermediates=x"},
        {"TextFile", "x", "TextFile=x"},
        {"AllowRepeats", "maybe", "AllowRepeats=maybe"},
        {"AllowRepeats", "", "AllowRepeats="},
        {"CodeLifetime", "0", "CodeLifetime=0"},
        {"CodeLifetime", "86401", "CodeLifetime=86401"},
        {"CodeLifetime", "-5", "CodeLifetime=-5"},
        {"CodeLifetime", "300s", "CodeLifetime=300s"},
        {"CodeLifetime", "99999999999999999999", "CodeLifetime=9999"},
        {"GuessesPerMinute", "", "GuessesPerMinute="},
        {"RequesterName", "", "RequesterName="},
        {"RequesterName", "a\nb", "RequesterName="},
        {"RequesterName", "\xff", "RequesterName="},
        {"RequesterName",
         "a\xe2\x80\xae"
         "b\xe2\x80\xac",
         "RequesterName="},
        {"TextVersion", "", "TextVersion="},
        {"TextVersion", "a b", "TextVersion=a b"},
    };

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        Fixture *mine = fixture_new();
        Fixture *outer = f;

        f = mine;
        fixture_set(f, cases[i][0], cases[i][1]);
        assert_open_fails(EONAY_ERROR_PLUGIN_FAILED, cases[i][2]);
        f = outer;
        fixture_free(mine);
    }
    fixture_set(f, "Database", NULL);
    assert_open_fails(EONAY_ERROR_PLUGIN_FAILED, "Database=");
}
END_TEST

static void assert_anchors(const char *value, int expected) {
    fixture_set(f, "TrustAnchors", value);
    if (expected != 0) {
        assert_open_fails(expected, "TrustAnchors=");
        return;
    }
    fixture_start(f);
    fixture_close(f);
}

START_TEST(trust_anchors_are_files_and_folders) {
    Bytes der = pki_root_der(fixture_pki()), pem = pki_root_pem(fixture_pki());
    char path[PATH_MAX], list[2 * PATH_MAX];

    assert_anchors("/nonexistent/root.pem", EONAY_ERROR_FILE_INVALID);
    assert_anchors("/dev/zero", EONAY_ERROR_FILE_INVALID);
    snprintf(path, sizeof path, "%s/anchors", f->folder);
    ck_assert_int_eq(mkdir(path, 0700), 0);
    assert_anchors(path, EONAY_ERROR_FILE_INVALID);
    assert_anchors(fixture_file(f, "anchors/root.der", der.bytes, der.size), 0);
    assert_anchors(path, 0);
    snprintf(list, sizeof list, "%s;%s/root.pem", path, f->folder);
    assert_anchors(list, 0);
    fixture_file(f, "anchors/notes.txt", "no certificate", 14);
    assert_anchors(path, EONAY_ERROR_FILE_INVALID);

    assert_anchors(fixture_file(f, "empty", "", 0), EONAY_ERROR_FILE_INVALID);
    assert_anchors(fixture_file(f, "cut.der", der.bytes, der.size - 1), EONAY_ERROR_FILE_INVALID);
    assert_anchors(fixture_file(f, "cut.pem", pem.bytes, pem.size - 40), EONAY_ERROR_FILE_INVALID);
    pem.bytes[100] = '!';
    assert_anchors(fixture_file(f, "bad.pem", pem.bytes, pem.size), EONAY_ERROR_FILE_INVALID);
    snprintf(path, sizeof path, "%s/pipe", f->folder);
    ck_assert_int_eq(mkfifo(path, 0600), 0);
    assert_anchors(path, EONAY_ERROR_FILE_INVALID);
    bytes_free(&der);
    bytes_free(&pem);
}
END_TEST

START_TEST(unsafe_text_files_are_refused) {
    static const struct {
        const char *bytes;
        size_t size;
    } cases[] = {
        {"", 0},
        {"a\0b", 3},
        {"\xc3", 1},
        {"a\xe2\x80\xae"
         "b\xe2\x80\xac",
         5},
        {"\xed\xa0\x80", 3},
        {"\xc0\x80", 2},
        {"\xe0\x80\x80", 3},
        {"\xf5\x80\x80\x80", 4},
        {"a\x1b[31m", 6},
        {"a\xc2\x85", 3},
        {"\xef\xbb\xbfx", 4},
        {"a\rb", 3},
    };

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        fixture_set(f, "TextFile", fixture_file(f, "text.txt", cases[i].bytes, cases[i].size));
        assert_open_fails(EONAY_ERROR_FILE_INVALID, "TextFile=");
    }
}
END_TEST

/* --------------------------------------------------------------------------------------------- the files -- */

START_TEST(files_are_for_their_owner) {
    umask(0);
    fixture_start(f);
    char digits[16];
    get_code(f, NULL, digits);
    ck_assert_uint_eq(mode_of(f->database), 0600);
    ck_assert_uint_eq(mode_of(beside(".key")), 0600);
    ck_assert_uint_eq(mode_of(beside("-wal")) & 077, 0);
    fixture_close(f);
    ck_assert_int_eq(chmod(f->database, 0644), 0);
    fixture_start(f);
    ck_assert_uint_eq(mode_of(f->database), 0600);
}
END_TEST

START_TEST(the_key_must_be_the_right_one) {
    uint8_t other[32] = {1};

    fixture_start(f);
    fixture_close(f);
    ck_assert_int_eq(chmod(beside(".key"), 0640), 0);
    assert_open_fails(EONAY_ERROR_STORAGE_FAILED, "0600");
    fixture_file(f, "ca.db.key", other, 31);
    ck_assert_int_eq(chmod(beside(".key"), 0600), 0);
    assert_open_fails(EONAY_ERROR_STORAGE_FAILED, "not a key");
    fixture_file(f, "ca.db.key", other, 32);
    assert_open_fails(EONAY_ERROR_STORAGE_FAILED, "not the one");
    ck_assert_int_eq(unlink(beside(".key")), 0);
    assert_open_fails(EONAY_ERROR_STORAGE_FAILED, ".key");
    ck_assert_int_ne(access(beside(".key"), F_OK), 0);
}
END_TEST

static void run_sql(const char *sql) {
    sqlite3 *db = NULL;

    ck_assert_int_eq(sqlite3_open(f->database, &db), SQLITE_OK);
    ck_assert_msg(sqlite3_exec(db, sql, NULL, NULL, NULL) == SQLITE_OK, "%s", sqlite3_errmsg(db));
    sqlite3_close(db);
}

START_TEST(foreign_and_newer_databases_are_left_alone) {
    run_sql("CREATE TABLE theirs (x); INSERT INTO theirs VALUES (1);");
    assert_open_fails(EONAY_ERROR_STORAGE_FAILED, "another program");
    ck_assert_int_ne(access(beside(".key"), F_OK), 0);
    run_sql("INSERT INTO theirs VALUES (2); DROP TABLE theirs;");
    fixture_start(f);
    fixture_close(f);
    run_sql("PRAGMA user_version = 99;");
    assert_open_fails(EONAY_ERROR_STORAGE_FAILED, "newer version");
}
END_TEST

START_TEST(impossible_places_are_refused) {
    char path[200];

    fixture_set(f, "Database", "/nonexistent/folder/ca.db");
    assert_open_fails(EONAY_ERROR_STORAGE_FAILED, "/nonexistent");
    fixture_set(f, "Database", f->folder);
    assert_open_fails(EONAY_ERROR_STORAGE_FAILED, "");
    fixture_set(f, "Database", "/dev/null");
    assert_open_fails(EONAY_ERROR_STORAGE_FAILED, "regular");
    snprintf(path, sizeof path, "%s/link.db", f->folder);
    ck_assert_int_eq(symlink("/nonexistent/ca.db", path), 0);
    fixture_set(f, "Database", path);
    assert_open_fails(EONAY_ERROR_STORAGE_FAILED, "link.db");
}
END_TEST

/* Fills the database with something to damage. */
static void fill(void) {
    EonayRedemption r;

    for (int i = 0; i < 50; i++) {
        open_consent(f, SUBJECT, &r);
        redemption_release(f, &r);
    }
}

START_TEST(damage_is_told_at_the_start) {
    static uint8_t noise[20000];

    for (size_t i = 0; i < sizeof noise; i++)
        noise[i] = (uint8_t)(i * 131 + 7);
    fixture_file(f, "ca.db", noise, sizeof noise);
    assert_open_fails(EONAY_ERROR_STORAGE_FAILED, "SQLite");
    ck_assert_int_eq(unlink(f->database), 0);

    fixture_start(f);
    fill();
    fixture_close(f);
    ck_assert_int_eq(truncate(f->database, 4096 + 100), 0);
    assert_open_fails(EONAY_ERROR_STORAGE_FAILED, "SQLite");
}
END_TEST

/* Overwrites everything behind the first page, where the tables are. */
static void damage_pages(void) {
    int fd = open(f->database, O_RDWR | O_CLOEXEC);
    struct stat st;
    uint8_t noise[4096];

    memset(noise, 0xa5, sizeof noise);
    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq(fstat(fd, &st), 0);
    for (off_t at = 4096; at < st.st_size; at += 4096)
        ck_assert_int_eq(pwrite(fd, noise, sizeof noise, at), 4096);
    close(fd);
}

START_TEST(damage_never_crashes) {
    const EonayCodeRequest request = {.struct_size = sizeof request, .subject = SUBJECT};
    EonayApproval a = {.struct_size = sizeof a};

    fixture_start(f);
    fill();
    fixture_close(f);
    damage_pages();
    int r = fixture_open(f);
    if (r != 0) { /* found at once */
        ck_assert_int_eq(r, EONAY_ERROR_STORAGE_FAILED);
        return;
    }
    assert_error(get_code_error(f, request), EONAY_ERROR_STORAGE_FAILED);
    assert_error(redeem_error(f, "123456789012345"), EONAY_ERROR_STORAGE_FAILED);
    assert_error(f->ca->approval(f->context, SUBJECT, &a), EONAY_ERROR_STORAGE_FAILED);
}
END_TEST

START_TEST(damage_under_a_running_authority_never_crashes) {
    EonayRedemption r;

    fixture_start(f);
    fill();
    open_consent(f, SUBJECT, &r);
    run_sql("PRAGMA wal_checkpoint(TRUNCATE);");
    damage_pages();
    for (int i = 0; i < 20; i++)
        (void)get_code_error(f, (EonayCodeRequest){.subject = SUBJECT});
    fixture_close(f);
    int error = fixture_open(f);
    if (error == 0)
        error = get_code_error(f, (EonayCodeRequest){.subject = SUBJECT});
    ck_assert_int_eq(error, EONAY_ERROR_STORAGE_FAILED);
    redemption_release(f, &r);
}
END_TEST

static void limit_files(rlim_t size) {
    struct rlimit limit;

    ck_assert_int_eq(getrlimit(RLIMIT_FSIZE, &limit), 0);
    limit.rlim_cur = size < limit.rlim_max ? size : limit.rlim_max;
    ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &limit), 0);
}

START_TEST(a_full_disk_refuses_and_recovers) {
    char before[16], after[16];
    struct stat st;
    EonayRedemption r;
    Signer signer = pki_signer(fixture_pki(), (SignerSpec){.subject = SUBJECT});

    signal(SIGXFSZ, SIG_IGN);
    fixture_start(f);
    get_code(f, NULL, before);
    open_consent(f, SUBJECT, &r);
    Bytes signature = sign_consent(&r, &signer);
    ck_assert_int_eq(stat(beside("-wal"), &st), 0);
    limit_files((rlim_t)st.st_size);
    assert_error(get_code_error(f, (EonayCodeRequest){.subject = SUBJECT}), EONAY_ERROR_STORAGE_FAILED);
    assert_error(redeem_error(f, before), EONAY_ERROR_STORAGE_FAILED);
    assert_error(submit(f, r.transaction, "key", &signature, NULL), EONAY_ERROR_STORAGE_FAILED);
    ck_assert_int_eq(state_of(f, r.transaction), EONAY_TRANSACTION_OPEN);
    limit_files(RLIM_INFINITY);
    /* What failed did not happen; what was accepted is still there. */
    assert_error(submit(f, r.transaction, "key", &signature, NULL), 0);
    assert_error(redeem_error(f, before), 0);
    get_code(f, NULL, after);
    redemption_release(f, &r);
    bytes_free(&signature);
    signer_free(&signer);
}
END_TEST

START_TEST(a_full_disk_at_the_first_start_leaves_nothing_half) {
    signal(SIGXFSZ, SIG_IGN);
    limit_files(16);
    assert_open_fails(EONAY_ERROR_STORAGE_FAILED, "");
    limit_files(RLIM_INFINITY);
    fixture_start(f);
}
END_TEST

START_TEST(a_lock_that_is_never_released_is_told) {
    sqlite3 *db = NULL;

    fixture_start(f);
    ck_assert_int_eq(sqlite3_open(f->database, &db), SQLITE_OK);
    ck_assert_int_eq(sqlite3_exec(db, "BEGIN IMMEDIATE", NULL, NULL, NULL), SQLITE_OK);
    assert_error(get_code_error(f, (EonayCodeRequest){.subject = SUBJECT}), EONAY_ERROR_STORAGE_FAILED);
    ck_assert_msg(strstr(f->reason, "locked") != NULL, "%s", f->reason);
    ck_assert_int_eq(sqlite3_exec(db, "ROLLBACK", NULL, NULL, NULL), SQLITE_OK);
    sqlite3_close(db);
    assert_error(get_code_error(f, (EonayCodeRequest){.subject = SUBJECT}), 0);
}
END_TEST

/* ------------------------------------------------------------------------------------ several processes -- */

typedef struct Child {
    pid_t pid;
    int answer; /* the read end of a pipe with what it reports */
    int go;     /* gets a byte to let it run; not closed for that, since later children hold its end open too */
} Child;

typedef struct Message {
    int result;
    char report[64];
} Message;

static void child_run(int (*work)(void *data, char report[64]), void *data, bool opened, int answer, int go) {
    Message message = {0};
    char byte = 0;

    if (opened)
        fixture_start(f);
    if (write(answer, "", 1) != 1 || read(go, &byte, 1) != 1)
        _exit(1);
    message.result = opened ? 0 : fixture_open(f);
    if (message.result == 0)
        message.result = work(data, message.report);
    _exit(write(answer, &message, sizeof message) == (ssize_t)sizeof message ? 0 : 1);
}

/* Starts a process with an authority of its own on the same database, opened already or opened on the word go; then it
 * does its work. A connection must not be carried over fork(): none may be open here. */
static Child child_start(int (*work)(void *data, char report[64]), void *data, bool opened) {
    int answer[2], go[2];
    Child c;
    char ready = 0;

    ck_assert_ptr_null(f->context);
    ck_assert_int_eq(pipe2(answer, O_CLOEXEC), 0);
    ck_assert_int_eq(pipe2(go, O_CLOEXEC), 0);
    c = (Child){.pid = fork(), .answer = answer[0], .go = go[1]};
    ck_assert_int_ge(c.pid, 0);
    if (c.pid == 0) {
        close(go[1]);
        child_run(work, data, opened, answer[1], go[0]);
    }
    close(answer[1]);
    close(go[0]);
    ck_assert_int_eq(read(c.answer, &ready, 1), 1);
    return c;
}

static void child_go(const Child *c) {
    ck_assert_int_eq(write(c->go, "", 1), 1);
    close(c->go);
}

static int child_end(Child *c, char report[64]) {
    Message message;
    int status = 0;

    ck_assert_int_eq(read(c->answer, &message, sizeof message), sizeof message);
    close(c->answer);
    ck_assert_int_eq(waitpid(c->pid, &status, 0), c->pid);
    ck_assert(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    if (report)
        snprintf(report, 64, "%s", message.report);
    return message.result;
}

enum { N_RACES = 60 };

static int work_redeem(void *data, char report[64]) {
    char(*codes)[16] = data;
    int won = 0;

    for (int i = 0; i < N_RACES; i++) {
        EonayRedemption r;
        int error = redeem(f, codes[i], &r);

        if (error != 0 && error != EONAY_ERROR_CODE_USED) {
            snprintf(report, 64, "%d: %.50s", error, f->reason);
            return -1;
        }
        won += error == 0;
        redemption_release(f, &r);
    }
    return won;
}

/* Every code is tried by every process, in the same order, so that they meet at each. */
START_TEST(of_several_processes_one_redeems) {
    enum { N = 3 };
    char codes[N_RACES][16], report[64];
    Child children[N];
    int won = 0;

    fixture_start(f);
    for (int i = 0; i < N_RACES; i++)
        get_code(f, NULL, codes[i]);
    fixture_close(f);
    for (int i = 0; i < N; i++)
        children[i] = child_start(work_redeem, codes, true);
    for (int i = 0; i < N; i++)
        child_go(&children[i]);
    for (int i = 0; i < N; i++) {
        int r = child_end(&children[i], report);
        ck_assert_msg(r >= 0, "%s", report);
        won += r;
    }
    ck_assert_int_eq(won, N_RACES);
}
END_TEST

typedef struct Delivery {
    EonayRedemption redemptions[N_RACES];
    Bytes signatures[N_RACES];
    char own_key;
} Delivery;

/* Even consents are sent by both under one key: both are told the same receipt. Odd ones compete under two keys. */
static int work_submit(void *data, char report[64]) {
    const Delivery *d = data;
    unsigned long receipts = 5381;
    int won = 0;

    for (int i = 0; i < N_RACES; i++) {
        const char key[] = {(char)(i % 2 ? d->own_key : 'x'), '\0'};
        char receipt[64] = "";
        int error = submit(f, d->redemptions[i].transaction, key, &d->signatures[i], receipt);

        if (error != 0 && (error != EONAY_ERROR_CODE_USED || i % 2 == 0)) {
            snprintf(report, 64, "%d: %.50s", error, f->reason);
            return -1;
        }
        won += i % 2 && error == 0;
        for (const char *p = receipt; i % 2 == 0 && *p; p++)
            receipts = receipts * 33 + (unsigned char)*p;
    }
    snprintf(report, 64, "%lu", receipts);
    return won;
}

START_TEST(of_two_submissions_one_is_recorded) {
    static Delivery a, b;
    Signer signer = pki_signer(fixture_pki(), (SignerSpec){.subject = SUBJECT});
    char reports[2][64];

    fixture_set(f, "AllowRepeats", "yes");
    fixture_start(f);
    for (int i = 0; i < N_RACES; i++) {
        open_consent(f, SUBJECT, &a.redemptions[i]);
        a.signatures[i] = sign_consent(&a.redemptions[i], &signer);
    }
    fixture_close(f);
    b = a;
    a.own_key = 'a';
    b.own_key = 'b';
    Child first = child_start(work_submit, &a, true), second = child_start(work_submit, &b, true);
    child_go(&first);
    child_go(&second);
    int won_a = child_end(&first, reports[0]), won_b = child_end(&second, reports[1]);
    ck_assert_msg(won_a >= 0 && won_b >= 0, "%s / %s", reports[0], reports[1]);
    ck_assert_int_eq(won_a + won_b, N_RACES / 2);
    ck_assert_str_eq(reports[0], reports[1]);
    for (int i = 0; i < N_RACES; i++) {
        redemption_release(f, &a.redemptions[i]);
        bytes_free(&a.signatures[i]);
    }
    signer_free(&signer);
}
END_TEST

static int work_one_approval(void *data, char report[64]) {
    const Signer *signer = data;
    EonayRedemption r;
    char digits[16];

    get_code(f, NULL, digits);
    assert_error(redeem(f, digits, &r), 0);
    Bytes signature = sign_consent(&r, signer);
    return submit(f, r.transaction, r.transaction, &signature, report);
}

START_TEST(of_four_first_starts_all_work_and_one_approves) {
    enum { N = 4 };
    Signer signer = pki_signer(fixture_pki(), (SignerSpec){.subject = SUBJECT});
    Child children[N];
    int won = 0, late = 0;

    for (int i = 0; i < N; i++)
        children[i] = child_start(work_one_approval, &signer, false);
    for (int i = 0; i < N; i++)
        child_go(&children[i]);
    for (int i = 0; i < N; i++) {
        int r = child_end(&children[i], NULL);
        ck_assert_msg(r == 0 || r == EONAY_ERROR_ALREADY_APPROVED, "a process got %d", r);
        won += r == 0;
        late += r == EONAY_ERROR_ALREADY_APPROVED;
    }
    ck_assert_int_eq(won, 1);
    ck_assert_int_eq(late, N - 1);
    signer_free(&signer);
}
END_TEST

/* ------------------------------------------------------------------------------------------- sudden death -- */

static void issue_for_ever(int out) {
    char digits[16];

    fixture_start(f);
    for (;;) {
        get_code(f, NULL, digits);
        if (write(out, digits, sizeof digits) != (ssize_t)sizeof digits)
            _exit(1);
    }
}

START_TEST(what_was_told_survives_a_kill) {
    for (int round = 0; round < 10; round++) {
        int out[2], status = 0;
        char digits[16], last[16] = "";

        ck_assert_int_eq(pipe2(out, O_CLOEXEC), 0);
        pid_t pid = fork();
        ck_assert_int_ge(pid, 0);
        if (pid == 0)
            issue_for_ever(out[1]);
        close(out[1]);
        for (int i = 0; i < 5 + 7 * round; i++)
            ck_assert_int_eq(read(out[0], last, sizeof last), sizeof last);
        ck_assert_int_eq(kill(pid, SIGKILL), 0);
        while (read(out[0], digits, sizeof digits) == (ssize_t)sizeof digits)
            memcpy(last, digits, sizeof last);
        close(out[0]);
        ck_assert_int_eq(waitpid(pid, &status, 0), pid);
        fixture_start(f);
        assert_error(redeem_error(f, last), 0);
        fixture_close(f);
    }
}
END_TEST

START_TEST(every_answer_is_on_disk_and_costs_one_flush) {
    Signer signer = pki_signer(fixture_pki(), (SignerSpec){.subject = SUBJECT});
    EonayRedemption r;
    char digits[16];

    fixture_start(f);
    get_code(f, SUBJECT, digits);
    flushes = 0;
    get_code(f, SUBJECT, digits);
    ck_assert_uint_eq(flushes, 1);
    assert_error(redeem(f, digits, &r), 0);
    ck_assert_uint_eq(flushes, 2);
    Bytes signature = sign_consent(&r, &signer);
    assert_error(submit(f, r.transaction, "key", &signature, NULL), 0);
    ck_assert_uint_eq(flushes, 3);
    assert_error(submit(f, r.transaction, "key", &signature, NULL), 0);
    ck_assert_uint_eq(flushes, 3);
    redemption_release(f, &r);
    bytes_free(&signature);
    signer_free(&signer);
}
END_TEST

int main(void) {
    TCase *tc = tcase_create("store");
    Suite *suite = suite_create("ca-store");

    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_set_timeout(tc, 120);
    tcase_add_test(tc, bad_values_are_named);
    tcase_add_test(tc, trust_anchors_are_files_and_folders);
    tcase_add_test(tc, unsafe_text_files_are_refused);
    tcase_add_test(tc, files_are_for_their_owner);
    tcase_add_test(tc, the_key_must_be_the_right_one);
    tcase_add_test(tc, foreign_and_newer_databases_are_left_alone);
    tcase_add_test(tc, impossible_places_are_refused);
    tcase_add_test(tc, damage_is_told_at_the_start);
    tcase_add_test(tc, damage_never_crashes);
    tcase_add_test(tc, damage_under_a_running_authority_never_crashes);
    tcase_add_test(tc, a_full_disk_refuses_and_recovers);
    tcase_add_test(tc, a_full_disk_at_the_first_start_leaves_nothing_half);
    tcase_add_test(tc, a_lock_that_is_never_released_is_told);
    tcase_add_test(tc, of_several_processes_one_redeems);
    tcase_add_test(tc, of_two_submissions_one_is_recorded);
    tcase_add_test(tc, of_four_first_starts_all_work_and_one_approves);
    tcase_add_test(tc, what_was_told_survives_a_kill);
    tcase_add_test(tc, every_answer_is_on_disk_and_costs_one_flush);
    suite_add_tcase(suite, tc);

    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed > 0;
}
