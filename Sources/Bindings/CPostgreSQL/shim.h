// The header of Debian's libpq-dev.

#include <libpq-fe.h>
