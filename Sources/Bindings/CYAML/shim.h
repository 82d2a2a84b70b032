// The header of Debian's libyaml-dev.

#include <yaml.h>
