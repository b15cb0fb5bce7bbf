#pragma once
#include <openssl/bio.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/objects.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

// OpenSSL has these as macros, which Swift does not see.

/// TLS 1.2 and later, and nothing that a session could leave to another.
static inline int oxbow_tls_configure(SSL_CTX *context) {
    SSL_CTX_set_options(context, SSL_OP_NO_TICKET | SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION
                                     | SSL_OP_CIPHER_SERVER_PREFERENCE);
    SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
    SSL_CTX_set_mode(context, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER
                                  | SSL_MODE_RELEASE_BUFFERS);
    SSL_CTX_set_read_ahead(context, 1);
    return SSL_CTX_set_num_tickets(context, 0)
        && SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION)
        && SSL_CTX_set_cipher_list(context, "ECDHE+AESGCM:ECDHE+CHACHA20");
}

static inline EVP_PKEY *oxbow_make_key(void) { return EVP_EC_gen("P-256"); }

static inline int oxbow_set_validity(X509 *certificate, long seconds) {
    // A day before now, for clients whose clock is behind.
    return X509_gmtime_adj(X509_getm_notBefore(certificate), -86400)
        && X509_gmtime_adj(X509_getm_notAfter(certificate), seconds);
}

/// Adds an extension given as OpenSSL's configuration files write it.
static inline int oxbow_add_extension(X509 *certificate, int kind, const char *value) {
    X509V3_CTX context;
    X509V3_set_ctx_nodb(&context);
    X509V3_set_ctx(&context, certificate, certificate, NULL, NULL, 0);
    X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, &context, kind, value);
    if (extension == NULL) return 0;
    int done = X509_add_ext(certificate, extension, -1);
    X509_EXTENSION_free(extension);
    return done;
}

/// The digest that `tls-server-end-point` (RFC 5929) takes of a certificate; none where its
/// signature names none.
static inline const EVP_MD *oxbow_end_point_digest(X509 *certificate) {
    int digest = NID_undef;
    if (!X509_get_signature_info(certificate, &digest, NULL, NULL, NULL)) return NULL;
    if (digest == NID_undef) return NULL;
    if (digest == NID_md5 || digest == NID_sha1) return EVP_sha256();
    return EVP_get_digestbynid(digest);
}
