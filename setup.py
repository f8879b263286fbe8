"""Build the compiled modules; everything else about the package is in pyproject.toml."""

import os
import sys

from Cython.Build import cythonize
from setuptools import Extension, setup

# Each compiled module and the C sources it is linked with, one row a module.
MEMORY = ["ft_memory.c"]
HASH = [*MEMORY, "ft_sha2.c", "ft_sha2_x86.c", "ft_sha2_arm.c"]
HMAC = [*HASH, "ft_hmac.c"]
MODULES = {
    "_wire": [],
    "_secret": HMAC,
    "_hash": [*HMAC],
    "_kdf": [*HMAC, "ft_hkdf.c", "ft_prf12.c", "ft_premaster.c"],
    "_finished": [*HMAC, "ft_hkdf.c", "ft_prf12.c"],
    "_record": [*MEMORY, "ft_record.c"],
    "_x509": [],
}

if sys.platform == "win32":
    CFLAGS, LDFLAGS = ["/std:c11", "/O2", "/W3"], []
else:
    CFLAGS, LDFLAGS = ["-std=c11", "-O2", "-Wall", "-Wextra"], []
    # Cython's own output carries unused parameters and missing initialisers that no source of ours has.
    CFLAGS += ["-Wno-unused-parameter", "-Wno-missing-field-initializers", "-Wno-cast-function-type"]
    if os.environ.get("FASTTLS_WERROR"):
        CFLAGS += ["-Werror"]
    if sanitizers := os.environ.get("FASTTLS_SANITIZE"):
        CFLAGS += [
            f"-fsanitize={sanitizers}",
            "-fno-sanitize-recover=undefined",
            "-fno-omit-frame-pointer",
            "-g",
        ]
        LDFLAGS += [f"-fsanitize={sanitizers}"]

setup(
    ext_modules=cythonize(
        [
            Extension(
                f"fasttls.native.{name}",
                [f"fasttls/native/{name}.pyx", *(f"src_c/{source}" for source in sources)],
                include_dirs=["src_c"],
                depends=[f"src_c/{header}" for header in sorted(os.listdir("src_c")) if header.endswith(".h")],
                extra_compile_args=CFLAGS,
                extra_link_args=LDFLAGS,
            )
            for name, sources in MODULES.items()
        ],
        compiler_directives={
            "language_level": "3",
            "freethreading_compatible": True,
            "boundscheck": False,
            "wraparound": False,
            "embedsignature": True,
        },
    )
)
