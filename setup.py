"""Build the compiled modules; everything else about the package is in pyproject.toml."""

import os
import sys
from pathlib import Path

from Cython.Build import cythonize
from Cython.Compiler.Code import UtilityCode
from setuptools import Extension, setup
from setuptools.command.build_ext import build_ext

# Each compiled module and the C sources it is linked with, one row a module.
MEMORY = ["ft_memory.c"]
SHA2 = ["ft_sha2.c", "ft_sha2_x86.c", "ft_sha2_arm.c", "ft_hmac.c", "ft_hkdf.c", "ft_prf12.c"]
MODULES = {
    "_wire": [],
    "_hash": [*MEMORY, *SHA2],
    "_mutex": [],
    "_secret": MEMORY,
    "_kdf": ["ft_premaster.c", *MEMORY],
    "_finished": MEMORY,
    "_record": [],
    "_protection": [*MEMORY, "ft_record.c"],
    "_x509": [],
}

# Modules written in Python that are compiled without C declarations: their classes are Python's, their functions C.
WITHOUT_DECLARATIONS = (
    "fasttls/api/errors.py",
    "fasttls/api/session.py",
    "fasttls/api/snapshot.py",
    "fasttls/api/wrapping.py",
    "fasttls/trust/common_name.py",
    "fasttls/trust/constraints.py",
    "fasttls/trust/signing.py",
)

# What Python modules cost is how much code there is to fetch: it runs once a handshake, from front to back. Nothing is
# padded. FASTTLS_QUICK_BUILD compiles them in less than half the time, for tests that measure nothing.
QUICK = bool(os.environ.get("FASTTLS_QUICK_BUILD"))
if sys.platform == "win32":
    CFLAGS, LDFLAGS = ["/std:c11", "/W3"], []
    LOOPS, STRAIGHT = ["/O2"], ["/Od" if QUICK else "/O1"]
else:
    CFLAGS, LDFLAGS = ["-std=c11", "-g0", "-Wall", "-Wextra"], []
    if sys.platform.startswith("linux"):
        # A stub on the way to each of the interpreter's functions costs a handshake 5 to 8%.
        CFLAGS.append("-fno-plt")
    LOOPS = ["-O2"]
    UNPADDED = [f"-fno-align-{what}" for what in ("functions", "jumps", "loops", "labels")]
    STRAIGHT = [*(["-O0"] if QUICK else ["-O2", *UNPADDED]), "-include", "ft_build.h"]
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


def extension(name, sources, optimise):
    """Return what builds one module."""
    return Extension(
        name,
        sources,
        include_dirs=["src_c"],
        depends=["setup.py", *(f"src_c/{header}" for header in sorted(os.listdir("src_c")) if header.endswith(".h"))],
        extra_compile_args=[*CFLAGS, *optimise],
        extra_link_args=LDFLAGS,
    )


def without_inspect():
    """Let a module that is imported make its dataclasses without asking `inspect` what each call may be given.

    Cython asks for every class and every field of one: a fifth of the time until a process's first handshake.
    What is written here calls at once, then without what Python 3.11's classes do not take, and asks only then.
    """
    name = "__Pyx_DataclassesCallHelper(PyObject *callable, PyObject *kwds)"
    helper = UtilityCode.load_cached("DataclassesCallHelper", "Dataclasses.c")
    if "ft_ask_inspect" in helper.impl or helper.impl.count(name) != 1:
        return  # it is done, or another Cython's: no more than time is lost
    asking = helper.impl.replace(name, "ft_ask_inspect(PyObject *callable, PyObject *kwds)")
    helper.impl = (
        asking
        + f"""
static PyObject* ft_call_with(PyObject *callable, PyObject *kwds) {{
    PyObject *result = PyObject_Call(callable, EMPTY(tuple), kwds);
    if (!result && PyErr_ExceptionMatches(PyExc_TypeError)) PyErr_Clear();
    return result;
}}

static PyObject* {name} {{
    static const char *const newer[] = {{"match_args", "kw_only", "slots", "weakref_slot"}};
    PyObject *fewer, *result = ft_call_with(callable, kwds);
    if (result || PyErr_Occurred()) return result;
    fewer = PyDict_Copy(kwds);
    if (!fewer) return NULL;
    for (size_t i = 0; i < sizeof(newer) / sizeof(newer[0]); i++) {{
        if (PyDict_DelItemString(fewer, newer[i]) < 0) PyErr_Clear();
    }}
    result = ft_call_with(callable, fewer);
    Py_DECREF(fewer);
    return result || PyErr_Occurred() ? result : ft_ask_inspect(callable, kwds);
}}
"""
    )


def compiled(extensions, **directives):
    """Return the extensions with their C made, as many at a time as there are processors."""
    without_inspect()
    jobs = (os.cpu_count() or 1) if sys.platform.startswith("linux") else 0
    directives = {"language_level": "3", "freethreading_compatible": True, "nonecheck": True, **directives}
    return cythonize(extensions, nthreads=jobs, compiler_directives=directives, show_all_warnings=False)


def native():
    """Return the modules that are written in Cython."""
    return compiled(
        [
            extension(
                f"fasttls.native.{name}",
                [f"fasttls/native/{name}.pyx", *(f"src_c/{source}" for source in sources)],
                LOOPS,
            )
            for name, sources in MODULES.items()
        ],
        boundscheck=False,
        wraparound=False,
        embedsignature=True,
    )


def orchestrating():
    """Return what is written in Python and compiled: the modules with C declarations beside them, and a few more.

    FASTTLS_PURE leaves them out: without being compiled they do the same, more slowly.
    """
    if os.environ.get("FASTTLS_PURE"):
        return []
    declared = [path.with_suffix(".py") for path in sorted(Path("fasttls").rglob("*.pxd"))]
    paths = [path for path in declared if path.exists()] + [Path(name) for name in WITHOUT_DECLARATIONS]
    typed = [path for path in paths if "# cython: annotation_typing=True" in path.read_text().partition("\n")[0]]
    plain = [path for path in paths if path not in typed]
    # States and keys hold secrets: they are not pickled, and a tenth of the code is not made.
    held = ("api", "connection.py", "exchange.py", "handshake")
    sealed = [path for path in plain if path.parts[1] in held and path.stem != "config"]
    return [
        *compiled([python_module(path) for path in sealed], annotation_typing=False, auto_pickle=False),
        *compiled([python_module(path) for path in plain if path not in sealed], annotation_typing=False),
        *compiled([python_module(path) for path in typed]),
    ]


def python_module(path):
    """Return what builds one module that is written in Python."""
    return extension(".".join(path.with_suffix("").parts), [str(path)], STRAIGHT)


class BuildExtensions(build_ext):
    """Builds as many modules at a time as there are processors."""

    def build_extensions(self):
        # Those that are linked with the same C sources make the same object files: one at a time.
        every = self.extensions
        sharing = [one for one in every if any(source.startswith("src_c") for source in one.sources)]
        for self.parallel, self.extensions in (
            (None, sharing),
            (os.cpu_count(), [one for one in every if one not in sharing]),
        ):
            super().build_extensions()
        self.extensions = every


if __name__ == "__main__":
    # FASTTLS_COMPILED: `build_ext --inplace` has been run, and there is nothing to compile.
    modules = [] if os.environ.get("FASTTLS_COMPILED") else [*native(), *orchestrating()]
    setup(ext_modules=modules, cmdclass={"build_ext": BuildExtensions})
