// The header of Debian's libmunge-dev.

#include <munge.h>
