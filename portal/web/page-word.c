/* SPDX-License-Identifier: Apache-2.0 */
/* Güvenlik Sözcüğü Değiştirme. Who is logged in has proven who he is: the old word is not asked for. */
#include <string.h>

#include "moment-text.h"
#include "page.h"
#include "pages.h"
#include "word.h"

#define RATE_WORD "security-word"

static void field(GString *p, const char *name, const char *label, const char *hint) {
    html_print(
        p,
        "<div class=\"field\"><label for=\"%s\">%s</label><input type=\"password\" id=\"%s\" name=\"%s\" required "
        "minlength=\"%d\" maxlength=\"%d\" autocomplete=\"new-password\"",
        name, label, name, name, WORD_LEAST_CHARACTERS, WORD_MOST_CHARACTERS);
    if (hint)
        html_print(p, " aria-describedby=\"%s-not\"><span class=\"hint\" id=\"%s-not\">%s</span></div>", name, name,
                   hint);
    else
        html_print(p, "></div>");
}

static Reply *show_form(Visit *v, NoticeKind kind, const char *notice, unsigned status) {
    char at[MOMENT_TEXT_SIZE];
    int64_t changed_at = 0;
    bool set = false;
    bool right = false;
    GString *p = NULL;
    int r = word_check(v->store, v->session.account, NULL, &set, &right, &changed_at);

    if (r != 0)
        return page_error(v, (EonayError)r);
    p = page_begin(v, _("Change the security word"), TRAIL(TRAIL_NES));
    if (notice)
        page_notice(p, kind, notice);
    html_print(p, "<div class=\"panel narrow\"><p>%s</p><p class=\"soft\">%s %s</p>",
               _("By the security word you are known when you call us, for instance to have a lost card suspended."),
               set ? _("Last changed:") : _("You have no security word yet."), set ? moment_text(changed_at, at) : "");
    html_print(p, "<form method=\"post\" action=\"/nes/guvenlik-sozcugu\">");
    page_csrf(v, p);
    field(p, "yeni", _("New security word"), _("At least six characters. Use no word that you use elsewhere."));
    field(p, "tekrar", _("The new security word again"), NULL);
    html_print(p, "<div class=\"actions\"><button>%s</button><a href=\"/nes\">%s</a></div></form></div>", _("Change"),
               _("Cancel"));
    return page_end(v, p, status);
}

static Reply *show_word(Visit *v) {
    return show_form(v, NOTICE_PLAIN, NULL, 200);
}

Reply *page_word(Request *request) {
    return visit_run(request, FOR_CITIZEN, show_word);
}

static Reply *change_word(Visit *v) {
    const char *word = visit_field(v, "yeni");
    int r = 0;

    if (!word_good(word))
        return show_form(v, NOTICE_BAD, _("The security word needs 6 to 64 characters."), 422);
    if (strcmp(word, visit_field(v, "tekrar")) != 0)
        return show_form(v, NOTICE_BAD, _("The two words differ."), 422);
    if ((r = visit_rate(v, RATE_WORD)) != 0 || (r = word_set(v->store, v->session.account, word, v->now)) != 0)
        return page_error(v, (EonayError)r);
    visit_audit(v, "security-word-changed", NULL);
    return show_form(v, NOTICE_GOOD, _("Your security word has been changed."), 200);
}

Reply *page_word_change(Request *request) {
    return visit_run(request, FOR_CITIZEN, change_word);
}
