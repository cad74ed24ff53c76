/*
 * control - what the files of supervisord-control share: one struct, made by main.
 *
 *   main.c    arguments, confinement, the loop
 *   master.c  the channel to the master
 *   client.c  connections: bytes in, lines out, limits and deadlines
 *   caller.c  who a client is and what he may do
 *   call.c    one JSON-RPC request from its line to its answer
 *   method.c  the table of methods, parameters checked against it
 *   read.c, why.c, apps.c   methods that answer from the view
 *   act.c     methods that the master carries out
 *   events.c  events as JSON and who wants them
 *   diff.c    two configurations compared
 *   view.c, find.c, nodes.c  the tree, by number, by name, as JSON
 *   man.c     steward-control(7) from the tables
 */
#ifndef CONTROL_CONTROL_H
#define CONTROL_CONTROL_H

#include <stdint.h>

#include "control/view.h"

struct ev_loop;
struct master;
struct clients;
struct calls;

struct control {
	struct ev_loop *loop; /* borrowed from main */
	struct view view;
	struct master *master; /* each owned by main, made by its file */
	struct clients *clients;
	struct calls *calls;
	int run_fd;	     /* the run directory */
	unsigned sock_mode;  /* of control.sock while nobody is listed */
	uint32_t node_uid;   /* who owns the node: always admin */
	unsigned nsubs;	     /* clients that want events */
	uint64_t gap_events; /* events that slow subscribers missed, all in all */
	const char *run_dir; /* borrowed, for node.info; log_dir may be null */
	const char *log_dir;
};

#endif
