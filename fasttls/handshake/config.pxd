"""C declarations of the module beside: compiled code reads its fields and calls it without going through Python."""


cdef class Credential:
    cdef readonly object chain
    cdef readonly object signer
    cdef readonly object chain_algorithms
    cdef readonly object staple
    cdef readonly object issuers


cdef class Limits:
    cdef readonly object certificate_message
    cdef readonly object handshake_message
    cdef readonly object message_fragments
    cdef readonly object empty_records
    cdef readonly object warning_alerts
    cdef readonly object key_updates
    cdef readonly object change_cipher_specs
    cdef readonly object tickets
    cdef readonly object certificate_requests
    cdef readonly object renegotiations
    cdef readonly object early_data


cdef class ClientHelloInfo:
    cdef readonly object server_name
    cdef readonly tuple alpn
    cdef readonly tuple cipher_suites
    cdef readonly tuple groups
    cdef readonly tuple signature_algorithms
    cdef readonly tuple versions


cdef class Config:
    cdef readonly object minimum_version
    cdef readonly object maximum_version
    cdef readonly object suites
    cdef readonly object groups
    cdef readonly object key_shares
    cdef readonly object signature_algorithms
    cdef readonly object signature_algorithms_cert
    cdef readonly object signing_algorithms
    cdef readonly object alpn
    cdef readonly bint alpn_required
    cdef readonly object alpn_callback
    cdef readonly object credentials
    cdef readonly object select_config
    cdef readonly object peer_certificate
    cdef readonly object trust
    cdef readonly bint check_host
    cdef readonly bint check_common_name
    cdef readonly bint partial_chain
    cdef readonly bint strict
    cdef readonly object strength
    cdef readonly object crl_check
    cdef readonly object verify_callback
    cdef readonly object certificate_authorities
    cdef readonly bint require_extended_master_secret
    cdef readonly bint require_secure_renegotiation
    cdef readonly object dhe_groups
    cdef readonly bint request_ocsp
    cdef readonly object ocsp_stapling
    cdef readonly bint resumption
    cdef readonly object ticket_keys
    cdef readonly object server_sessions
    cdef readonly object num_tickets
    cdef readonly object renewed_tickets
    cdef readonly object ticket_lifetime
    cdef readonly bint post_handshake_auth
    cdef readonly object psk_modes
    cdef readonly object external_psks
    cdef readonly object make_psks
    cdef readonly object psk_identity_hint
    cdef readonly object find_psk
    cdef readonly bint psk_only
    cdef readonly bint early_data
    cdef readonly object max_early_data
    cdef readonly object replay_guard
    cdef readonly bint prefer_server_suites
    cdef readonly bint send_server_name
    cdef readonly bint compatibility_mode
    cdef readonly bint retry_cookie
    cdef readonly object padding
    cdef readonly object max_fragment
    cdef readonly object key_update_after
    cdef readonly Limits limits
    cdef readonly object key_log
    cdef readonly object observer
    cdef readonly object record_observer
    cdef readonly object now
    cdef readonly object random
    cdef readonly bint deterministic_keys
    cdef readonly bint speaks12
    cdef readonly bint speaks13
    cdef readonly tuple offered_suites
    cdef readonly tuple ecdhe_groups
    cdef readonly tuple groups12
    cdef readonly dict suites12
    cdef readonly frozenset signs_with
