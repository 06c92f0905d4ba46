/* SPDX-License-Identifier: Apache-2.0 */
/* The pages that say what a service is and where it is done: the entries of figure 1, and what the foot links to. */
#include <string.h>

#include "page.h"
#include "pages.h"

typedef struct About {
    const char *name; /* /bilgi/NAME */
    const char *title;
    const char *text[3];
} About;

static const About abouts[] = {
    {"borc-sorgulama",
     N_("Debt inquiry and payment"),
     {N_("Organisations and persons see here what they owe for certificates, card readers and time stamps, and pay "
         "it."),
      N_("This reference portal keeps no accounts. With an authority in operation the inquiry is made with the tax or "
         "identity "
         "number and the document number on the payment letter, on the authority's own payment page."),
      NULL}},
    {"kart-okuyucu",
     N_("Card reader application"),
     {N_("Whoever needs only a reader, because the old one is lost or broken, applies for one without a certificate."),
      N_("Any PC/SC reader that Debian's libccid knows works with the local program. Readers are ordered from the "
         "authority "
         "or bought in a shop."),
      NULL}},
    {"mali-muhur",
     N_("Fiscal seal certificate application"),
     {N_("The fiscal seal (mali mühür) is an organisation's certificate for e-invoices and e-ledgers."),
      N_("It is applied for by the person who may sign for the organisation, on the authority's fiscal seal page. An "
         "E-Onay "
         "approval is given by a natural person and cannot be signed with a seal."),
      NULL}},
    {"zaman-damgasi",
     N_("Time stamp application"),
     {N_("A time stamp (RFC 3161) proves that data existed at a certain moment. It is bought as a number of stamps."),
      N_("The application form and the contract of the time stamp service are on the authority's time stamp page. "
         "Signing "
         "an E-Onay needs no time stamp account of your own."),
      NULL}},
    {"elektronik-muhur",
     N_("Electronic seal authority inquiry"),
     {N_("Shows whether a person may apply for an electronic seal in an organisation's name."),
      N_("The inquiry is answered from the registers of organisations, on the authority's electronic seal page."),
      NULL}},
    {"kosullar",
     N_("Legal notice"),
     {N_("This portal records what you accept, when, and which version of the texts it was, and keeps what you have "
         "signed "
         "as evidence."),
      N_("Of your login it keeps your T.C. identity number and your name. Cookies serve the login and the language "
         "only."),
      NULL}},
    {"destek",
     N_("Help and contact"),
     {N_("If the local program does not accept the code, get a new one on the page of E-Onay; each code lives for a "
         "few "
         "minutes and can be used once."),
      N_("A verification code is not a PUK. Never type it into a program for cards, and never give it to anybody who "
         "asks you for it."),
      NULL}},
    {"uygulama",
     N_("The signature program"),
     {N_("On Debian the signature program comes with the packages eonayd (the service that talks to cards) and "
         "eonayctl "
         "(the command line). Ask your administrator to install them if this is not your own computer."),
      N_("Insert your card, then type in a terminal: eonayctl sign. Enter the verification code when the program asks "
         "for "
         "it, read the text, and give your PIN there."),
      NULL}},
};

static Reply *show_about(Visit *v) {
    for (size_t i = 0; i < G_N_ELEMENTS(abouts); i++) {
        const About *about = &abouts[i];
        GString *p = NULL;

        if (strcmp(about->name, v->request->element) != 0)
            continue;
        p = page_begin(v, _(about->title), TRAIL({"/", _("Online Services")}));
        html_print(p, "<div class=\"panel narrow\">");
        for (const char *const *text = about->text; *text; text++)
            html_print(p, "<p>%s</p>", _(*text));
        html_print(p, "</div>");
        return page_end(v, p, 200);
    }
    return page_not_found(v);
}

Reply *page_about(Request *request) {
    return visit_run(request, FOR_ANYONE, show_about);
}
