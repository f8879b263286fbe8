"""CPython's tests that pass with the standard library and not with fasttls, each with its reason.

A test is here only for what OpenSSL does and no program can ask of `ssl` by name. One that passes must go.
"""

DIFFERENCES: dict[str, str] = {
    "test.test_ssl.ThreadedTests.test_dh_params": (
        "its client takes OpenSSL's default suites to have DHE; one of fasttls offers DHE when set_ciphers() names it"
    ),
}
