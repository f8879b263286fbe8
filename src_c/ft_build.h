/* Included before what Cython makes of Python modules. What runs once, when a module is
 * imported, is most of the code: GCC takes a third of its time for it when it optimises it. */
#ifndef FT_BUILD_H
#define FT_BUILD_H

#if defined(__GNUC__) && !defined(__clang__)
#    define CYTHON_SMALL_CODE __attribute__((cold, optimize("O0")))
#endif

#endif
