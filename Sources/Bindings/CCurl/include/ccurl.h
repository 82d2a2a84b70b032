// HTTP over a unix socket by libcurl, whose options have no fixed types and so can't be set from Swift.
// The library is loaded when it is first needed: commands that never ask anything over HTTP start
// without it, and a static program that holds this code links.
#pragma once
#include "ccurl_transfers.h"

#include <stddef.h>
#include <stdint.h>

// One request. Strings and bytes are only read during the call.
struct ccurl_request {
  const char *method;
  const char *url;
  const char *socket;        // path of the unix socket
  const char *content_type;  // of the body; NULL for none
  const void *body;
  size_t body_size;
  int body_file;        // a descriptor whose content, up to its end, is the body instead; or -1
  size_t answer_limit;  // a longer answer is an error
  long timeout;         // milliseconds for all of it
};

struct ccurl_answer {
  long status;      // of HTTP; 0 if there was no answer
  char *body;       // to be freed by ccurl_free
  size_t size;
  char error[256];  // what went wrong; empty if there was an answer
};

// Loads the library, once, in a process that has one thread still. Returns 0, or -1 if it isn't there.
int ccurl_load(void);

// Asks and waits for the answer.
void ccurl_perform(const struct ccurl_request *request, struct ccurl_answer *answer);

void ccurl_free(struct ccurl_answer *answer);
