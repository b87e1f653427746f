/* pollux/export.h -- what makes a declaration part of the library's public interface, and the type
 * of a descriptor. */
#ifndef POLLUX_EXPORT_H
#define POLLUX_EXPORT_H

/* PLX_API marks every function that the shared library exports; nothing else is exported. */
#if defined(__GNUC__) || defined(__clang__)
#define PLX_API __attribute__((visibility("default")))
#else
#define PLX_API
#endif

/* PLX_BEGIN_DECLS and PLX_END_DECLS enclose declarations, so that C++ links to the C names. */
#ifdef __cplusplus
#define PLX_BEGIN_DECLS extern "C" {
#define PLX_END_DECLS   }
#else
#define PLX_BEGIN_DECLS
#define PLX_END_DECLS
#endif

/* plx_handle is a descriptor of the kernel, as socket(2) returns it. Calls that return one return
 * PLX_NO_HANDLE where there is none. */
typedef int plx_handle;
#define PLX_NO_HANDLE (-1)

#endif
