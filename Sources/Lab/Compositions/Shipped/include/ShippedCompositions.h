// The composition files that the program brings with it, as they are in this directory, and the files
// that these name.

#ifndef SHIPPED_COMPOSITIONS_H
#define SHIPPED_COMPOSITIONS_H

#include <stddef.h>

/// A composition file.
typedef struct {
  /// What `lab start -c NAME` calls it.
  const char *name;
  const unsigned char *content;
  /// The bytes of its content.
  size_t length;
} shipped_composition;

/// How many there are.
size_t shipped_composition_count(void);

/// One of them by its place, which must be less than their number.
shipped_composition shipped_composition_at(size_t place);

/// The files that shipped compositions name: how many there are, and one by its place.
size_t shipped_file_count(void);
shipped_composition shipped_file_at(size_t place);

#endif
