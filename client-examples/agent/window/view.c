/* SPDX-License-Identifier: Apache-2.0 */
#include "view.h"

#include "error.h"
#include "pages.h"
#include "translate.h"

#define WIDTH  880
#define HEIGHT 600

static const char style[] = ".page { padding: 18px; }"
                            ".code { font-size: 160%; letter-spacing: 2px; }"
                            ".key { min-height: 34px; font-size: 110%; }"
                            ".hash { font-family: monospace; font-size: 80%; }"
                            ".contract-text { padding: 12px; background: @theme_base_color; }"
                            "image.success { color: @success_color; } image.error { color: @error_color; }"
                            ".alert { font-weight: bold; color: @error_color; }"
                            ".clock label { font-feature-settings: 'tnum'; }";

struct View {
    GtkWindow *window;
    GtkStack *stack;
    CodePage *code;
    ContractPage *contract;
    EndPage *end;
    GtkWidget *busy_page, *busy;
    GtkSpinner *spinner;
    const ViewHandlers *handlers;
    void *userdata;
};

/* ---- what the user does ---- */

static void on_code(const char *code, const char *authority, gpointer data) {
    View *v = data;
    v->handlers->code(code, authority, v->userdata);
}

static void on_sign(const Answer *answer, gpointer data) {
    View *v = data;
    v->handlers->sign(answer, v->userdata);
}

static void on_again(gpointer data) {
    View *v = data;
    v->handlers->again(v->userdata);
}

static void on_close(gpointer data) {
    View *v = data;
    v->handlers->close(v->userdata);
}

static gboolean on_close_request(GtkWindow *window, gpointer data) {
    (void)window;
    on_close(data);
    return TRUE; /* the driver ends the program */
}

static gboolean on_escape(GtkWidget *widget, GVariant *arguments, gpointer data) {
    (void)widget;
    (void)arguments;
    on_close(data);
    return TRUE;
}

/* ---- how it is built ---- */

static GtkWidget *busy_new(View *v) {
    GtkWidget *box = gtk_box_new(GTK_ORIENTATION_VERTICAL, 18);
    gtk_widget_set_valign(box, GTK_ALIGN_CENTER);
    gtk_widget_set_halign(box, GTK_ALIGN_CENTER);
    gtk_widget_add_css_class(box, "page");
    v->spinner = GTK_SPINNER(gtk_spinner_new());
    gtk_widget_set_size_request(GTK_WIDGET(v->spinner), 48, 48);
    v->busy = g_object_new(GTK_TYPE_LABEL, "accessible-role", GTK_ACCESSIBLE_ROLE_STATUS, "wrap", TRUE, "justify",
                           GTK_JUSTIFY_CENTER, "max-width-chars", 50, NULL);
    gtk_widget_add_css_class(v->busy, "title-3");
    gtk_box_append(GTK_BOX(box), GTK_WIDGET(v->spinner));
    gtk_box_append(GTK_BOX(box), v->busy);
    return box;
}

static void set_style(GtkWidget *widget) {
    g_autoptr(GtkCssProvider) provider = gtk_css_provider_new();
    gtk_css_provider_load_from_data(provider, style, -1);
    gtk_style_context_add_provider_for_display(gtk_widget_get_display(widget), GTK_STYLE_PROVIDER(provider),
                                               GTK_STYLE_PROVIDER_PRIORITY_APPLICATION);
}

static void add_escape(View *v) {
    GtkEventController *keys = gtk_shortcut_controller_new();
    gtk_shortcut_controller_add_shortcut(
        GTK_SHORTCUT_CONTROLLER(keys),
        gtk_shortcut_new(gtk_keyval_trigger_new(GDK_KEY_Escape, 0), gtk_callback_action_new(on_escape, v, NULL)));
    gtk_widget_add_controller(GTK_WIDGET(v->window), keys);
}

View *view_new(GtkApplication *application, const ViewHandlers *handlers, void *userdata, gboolean shuffle_keypad) {
    View *v = g_new0(View, 1);
    v->handlers = handlers;
    v->userdata = userdata;
    v->window = GTK_WINDOW(gtk_application_window_new(application));
    v->stack = GTK_STACK(gtk_stack_new());
    gtk_stack_set_hhomogeneous(v->stack, FALSE);
    gtk_stack_set_vhomogeneous(v->stack, FALSE);
    v->code = code_page_new(on_code, on_close, v);
    v->contract = contract_page_new(on_sign, on_close, v, shuffle_keypad);
    v->end = end_page_new(on_again, on_close, v);
    v->busy_page = busy_new(v);
    gtk_stack_add_child(v->stack, code_page_widget(v->code));
    gtk_stack_add_child(v->stack, contract_page_widget(v->contract));
    gtk_stack_add_child(v->stack, end_page_widget(v->end));
    gtk_stack_add_child(v->stack, v->busy_page);
    gtk_window_set_title(v->window, _("E-Onay Signing"));
    gtk_window_set_icon_name(v->window, "org.eonay.Agent");
    gtk_window_set_default_size(v->window, WIDTH, HEIGHT);
    gtk_window_set_child(v->window, GTK_WIDGET(v->stack));
    set_style(GTK_WIDGET(v->window));
    add_escape(v);
    g_object_set(gtk_settings_get_default(), "gtk-label-select-on-focus", FALSE, NULL);
    g_signal_connect(v->window, "close-request", G_CALLBACK(on_close_request), v);
    return v;
}

View *view_free(View *v) {
    if (!v)
        return NULL;
    contract_page_clear(v->contract);
    gtk_window_destroy(v->window);
    g_free(v);
    return NULL;
}

/* ---- pages ---- */

/* A screen reader finds pages that are merely behind others. */
static void hide_others(View *v, GtkWidget *page) {
    GtkWidget *pages[] = {code_page_widget(v->code), contract_page_widget(v->contract), end_page_widget(v->end),
                          v->busy_page};
    gtk_widget_set_visible(page, TRUE);
    gtk_stack_set_visible_child(v->stack, page);
    for (gsize i = 0; i < G_N_ELEMENTS(pages); i++)
        gtk_widget_set_visible(pages[i], pages[i] == page);
}

static void show(View *v, GtkWidget *page, GtkWidget *default_widget) {
    if (page != contract_page_widget(v->contract))
        contract_page_clear(v->contract);
    gtk_spinner_set_spinning(v->spinner, page == v->busy_page);
    hide_others(v, page);
    gtk_window_set_default_widget(v->window, default_widget);
    gtk_window_present(v->window);
}

void view_show_code(View *v, const char *problem) {
    code_page_reset(v->code, problem);
    show(v, code_page_widget(v->code), code_page_default(v->code));
    code_page_focus(v->code);
}

void view_offer_authorities(View *v, GPtrArray *authorities) {
    code_page_offer(v->code, authorities);
}

void view_show_busy(View *v, const char *what) {
    gtk_label_set_text(GTK_LABEL(v->busy), what);
    show(v, v->busy_page, NULL);
}

void view_show_contract(View *v, const Contract *c) {
    contract_page_show(v->contract, c);
    gboolean shown = gtk_stack_get_visible_child(v->stack) == contract_page_widget(v->contract);
    show(v, contract_page_widget(v->contract), contract_page_default(v->contract));
    if (!shown)
        contract_page_focus(v->contract);
}

static void show_end(View *v, gboolean success, const char *what, const char *hint, gboolean again) {
    end_page_show(v->end, success, what, hint, again);
    show(v, end_page_widget(v->end), end_page_default(v->end));
    gtk_widget_grab_focus(end_page_default(v->end));
}

void view_show_success(View *v, const char *receipt) {
    g_autofree char *hint = receipt ? g_strdup_printf(_("Receipt: %s"), receipt) : NULL;
    show_end(v, TRUE, _("Your consent is signed and the authority has received it."), hint, FALSE);
}

void view_show_failure(View *v, const char *what, const char *hint, gboolean can_begin_again) {
    show_end(v, FALSE, what, hint, can_begin_again);
}

void view_show_error(View *v, const char *error_name, const char *message, gboolean can_begin_again) {
    int code = eonay_error_from_name(error_name);
    if (code > 0)
        view_show_failure(v, eonay_error_text(code), eonay_error_hint(code), can_begin_again);
    else
        view_show_failure(v, message ? message : error_name, NULL, can_begin_again);
}
