/* pollux/export.h -- what makes a declaration part of the library's public interface. */
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

#endif
