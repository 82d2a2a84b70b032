// The Linux calls that Swift's Glibc module does not show: one header a concern.
#pragma once
#include "loop.h"
#include "machines.h"
#include "namespaces.h"
#include "process.h"
