/*
 * sdnotify - sd_notify(3), in the few lines it takes.
 *
 * The keeper tells its service manager, a handler worker tells the probe.  Without
 * NOTIFY_SOCKET, or when nobody listens, nothing happens: it is only a word.
 */
#ifndef BASE_SDNOTIFY_H
#define BASE_SDNOTIFY_H

void sdnotify(const char *text);

#endif
