/* SPDX-License-Identifier: Apache-2.0 */
/* Every bus name, path, interface and limit in one place. */
#ifndef EONAY_NAMES_H
#define EONAY_NAMES_H

#define EONAY_BUS_NAME         "org.eonay.EOnay1"
#define EONAY_PATH             "/org/eonay/EOnay1"
#define EONAY_PATH_READER      EONAY_PATH "/reader"
#define EONAY_PATH_TOKEN       EONAY_PATH "/token"
#define EONAY_PATH_CERTIFICATE EONAY_PATH "/certificate"
#define EONAY_PATH_BACKEND     EONAY_PATH "/backend"
#define EONAY_PATH_CONSENT     EONAY_PATH "/consent"

/* The packaged agent, a unit of the user's service manager. */
#define EONAY_AGENT_UNIT "eonay-agent.service"

#define EONAY_INTERFACE_MANAGER     "org.eonay.EOnay1.Manager"
#define EONAY_INTERFACE_AUDIT       "org.eonay.EOnay1.Audit"
#define EONAY_INTERFACE_CONSENT     "org.eonay.EOnay1.Consent"
#define EONAY_INTERFACE_AGENT       "org.eonay.EOnay1.Agent"
#define EONAY_INTERFACE_READER      "org.eonay.EOnay1.Reader"
#define EONAY_INTERFACE_TOKEN       "org.eonay.EOnay1.Token"
#define EONAY_INTERFACE_CERTIFICATE "org.eonay.EOnay1.Certificate"
#define EONAY_INTERFACE_BACKEND     "org.eonay.EOnay1.Backend"

#define EONAY_ERROR_PREFIX   "org.eonay.EOnay1.Error."
#define EONAY_GETTEXT_DOMAIN "eonay"

/* Sizes that a client or a plugin controls. Bytes unless said otherwise. */
#define EONAY_SECRET_MAX           256u       /* a PIN or passphrase */
#define EONAY_TEXTS_MAX            16u        /* texts in one consent */
#define EONAY_TEXT_SIZE_MAX        (1u << 20) /* one text */
#define EONAY_FILE_SIZE_MAX        (1u << 20) /* a PKCS#12 file */
#define EONAY_SIGNATURE_SIZE_MAX   (8u << 20) /* a signature to verify */
#define EONAY_CERTIFICATE_SIZE_MAX 65536u
#define EONAY_TOKENS_MAX           64u   /* tokens of one instance */
#define EONAY_CERTIFICATES_MAX     64u   /* certificates of one token */
#define EONAY_STRING_MAX           1024u /* any string of a plugin */

/* A signature is not begun when the code has less than this left. */
#define EONAY_LIFE_MARGIN_USEC (5u * 1000000u)

#endif
