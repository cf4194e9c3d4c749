//! Rows of the group "TLS": encrypted connections.

use super::{I32_MAX, Param, choice, flag, number, text};
use crate::config::settings::TlsAuthClients;

pub(super) static ROWS: &[Param] = &[
    number(
        "tls-port",
        "0",
        0,
        65_535,
        "TCP port for TLS connections; 0 listens on none.",
    )
    .field(|s, v| s.tls_port = v.number()),
    text(
        "tls-cert-file",
        "",
        "Certificate the server shows, a PEM file.",
    )
    .field(|s, v| s.tls_cert_file = v.optional_text()),
    text(
        "tls-key-file",
        "",
        "Private key of the certificate, a PEM file.",
    )
    .field(|s, v| s.tls_key_file = v.optional_text()),
    text("tls-key-file-pass", "", "Password of the private key.")
        .sensitive()
        .field(|s, v| s.tls_key_file_pass = v.optional_text()),
    text(
        "tls-client-cert-file",
        "",
        "Certificate for outgoing connections, where it differs.",
    )
    .field(|s, v| s.tls_client_cert_file = v.optional_text()),
    text(
        "tls-client-key-file",
        "",
        "Private key for outgoing connections.",
    )
    .field(|s, v| s.tls_client_key_file = v.optional_text()),
    text(
        "tls-client-key-file-pass",
        "",
        "Password of the private key for outgoing connections.",
    )
    .sensitive()
    .field(|s, v| s.tls_client_key_file_pass = v.optional_text()),
    text(
        "tls-ca-cert-file",
        "",
        "Certificates of the authorities that are trusted, a PEM file.",
    )
    .field(|s, v| s.tls_ca_cert_file = v.optional_text()),
    text(
        "tls-ca-cert-dir",
        "",
        "Folder of certificates of the authorities that are trusted.",
    )
    .field(|s, v| s.tls_ca_cert_dir = v.optional_text()),
    choice(
        "tls-auth-clients",
        "yes",
        TlsAuthClients::WORDS,
        "Whether a client must show a certificate.",
    )
    .field(|s, v| s.tls_auth_clients = TlsAuthClients::from_value(v)),
    choice(
        "tls-auth-clients-user",
        "off",
        &["CN", "URI", "off"],
        "Certificate field that names the ACL user of a client.",
    ),
    number(
        "tls-auto-reload-interval",
        "0",
        0,
        I32_MAX,
        "Seconds between looks for renewed certificates; 0 never.",
    ),
    flag("tls-replication", "no", "Use TLS on links to the primary.")
        .field(|s, v| s.tls_replication = v.is_yes()),
    flag("tls-cluster", "no", "Use TLS on the cluster bus.")
        .field(|s, v| s.tls_cluster = v.is_yes()),
    text(
        "tls-dh-params-file",
        "",
        "Diffie-Hellman parameters for old clients.",
    ),
    text(
        "tls-protocols",
        "",
        "TLS versions that are offered, such as \"TLSv1.2 TLSv1.3\".",
    )
    .field(|s, v| s.tls_protocols = v.optional_text()),
    text("tls-ciphers", "", "Cipher suites up to TLS 1.2.")
        .field(|s, v| s.tls_ciphers = v.optional_text()),
    text("tls-ciphersuites", "", "Cipher suites of TLS 1.3.")
        .field(|s, v| s.tls_ciphersuites = v.optional_text()),
    flag(
        "tls-prefer-server-ciphers",
        "no",
        "Choose the cipher by the server's order.",
    )
    .field(|s, v| s.tls_prefer_server_ciphers = v.is_yes()),
    flag(
        "tls-session-caching",
        "yes",
        "Let clients resume TLS sessions.",
    )
    .field(|s, v| s.tls_session_caching = v.is_yes()),
    number(
        "tls-session-cache-size",
        "20480",
        0,
        I32_MAX,
        "TLS sessions that are kept; 0 means no limit.",
    ),
    number(
        "tls-session-cache-timeout",
        "300",
        0,
        I32_MAX,
        "Seconds a TLS session is kept.",
    ),
];
